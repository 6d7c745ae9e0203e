//! The table of columns. The listings, JSON, `--list-columns` and the help all
//! read it; a new column is one more entry.

use std::str::FromStr;

use crate::model::{NetNsId, NsId};
use crate::query::{Row, Value, facts};
use crate::scan::{Need, Needs};

/// On which side of its column a cell stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// As text does.
    Left,
    /// As numbers do; at least so many characters wide.
    Right(usize),
}

/// What JSON has for a column. Each but the list may be null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// A number.
    Number,
    /// A string.
    String,
    /// A number, or a word where there is none.
    NumberOrString,
    /// An array of strings.
    Strings,
    /// An array of objects.
    Objects,
    /// An object.
    Object,
    /// An array of numbers.
    Numbers,
}

impl Type {
    /// The word for it in `--list-columns`.
    pub const fn name(self) -> &'static str {
        match self {
            Type::Number => "number",
            Type::String => "string",
            Type::NumberOrString => "number or string",
            Type::Strings => "array",
            Type::Objects => "array of objects",
            Type::Object => "object",
            Type::Numbers => "array of numbers",
        }
    }
}

/// One column.
#[derive(Debug)]
pub struct Column {
    /// Its name, which is also its heading.
    pub name: &'static str,
    /// Its key in JSON: the name in lower case.
    pub key: &'static str,
    /// One line on what it shows.
    pub help: &'static str,
    /// What JSON has for it.
    pub json: Type,
    /// How a table sets it.
    pub align: Align,
    /// Whether a table may cut it on a terminal.
    pub is_cut: bool,
    /// What a scan has to collect for it.
    needs: &'static [Need],
    value: for<'a> fn(&Row<'a>) -> Value<'a>,
}

impl Column {
    /// Every column, in the order of `--output-all`.
    pub const ALL: &'static [Column] = &[
        Column {
            name: "NS",
            key: "ns",
            help: "inode number of the namespace",
            json: Type::Number,
            align: Align::Right(10),
            is_cut: false,
            needs: &[],
            value: |row| Value::number(row.id().map(|id| id.ino)),
        },
        Column {
            name: "TYPE",
            key: "type",
            help: "type of the namespace",
            json: Type::String,
            align: Align::Left,
            is_cut: false,
            needs: &[],
            value: |row| Value::text(Some(row.kind().name())),
        },
        Column {
            name: "PATH",
            key: "path",
            help: "a path that opens the namespace now",
            json: Type::String,
            align: Align::Left,
            is_cut: false,
            needs: &[Need::Path],
            value: |row| {
                row.path().map_or(Value::Null, |path| {
                    Value::Text(path.into_os_string().into_encoded_bytes().into())
                })
            },
        },
        Column {
            name: "NPROCS",
            key: "nprocs",
            help: "number of processes in the namespace",
            json: Type::Number,
            align: Align::Right(0),
            is_cut: false,
            needs: &[],
            value: |row| Value::Number(row.nprocs() as u64),
        },
        Column {
            name: "PID",
            key: "pid",
            help: "lowest pid in the namespace",
            json: Type::Number,
            align: Align::Right(5),
            is_cut: false,
            needs: &[],
            value: |row| Value::number(row.process.map(|process| process.pid)),
        },
        Column {
            name: "PPID",
            key: "ppid",
            help: "parent of PID",
            json: Type::Number,
            align: Align::Right(5),
            is_cut: false,
            needs: &[Need::ParentProcess],
            value: |row| Value::number(row.details().and_then(|details| details.ppid)),
        },
        Column {
            name: "COMMAND",
            key: "command",
            help: "command line of PID",
            json: Type::String,
            align: Align::Left,
            is_cut: true,
            needs: &[Need::Command],
            value: |row| {
                let command = row.details().and_then(|details| details.command.as_deref());
                command.map_or(Value::Null, |command| Value::Text(command.into()))
            },
        },
        Column {
            name: "UID",
            key: "uid",
            help: "effective user id of PID; without one, the user who made the owner",
            json: Type::Number,
            align: Align::Right(5),
            is_cut: false,
            needs: &[Need::Uid],
            value: |row| Value::number(row.user().0),
        },
        Column {
            name: "USER",
            key: "user",
            help: "name of that user",
            json: Type::String,
            align: Align::Left,
            is_cut: false,
            needs: &[Need::User],
            value: |row| match row.user() {
                (Some(uid), None) => Value::Unnamed(uid.into()),
                (_, name) => name.map_or(Value::Null, |name| Value::Text(name.into())),
            },
        },
        Column {
            name: "NETNSID",
            key: "netnsid",
            help: "id of the net namespace, seen from the caller's",
            json: Type::NumberOrString,
            align: Align::Right(0),
            is_cut: false,
            needs: &[Need::NetNsId],
            value: |row| match row.relations().and_then(|relations| relations.netnsid) {
                Some(NetNsId::Assigned(id)) => Value::Number(id.into()),
                Some(NetNsId::Unassigned) => Value::text(Some("unassigned")),
                None => Value::Null,
            },
        },
        Column {
            name: "NSFS",
            key: "nsfs",
            help: "where the namespace is bind-mounted",
            json: Type::Strings,
            align: Align::Left,
            is_cut: false,
            needs: &[Need::Mounts],
            value: |row| {
                let mounts = row.mounts().iter();
                Value::Lines(mounts.map(|path| path.as_bytes().into()).collect())
            },
        },
        Column {
            name: "PNS",
            key: "pns",
            help: "parent of the pid or user namespace",
            json: Type::Number,
            align: Align::Right(10),
            is_cut: false,
            needs: &[Need::Relations],
            value: |row| number_or_zero(row.relations().and_then(|relations| relations.parent)),
        },
        Column {
            name: "ONS",
            key: "ons",
            help: "user namespace that owns the namespace",
            json: Type::Number,
            align: Align::Right(10),
            is_cut: false,
            needs: &[Need::Relations],
            value: |row| number_or_zero(row.relations().and_then(|relations| relations.owner)),
        },
        Column {
            name: "ID",
            key: "id",
            help: "number that is never given to another namespace",
            json: Type::Number,
            align: Align::Right(0),
            is_cut: false,
            needs: &[Need::UniqueId],
            value: |row| Value::number(row.relations().and_then(|relations| relations.unique_id)),
        },
        Column {
            name: "NHOLDERS",
            key: "nholders",
            help: "number of things that keep the namespace alive",
            json: Type::Number,
            align: Align::Right(0),
            is_cut: false,
            needs: &[Need::Holders],
            value: |row| {
                Value::number(
                    row.namespace()
                        .map(|namespace| namespace.holders.len() as u64),
                )
            },
        },
        Column {
            name: "HOLDERS",
            key: "holders",
            help: "what keeps the namespace alive; in a table the first, and how many more",
            json: Type::Objects,
            align: Align::Left,
            is_cut: false,
            needs: &[Need::Holders, Need::Command],
            value: |row| Value::Holders(row.holders(), row.holder),
        },
        Column {
            name: "HOSTNAME",
            key: "hostname",
            help: "host name in a uts namespace",
            json: Type::String,
            align: Align::Left,
            is_cut: false,
            needs: &[Need::HostNames],
            value: facts::hostname,
        },
        Column {
            name: "DOMAIN",
            key: "domain",
            help: "NIS domain name in a uts namespace",
            json: Type::String,
            align: Align::Left,
            is_cut: false,
            needs: &[Need::HostNames],
            value: facts::domain,
        },
        Column {
            name: "NSPID",
            key: "nspid",
            help: "pid of PID in its own pid namespace; in JSON in all, from the outermost",
            json: Type::Numbers,
            align: Align::Right(0),
            is_cut: false,
            needs: &[Need::InnerPids],
            value: facts::nspid,
        },
        Column {
            name: "UIDMAP",
            key: "uidmap",
            help: "user ids of a user namespace, as inner:outer:count",
            json: Type::Objects,
            align: Align::Left,
            is_cut: false,
            needs: &[Need::IdMaps],
            value: |row| facts::id_map(row.facts().and_then(|facts| facts.uid_map.as_deref())),
        },
        Column {
            name: "GIDMAP",
            key: "gidmap",
            help: "group ids of a user namespace, as inner:outer:count",
            json: Type::Objects,
            align: Align::Left,
            is_cut: false,
            needs: &[Need::IdMaps],
            value: |row| facts::id_map(row.facts().and_then(|facts| facts.gid_map.as_deref())),
        },
        Column {
            name: "TIMEOFFSET",
            key: "timeoffset",
            help: "seconds by which the clocks of a time namespace differ",
            json: Type::Object,
            align: Align::Left,
            is_cut: false,
            needs: &[Need::TimeOffsets],
            value: facts::time_offset,
        },
        Column {
            name: "CGROUPROOT",
            key: "cgrouproot",
            help: "root of a cgroup namespace, as a path of the caller's",
            json: Type::String,
            align: Align::Left,
            is_cut: false,
            needs: &[Need::CgroupRoot],
            value: facts::cgroup_root,
        },
        Column {
            name: "NMOUNTS",
            key: "nmounts",
            help: "number of mounts in a mount namespace",
            json: Type::Number,
            align: Align::Right(0),
            is_cut: false,
            needs: &[Need::MountFacts],
            value: |row| Value::number(row.facts().and_then(|facts| Some(facts.nmounts? as u64))),
        },
        Column {
            name: "MNTROOT",
            key: "mntroot",
            help: "what is mounted at the root of a mount namespace",
            json: Type::String,
            align: Align::Left,
            is_cut: false,
            needs: &[Need::MountFacts],
            value: facts::mount_root,
        },
        Column {
            name: "INTERFACES",
            key: "interfaces",
            help: "network interfaces in a net namespace; of a veth, the net namespace of its peer",
            json: Type::Objects,
            align: Align::Left,
            is_cut: false,
            needs: &[Need::Interfaces],
            value: facts::interfaces,
        },
        Column {
            name: "SYSVIPC",
            key: "sysvipc",
            help: "numbers of System V objects in an ipc namespace",
            json: Type::Object,
            align: Align::Left,
            is_cut: false,
            needs: &[Need::SysvIpc],
            value: facts::sysvipc,
        },
        Column {
            name: "PIDMAX",
            key: "pidmax",
            help: "largest pid in a pid namespace",
            json: Type::Number,
            align: Align::Right(0),
            is_cut: false,
            needs: &[Need::PidMax],
            value: |row| Value::number(row.facts().and_then(|facts| facts.pid_max)),
        },
        Column {
            name: "CONTAINER",
            key: "container",
            help: "containers of the processes, as engine:name; in a table the first, and how many more",
            json: Type::Strings,
            align: Align::Left,
            is_cut: false,
            needs: &[Need::Affiliation],
            value: facts::container,
        },
        Column {
            name: "ENGINE",
            key: "engine",
            help: "what runs those containers",
            json: Type::Strings,
            align: Align::Left,
            is_cut: false,
            needs: &[Need::Affiliation],
            value: facts::engine,
        },
        Column {
            name: "POD",
            key: "pod",
            help: "uids of their pods",
            json: Type::Strings,
            align: Align::Left,
            is_cut: false,
            needs: &[Need::Affiliation],
            value: facts::pod,
        },
        Column {
            name: "UNIT",
            key: "unit",
            help: "systemd services and scopes of the processes",
            json: Type::Strings,
            align: Align::Left,
            is_cut: false,
            needs: &[Need::Affiliation],
            value: facts::unit,
        },
        Column {
            name: "HOST",
            key: "host",
            help: "yes for a namespace that the host itself started with, else no",
            json: Type::String,
            align: Align::Left,
            is_cut: false,
            needs: &[Need::Host],
            value: facts::host,
        },
        Column {
            name: "INFERRED",
            key: "inferred",
            help: "by what the row was inferred with --infer, for want of permission; else empty",
            json: Type::String,
            align: Align::Left,
            is_cut: false,
            needs: &[],
            value: |row| {
                let inferred = row.inferred();
                inferred.map_or(Value::Null, |inferred| {
                    Value::Text(inferred.to_string().into_bytes().into())
                })
            },
        },
        Column {
            name: "LINKS",
            key: "links",
            help: "names of the links in /proc/PID/ns that lead to it, of any PID or of that of --pid",
            json: Type::Strings,
            align: Align::Left,
            is_cut: false,
            needs: &[],
            value: |row| {
                let links = row.links().iter();
                Value::List(links.map(|link| link.name().as_bytes().into()).collect())
            },
        },
    ];

    /// The columns that JSON shows if none are named: those that cost little
    /// more than the scan.
    pub fn usual() -> impl Iterator<Item = &'static Column> {
        let is_dear = |need: &Need| need.is_dear();
        Column::ALL
            .iter()
            .filter(move |column| !column.needs.iter().any(is_dear))
    }

    /// What a scan has to collect so that the column can be shown.
    pub fn needs(&self) -> Needs {
        self.needs.iter().copied().collect()
    }

    /// What stands in this column of a row.
    pub fn value<'a>(&self, row: &Row<'a>) -> Value<'a> {
        (self.value)(row)
    }
}

/// A namespace's number; a table has 0 where there is none, as lsns has.
fn number_or_zero<'a>(id: Option<NsId>) -> Value<'a> {
    id.map_or(Value::NoNumber, |id| Value::Number(id.ino))
}

/// A column is its name; no two have the same.
impl PartialEq for Column {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Column {}

/// No column has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown column '{name}'{}", nearest_or_list(*.nearest))]
pub struct UnknownColumn {
    name: String,
    nearest: Option<&'static str>,
}

fn nearest_or_list(nearest: Option<&'static str>) -> String {
    nearest.map_or_else(
        || " (--list-columns shows them all)".to_owned(),
        |name| format!(", nearest is {name}"),
    )
}

/// The column whose name takes the fewest slips to become this one, if that is
/// no more than one slip in three letters.
fn nearest(name: &str) -> Option<&'static str> {
    // The distance takes time and memory by the length of the name.
    if name.len() > 64 {
        return None;
    }
    let name = name.to_ascii_uppercase();
    let distances = Column::ALL.iter().map(|column| {
        let distance = strsim::damerau_levenshtein(&name, column.name);
        (distance, column.name)
    });
    let (distance, nearest) = distances.min_by_key(|(distance, _)| *distance)?;
    (distance <= (name.chars().count() / 3).max(1)).then_some(nearest)
}

impl FromStr for &'static Column {
    type Err = UnknownColumn;

    fn from_str(name: &str) -> Result<Self, UnknownColumn> {
        let found = Column::ALL
            .iter()
            .find(|column| column.name.eq_ignore_ascii_case(name));
        found.ok_or_else(|| UnknownColumn {
            name: name.to_owned(),
            nearest: nearest(name),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_the_name_in_lower_case_and_no_name_comes_twice() {
        for (place, column) in Column::ALL.iter().enumerate() {
            assert_eq!(column.key, column.name.to_lowercase());
            let first = Column::ALL
                .iter()
                .position(|other| other.name == column.name);
            assert_eq!(first, Some(place));
        }
    }
}
