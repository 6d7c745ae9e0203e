//! Which columns to show.

use std::ffi::OsStr;

use crate::cli::error::CliError;
use crate::model::{Kind, KindSet};
use crate::output::Format;
use crate::query::{Column, Sort, SortColumn, UnknownColumn};
use crate::scan::Target;

/// Columns of a list of namespaces.
const NAMESPACES: &[&str] = &["NS", "TYPE", "NPROCS", "PID", "USER", "COMMAND"];
/// Columns of a list to which net namespaces were asked for by type.
const WITH_NET: &[&str] = &[
    "NS", "TYPE", "NPROCS", "PID", "USER", "NETNSID", "NSFS", "COMMAND",
];
/// Columns for one process, whose links may lead to two namespaces of a type.
const OF_PROCESS: &[&str] = &["NS", "TYPE", "NPROCS", "PID", "USER", "LINKS", "COMMAND"];
/// The same with net namespaces.
const OF_PROCESS_WITH_NET: &[&str] = &[
    "NS", "TYPE", "NPROCS", "PID", "USER", "NETNSID", "NSFS", "LINKS", "COMMAND",
];
/// Columns of a list of processes.
const PROCESSES: &[&str] = &["PID", "PPID", "USER", "COMMAND"];

/// Returns the default columns. `kinds` are the types that were asked for, if any
/// were. JSON has everything the scan collects anyway.
pub(super) fn default_columns(
    target: &Target,
    kinds: KindSet,
    is_persistent: bool,
    format: Format,
) -> Result<Vec<&'static Column>, CliError> {
    let names = match target {
        Target::Namespace(_) => PROCESSES,
        _ if format.is_json() => return Ok(Column::usual().collect()),
        Target::Process(_) if kinds.contains(Kind::Net) => OF_PROCESS_WITH_NET,
        Target::Process(_) => OF_PROCESS,
        Target::All if kinds.contains(Kind::Net) => WITH_NET,
        Target::All => NAMESPACES,
    };
    let names = names.iter().map(|name| match *name {
        // No process has a command there, and something else holds it.
        "COMMAND" if is_persistent => "HOLDERS",
        name => name,
    });
    names.map(column).collect()
}

/// Parses a list of columns: `NS,TYPE`, or `+PATH` to add to the default. A column
/// that is named twice stands there twice.
pub(super) fn parse_columns(
    list: &OsStr,
    defaults: Vec<&'static Column>,
) -> Result<Vec<&'static Column>, CliError> {
    let list = list.to_string_lossy();
    let (mut columns, names) = match list.strip_prefix('+') {
        Some(names) => (defaults, names),
        None => (Vec::new(), &*list),
    };
    require_columns(names)?;
    for name in names.split(',') {
        columns.push(column(name)?);
    }
    Ok(columns)
}

/// Parses the columns to sort by: `NPROCS`, or `-NPROCS` for the largest first.
pub(super) fn parse_sort(list: &OsStr) -> Result<Sort, CliError> {
    let list = list.to_string_lossy();
    require_columns(&list)?;
    let columns = list.split(',').map(|word| {
        let name = word.trim_start().strip_prefix('-');
        Ok(SortColumn {
            column: column(name.unwrap_or(word))?,
            is_descending: name.is_some(),
        })
    });
    columns.collect::<Result<_, CliError>>().map(Sort::by)
}

fn require_columns(list: &str) -> Result<(), CliError> {
    if list.is_empty() {
        let message = "no columns given (--list-columns shows them all)";
        return Err(CliError::Usage(message.to_owned()));
    }
    Ok(())
}

/// Returns each column once: a JSON object cannot have a key twice.
pub(super) fn once(columns: Vec<&'static Column>) -> Vec<&'static Column> {
    let mut known: Vec<&'static Column> = Vec::with_capacity(columns.len());
    for column in columns {
        if !known.contains(&column) {
            known.push(column);
        }
    }
    known
}

/// Adds the column that marks rows as inferred, before the last column if
/// that is the default one: a command, which may be long.
pub(super) fn add_inferred(
    columns: &mut Vec<&'static Column>,
    defaults: &[&'static Column],
) -> Result<(), CliError> {
    let inferred = column("INFERRED")?;
    if !columns.contains(&inferred) {
        let place = columns.len() - usize::from(columns.last() == defaults.last());
        columns.insert(place, inferred);
    }
    Ok(())
}

fn column(name: &str) -> Result<&'static Column, CliError> {
    name.trim()
        .parse()
        .map_err(|error: UnknownColumn| CliError::Usage(error.to_string()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names(list: &str) -> Result<Vec<&'static str>, String> {
        let defaults = vec![column("NS").unwrap(), column("PID").unwrap()];
        parse_columns(OsStr::new(list), defaults)
            .map(|columns| columns.iter().map(|column| column.name).collect())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn columns_are_named_in_any_case_and_shown_as_often_as_named() {
        assert_eq!(names("user,Ns,USER"), Ok(vec!["USER", "NS", "USER"]));
        assert_eq!(names("+path,ns"), Ok(vec!["NS", "PID", "PATH", "NS"]));
    }

    #[test]
    fn a_list_that_names_no_column_is_refused() {
        let none = "no columns given (--list-columns shows them all)".to_owned();
        assert_eq!(names(""), Err(none.clone()));
        assert_eq!(names("+"), Err(none));
        let unknown = |name| format!("unknown column '{name}' (--list-columns shows them all)");
        assert_eq!(names("NS,,PID"), Err(unknown("")));
        assert_eq!(names("NS,FOO"), Err(unknown("FOO")));
        assert_eq!(names("NS,inode"), Err(unknown("inode")));
    }

    #[test]
    fn a_name_with_a_slip_in_it_is_answered_with_the_right_one() {
        let unknown = |name, nearest| Err(format!("unknown column '{name}', nearest is {nearest}"));
        assert_eq!(names("NS,+PID"), unknown("+PID", "PID"));
        assert_eq!(names("nproc"), unknown("nproc", "NPROCS"));
        assert_eq!(names("COMMNAD"), unknown("COMMNAD", "COMMAND"));
    }

    #[test]
    fn columns_to_sort_by_are_named_alike_and_a_minus_turns_one_round() {
        let parsed = |list: &str| {
            let sort = parse_sort(OsStr::new(list)).map_err(|error| error.to_string())?;
            let columns = sort.columns().map(|column| column.name);
            Ok(columns.collect::<Vec<_>>())
        };
        assert_eq!(
            parsed("-nprocs,Ns, pid, -UID"),
            Ok(vec!["NPROCS", "NS", "PID", "UID"])
        );
        let refused = |message: &str| Err(message.to_owned());
        assert_eq!(
            parsed(""),
            refused("no columns given (--list-columns shows them all)")
        );
        for list in ["-", "NS,", "-,NS"] {
            let message = "unknown column '' (--list-columns shows them all)";
            assert_eq!(parsed(list), refused(message));
        }
        assert_eq!(
            parsed("--NPROCS"),
            refused("unknown column '-NPROCS', nearest is NPROCS")
        );
        assert_eq!(
            parsed("NPROC"),
            refused("unknown column 'NPROC', nearest is NPROCS")
        );
    }

    proptest! {
        #[test]
        fn any_list_is_read_or_refused(list: String) {
            let _ = names(&list);
            let _ = parse_sort(OsStr::new(&list));
        }
    }
}
