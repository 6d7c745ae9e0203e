use std::fmt;

use crate::model::{LinkSet, Source};

/// Why something is missing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// The kernel refused (EACCES); even root meets that.
    Denied,
    /// `/proc` is mounted with hidepid, proc(5).
    Hidden,
    /// A pid namespace was unshared, and the kernel shows it to nobody before
    /// its first process is there.
    Unborn,
    /// What was read could not be understood.
    Malformed,
    /// Another error of the system, in its words.
    Failed(String),
    /// The process ended while the scan went on.
    Vanished,
    /// The process is a zombie: only its pid and user namespace are left.
    Zombie,
    /// The leader is a zombie and other threads live on; read through one.
    ZombieLeader,
    /// The kernel has no such link, and so no such namespaces.
    Unsupported,
    /// It lies above the user or pid namespace of the caller, from where
    /// nothing above can be seen.
    Outside,
    /// Another mount lies over it.
    Covered,
}

impl Cause {
    /// One of each, in the order of the enum; the failure has no words.
    pub const ALL: &'static [Cause] = &[
        Cause::Denied,
        Cause::Hidden,
        Cause::Unborn,
        Cause::Malformed,
        Cause::Failed(String::new()),
        Cause::Vanished,
        Cause::Zombie,
        Cause::ZombieLeader,
        Cause::Unsupported,
        Cause::Outside,
        Cause::Covered,
    ];

    /// The word for it in JSON.
    pub const fn name(&self) -> &'static str {
        match self {
            Cause::Denied => "denied",
            Cause::Hidden => "hidden",
            Cause::Unborn => "unborn",
            Cause::Malformed => "malformed",
            Cause::Failed(_) => "failed",
            Cause::Vanished => "vanished",
            Cause::Zombie => "zombie",
            Cause::ZombieLeader => "zombie-leader",
            Cause::Unsupported => "unsupported",
            Cause::Outside => "outside",
            Cause::Covered => "covered",
        }
    }

    /// Whether something that exists may be missing from the view because of
    /// it. A process that ended, a zombie and an older kernel are facts about
    /// the system, not about the view; and a view ends where its own
    /// namespaces do.
    pub const fn hides(&self) -> bool {
        match self {
            Cause::Denied
            | Cause::Hidden
            | Cause::Unborn
            | Cause::Malformed
            | Cause::Failed(_)
            | Cause::Covered => true,
            Cause::Vanished
            | Cause::Zombie
            | Cause::ZombieLeader
            | Cause::Unsupported
            | Cause::Outside => false,
        }
    }

    /// Whether more permission would help.
    const fn is_permission(&self) -> bool {
        matches!(self, Cause::Denied | Cause::Hidden)
    }
}

/// Something that a scan could not show, counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// What was being read.
    pub source: Source,
    /// Why it is missing.
    pub cause: Cause,
    /// How many processes this concerns (of mounts and relations: how many
    /// of them); none where that cannot be known.
    pub count: Option<usize>,
    /// Of how many.
    pub total: usize,
    /// The links that it concerns; empty if it is not about links.
    pub links: LinkSet,
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.source, &self.cause) {
            (Source::Cgroups, Cause::Unsupported) => {
                return f.write_str("this tree does not tell of containers");
            }
            (Source::Contents, Cause::Unsupported) => {
                return f.write_str("this tree does not tell what is in namespaces");
            }
            (Source::Cgroups, Cause::Outside) => {
                return f
                    .write_str("containers outside of the own cgroup namespace cannot be told");
            }
            (Source::Contents, Cause::Outside) => {
                let count = self.count.unwrap_or(0);
                let is = plural(count, "", "s");
                return write!(
                    f,
                    "of {count} namespace{is} nobody can tell whether the host owns it"
                );
            }
            _ => {}
        }
        if self.cause == Cause::Unsupported {
            f.write_str("this kernel has no ")?;
            return match self.source {
                Source::MountNamespaces => f.write_str("list of mount namespaces"),
                Source::Listns => f.write_str("list of namespaces"),
                _ => list(f, self.links),
            };
        }
        let Some(count) = self.count else {
            return f.write_str("processes of others are hidden (hidepid)");
        };
        let total = self.total;
        let s = plural(count, "", "s");
        let es = plural(count, "", "es");
        let is = plural(count, "is", "are");
        match &self.cause {
            Cause::Vanished => return write!(f, "{count} process{es} ended during the scan"),
            Cause::Hidden => {
                return write!(f, "{count} of {total} processes {is} hidden (hidepid)");
            }
            Cause::Unborn => {
                return write!(
                    f,
                    "{count} process{es} hold{} a pid namespace that cannot be seen before its first child",
                    plural(count, "s", "")
                );
            }
            Cause::Zombie => {
                return write!(
                    f,
                    "{count} zombie{s} {is} left in {} pid and user namespace only",
                    plural(count, "its", "their")
                );
            }
            Cause::ZombieLeader => {
                return write!(
                    f,
                    "{count} process{es} with a zombie leader {is} read through a thread"
                );
            }
            Cause::Outside if self.source.is_list() => {
                return write!(
                    f,
                    "{} can be listed from the initial namespaces only",
                    match self.source {
                        Source::Listns => "all namespaces",
                        _ => "mount namespaces without processes",
                    }
                );
            }
            Cause::Outside => {
                return write!(
                    f,
                    "parent or owner of {count} namespace{s} {} outside of the own user or pid namespace",
                    plural(count, "lies", "lie")
                );
            }
            _ => {}
        }
        match self.source {
            Source::Processes => write!(f, "{count} of {total} processes"),
            Source::Fds => write!(f, "open files of {count} process{es}"),
            Source::Sockets => write!(f, "sockets of {count} process{es}"),
            Source::Threads => write!(f, "threads of {count} process{es}"),
            Source::Tuns => write!(f, "tun devices of {count} process{es}"),
            Source::Mounts => write!(f, "mounts of {count} mount namespace{s}"),
            Source::MountNamespaces => f.write_str("mount namespaces without processes"),
            Source::Listns => f.write_str("the kernel's list of namespaces"),
            Source::Relations => write!(f, "parent or owner of {count} namespace{s}"),
            Source::Details => write!(f, "details of {count} process{es}"),
            Source::Cgroups => write!(f, "cgroups of {count} process{es}"),
            Source::Contents => write!(f, "contents of {count} namespace{s}"),
        }?;
        match &self.cause {
            Cause::Denied => f.write_str(" could not be read (permission denied)"),
            Cause::Malformed if self.source == Source::Processes => {
                f.write_str(" could not be understood (broken links)")
            }
            Cause::Malformed => f.write_str(" could not be understood"),
            Cause::Covered => f.write_str(" could not be read (another mount lies over it)"),
            Cause::Failed(reason) => write!(f, " could not be read ({reason})"),
            _ => Ok(()),
        }
    }
}

const fn plural<'a>(count: usize, one: &'a str, many: &'a str) -> &'a str {
    if count == 1 { one } else { many }
}

/// `a`, `a and b`, `a, b and c`.
fn list(f: &mut fmt::Formatter<'_>, links: LinkSet) -> fmt::Result {
    for (place, link) in links.iter().enumerate() {
        let between = match place {
            0 => "",
            _ if place + 1 == links.len() => " and ",
            _ => ", ",
        };
        write!(f, "{between}{link}")?;
    }
    f.write_str(if links.len() == 1 { " link" } else { " links" })
}

/// All gaps in one line; `None` if there are none.
///
/// `advice` is what to do if permission is all that is wanting; none for root,
/// who has it.
pub fn summary(gaps: &[Gap], advice: Option<&str>) -> Option<String> {
    if gaps.is_empty() {
        return None;
    }
    let mut line = gaps
        .iter()
        .map(Gap::to_string)
        .collect::<Vec<_>>()
        .join(", ");
    if let Some(advice) = advice
        && gaps.iter().any(|gap| gap.cause.is_permission())
    {
        line.push_str("; ");
        line.push_str(advice);
    }
    Some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A new cause does not compile before it is counted here.
    const fn place(cause: &Cause) -> usize {
        match cause {
            Cause::Denied => 0,
            Cause::Hidden => 1,
            Cause::Unborn => 2,
            Cause::Malformed => 3,
            Cause::Failed(_) => 4,
            Cause::Vanished => 5,
            Cause::Zombie => 6,
            Cause::ZombieLeader => 7,
            Cause::Unsupported => 8,
            Cause::Outside => 9,
            Cause::Covered => 10,
        }
    }

    #[test]
    fn every_cause_stands_at_its_place_and_none_is_forgotten() {
        assert!(Cause::ALL.is_sorted());
        assert_eq!(Cause::ALL.len(), place(&Cause::Covered) + 1);
        for (index, cause) in Cause::ALL.iter().enumerate() {
            assert_eq!(place(cause), index);
        }
    }
}
