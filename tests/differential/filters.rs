//! Filters: which rows both tools let through.

use super::systems::SYSTEM;
use super::{Place, with_filters};
use crate::common::Outcome;

const PAGE: &str = include_str!("../../docs/lsns.md");

/// Makes random numbers (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).unwrap()
    }

    fn one_of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len())]
    }
}

const NUMBERS: [&str; 7] = ["NS", "NPROCS", "PID", "PPID", "UID", "PNS", "ONS"];
const TEXTS: [&str; 6] = ["TYPE", "USER", "NSFS", "COMMAND", "PATH", "NETNSID"];

/// Makes an expression that means the same to both, as far as docs/lsns.md says: with
/// parentheses around what `not`, `and` and `or` join, numbers beside numbers and
/// texts beside texts.
fn expression(random: &mut Random, depth: usize) -> String {
    match random.below(if depth == 0 { 5 } else { 9 }) {
        0 => random.one_of(&NUMBERS).to_owned(),
        1 => random.one_of(&TEXTS).to_owned(),
        2 | 3 => comparison(random),
        4 => {
            let truth = random.one_of(&["true", "false", "TRUE", "0", "1", "'x'", "''", "0.5"]);
            format!(
                "{truth} {} {}",
                random.one_of(&["and", "&&", "OR"]),
                comparison(random)
            )
        }
        5 => format!(
            "{}({})",
            random.one_of(&["not ", "!", "NOT "]),
            expression(random, depth - 1)
        ),
        6 => format!("({}) == ({})", comparison(random), comparison(random)),
        7 => format!(
            "{} == {}",
            comparison(random),
            random.one_of(&["true", "false", "1"])
        ),
        _ => {
            let join = random.one_of(&[" and ", "&&", " AND ", " or ", "||", " OR "]);
            let one = expression(random, depth - 1);
            format!("({one}){join}({})", expression(random, depth - 1))
        }
    }
}

fn comparison(random: &mut Random) -> String {
    let sign = random.one_of(&["==", "<", "<=", ">", ">=", " eq ", " LT ", " ge "]);
    match random.below(6) {
        0 => {
            let number = random.one_of(&[
                "0",
                "1",
                "2",
                "3",
                "7",
                "1K",
                "1.5",
                "4026531837",
                "4026532200",
            ]);
            format!("{}{sign}{number}", random.one_of(&NUMBERS))
        }
        1 => {
            // A PID may be absent, see "PID != 1".
            let column = random.one_of(&["NS", "NPROCS", "PNS", "ONS", "UID"]);
            format!("{}!={column}", random.one_of(&["0", "1", "2"]))
        }
        2 => {
            let text = random.one_of(&[
                "net",
                "uts",
                "mnt",
                "user",
                "root",
                "nobody",
                "0",
                "unassigned",
                "n",
            ]);
            let sign = random.one_of(&["==", "!=", " ne ", "<", ">"]);
            format!("{}{sign}'{text}'", random.one_of(&TEXTS))
        }
        3 | 4 => {
            let pattern = random.one_of(&[
                "net",
                "^u",
                "s$",
                "sleep",
                "100[1-5]",
                "^.{3}$",
                "e{,1}r",
                "(n|m).t",
                "[[:digit:]]+$",
                "mounts/[1-3]",
                "\\<root\\>",
                "^$",
                "x",
                "",
                "proc.*/ns",
            ]);
            format!(
                "{}{}'{pattern}'",
                random.one_of(&TEXTS),
                random.one_of(&["=~", "!~", " =~ "])
            )
        }
        _ => format!(
            "{}{sign}{}",
            random.one_of(&["NPROCS", "UID", "NS"]),
            random.one_of(&["NPROCS", "UID", "NS"])
        ),
    }
}

/// Compares the rows for each line of `expressions`. Only those that lsns knows count,
/// as it finds fewer. What lsns shows of a namespace without processes differs by more
/// than the filter, so those are left out where UID, USER or PATH is asked for.
const COMPARE: &str = r#"
    # 2.41 knows NETNSID only if it is shown.
    columns='-n -r -o NS,TYPE,NETNSID'
    # Without a pipe, as NPROCS counts all that run.
    lsns -l $columns > all; rows() { cut -d ' ' -f 1,2 "$1" | sort; }
    rows all > known
    while IFS= read -r expression; do
        case $expression in *UID*|*USER*|*PATH*) filter="($expression) and (NPROCS > 0)" ;; *) filter=$expression ;; esac
        lsns -l $columns -Q "$filter" > all 2> lsns.said; rows all > lsns.rows
        nsls $columns -Q "$filter" > all 2> nsls.said; rows all | comm -12 - known > nsls.rows
        cmp -s lsns.rows nsls.rows && [ ! -s lsns.said ] && ! grep -q parse nsls.said && continue
        echo "$expression"; cat lsns.said nsls.said; diff lsns.rows nsls.rows
    done < expressions
"#;

#[test]
fn a_random_filter_lets_the_same_rows_through() {
    for lsns in with_filters(&["comm"]) {
        for (place, seeds) in Place::ALL.into_iter().zip([1..=2, 3..=4, 5..=6]) {
            for seed in seeds {
                let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ seed);
                // 50 for each of 6 systems.
                let lines: Vec<_> = (0..50).map(|_| expression(&mut random, 2)).collect();
                let lines = lines.join("\n");
                let script = format!(
                    "SEED={seed}\n{SYSTEM}\ncat > expressions <<'END'\n{lines}\nEND\n{COMPARE}"
                );
                let what = format!("seed {seed}, {place:?}, lsns {}", lsns.version);
                assert_eq!(place.run(&lsns, &script), Outcome::success(""), "{what}");
            }
        }
    }
}

/// A system on which each documented difference shows.
const TELLING: &str = r#"
    for i in 1 2 3 4 5 6 7 8 9; do sleep 1000 & done
    as unshare $flags --uts sleep 1001 & as unshare $flags --net sleep 1002 &
    unshare --uts perl -e '$0 = "asleep"; sleep 1000' &
    mkdir mounts; mount -t tmpfs tmpfs mounts; touch mounts/a mounts/b
    unshare --uts=mounts/a true; mount --bind mounts/a mounts/b
    until [ $(pgrep -c '^(sleep|asleep)$') = 12 ]; do sleep 0.05; done
"#;

/// Returns the commands of the table of differences with the cells beside them.
fn differences() -> Vec<(&'static str, &'static str)> {
    let (_, section) = PAGE.split_once("\n## Filters\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    let rows = rows.filter_map(|row| row.split_once(" | "));
    let commands = rows.flat_map(|(cell, rest)| {
        cell.trim_end_matches('`')
            .split("`, `")
            .map(move |command| (command, rest))
    });
    commands.collect()
}

#[test]
fn each_difference_of_filters_is_documented_and_still_there() {
    let differences = differences();
    assert!(differences.len() > 20, "the page has lost its table");
    for lsns in with_filters(&["pgrep", "perl"]) {
        let mut script = TELLING.to_owned();
        for (command, rest) in &differences {
            let (filter, more) = match command.split_once(" -o ") {
                Some((filter, columns)) => (filter, format!("-o {columns}")),
                None => (*command, "-o NS,TYPE".to_owned()),
            };
            if rest.starts_with("2.") && !rest.starts_with(&lsns.version) {
                continue;
            }
            script.push_str(&format!(
                "lsns -l -n -r {more} {filter} > lsns.rows 2>&1; one=$?\n\
                 nsls -n -r {more} {filter} > nsls.rows 2> said; other=$?\n\
                 grep -q . said && cat said >> nsls.rows\n\
                 [ $one = $other ] && cmp -s lsns.rows nsls.rows && echo {filter:?}\n"
            ));
        }
        let run = Place::Root.run(&lsns, &format!("{script}\ntrue"));
        assert_eq!(
            run,
            Outcome::success(""),
            "no difference to lsns {}",
            lsns.version
        );
    }
}
