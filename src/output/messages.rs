//! Gaps as sentences, for JSON and for standard error.

use crate::analysis::Thing;
use crate::error::{reason, with_article};
use crate::model::{Cause, Gap, LinkSet, Source};

/// Lists what a word may be: "a container, pod or command".
pub(crate) fn looked_for(things: &[Thing]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in things.iter().map(Thing::name) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    match &names[..] {
        [] => "nothing".to_owned(),
        [only] => with_article(only),
        [first @ .., last] => format!("{} or {last}", with_article(&first.join(", "))),
    }
}

/// Describes one gap: "2 of 4 processes could not be read (permission denied)".
pub(crate) fn describe(gap: &Gap) -> String {
    match (gap.source, gap.cause) {
        (Source::Bpf, cause) => {
            let why = problem(Source::Bpf, cause);
            let why = why.trim_start_matches("could not be read ");
            return format!("BPF iterators did not run {why}, so /proc was read");
        }
        (Source::Cgroups, Cause::Unsupported) => {
            return "this tree has no record of containers".to_owned();
        }
        (Source::Contents, Cause::Unsupported) => {
            return "this tree has no record of what is inside namespaces".to_owned();
        }
        (Source::Cgroups, Cause::Outside) => {
            return "cannot identify containers outside the caller's cgroup namespace".to_owned();
        }
        (Source::Contents, Cause::Outside) => {
            let count = gap.count.unwrap_or(0);
            return format!(
                "cannot tell whether {} to the host",
                counted(count, "namespace belongs", "namespaces belong")
            );
        }
        (Source::Contents, Cause::ForeignPidNamespace) => {
            let count = gap.count.unwrap_or(0);
            return format!(
                "pid_max of {} can be read only inside",
                counted(count, "pid namespace", "pid namespaces")
            );
        }
        (Source::Sockets, Cause::SocketClass) => {
            let count = gap.count.unwrap_or(0);
            return format!(
                "sockets of {} were left alone (a look would change their net_cls class)",
                counted(count, "process", "processes")
            );
        }
        (Source::Relations, Cause::Unborn) => {
            let count = gap.count.unwrap_or(0);
            return format!(
                "parent or owner of {} could not be read (no process in it yet)",
                counted(count, "namespace", "namespaces")
            );
        }
        (Source::MountNamespaces, Cause::Unsupported) => {
            return "this kernel has no list of mount namespaces".to_owned();
        }
        (Source::Listns, Cause::Unsupported) => {
            return "this kernel has no list of namespaces".to_owned();
        }
        (Source::Fds, Cause::Unsupported) => {
            let count = gap.count.unwrap_or(0);
            return format!(
                "{} descriptors in flight or in io_uring slots, which cannot be followed on this \
                 kernel",
                counted(count, "process may have", "processes may have")
            );
        }
        (_, Cause::Unsupported) => return format!("this kernel has no {}", link_names(gap.links)),
        (Source::MountNamespaces, Cause::Outside) => {
            return "mount namespaces without processes can be listed from the initial namespaces only"
                .to_owned();
        }
        (Source::Listns, Cause::Outside) => {
            return "all namespaces can be listed from the initial namespaces only".to_owned();
        }
        _ => {}
    }
    let Some(count) = gap.count else {
        return "other users' processes are hidden (hidepid)".to_owned();
    };
    let total = gap.total;
    match gap.cause {
        Cause::Vanished => {
            format!(
                "{} during the scan",
                counted(count, "process ended", "processes ended")
            )
        }
        Cause::Hidden if gap.source == Source::Processes => format!(
            "{count} of {total} processes {} hidden (hidepid)",
            plural(count, "is", "are")
        ),
        Cause::Unborn => format!(
            "{} a pid namespace that is invisible before its first child",
            counted(count, "process holds", "processes hold")
        ),
        Cause::Zombie => format!(
            "{} left in {} pid and user namespaces only",
            counted(count, "zombie is", "zombies are"),
            plural(count, "its", "their")
        ),
        Cause::ZombieLeader => format!(
            "{} read through another thread",
            counted(
                count,
                "process with a zombie leader was",
                "processes with a zombie leader were"
            )
        ),
        Cause::Outside => format!(
            "parent or owner of {} outside the caller's user or pid namespace",
            counted(count, "namespace lies", "namespaces lie")
        ),
        cause => format!(
            "{} {}",
            subject(gap.source, count, total),
            problem(gap.source, cause)
        ),
    }
}

/// What could not be read.
fn subject(source: Source, count: usize, total: usize) -> String {
    let of_processes = counted(count, "process", "processes");
    let of_namespaces = counted(count, "namespace", "namespaces");
    match source {
        // It has sentences of its own.
        Source::Bpf => source.name().to_owned(),
        Source::Processes => format!("{count} of {total} processes"),
        Source::Threads => format!("threads of {of_processes}"),
        Source::Fds => format!("open files of {of_processes}"),
        Source::Sockets => format!("sockets of {of_processes}"),
        Source::Tuns => format!("tun files of {of_processes}"),
        Source::Mounts => format!(
            "mounts of {}",
            counted(count, "mount namespace", "mount namespaces")
        ),
        Source::MountNamespaces => "mount namespaces without processes".to_owned(),
        Source::Listns => "the kernel's list of namespaces".to_owned(),
        Source::Relations => format!("parent or owner of {of_namespaces}"),
        Source::Details => format!("details of {of_processes}"),
        Source::Cgroups => format!("cgroups of {of_processes}"),
        Source::Names => format!("names of {}", counted(count, "container", "containers")),
        Source::Contents => format!("contents of {of_namespaces}"),
    }
}

/// Why it could not be read.
fn problem(source: Source, cause: Cause) -> String {
    match cause {
        Cause::Malformed if source == Source::Processes => {
            "could not be parsed (broken links)".to_owned()
        }
        Cause::Malformed => "could not be parsed".to_owned(),
        cause => format!("could not be read ({})", why(cause)),
    }
}

/// Returns a cause in words.
pub(crate) fn why(cause: Cause) -> String {
    let why = match cause {
        Cause::Denied => "permission denied",
        Cause::Covered => "another mount covers it",
        Cause::Unreachable => "no path leads to it",
        Cause::NoSysctls => "/proc shows no sysctls",
        Cause::NoAnswer => "no answer from inside",
        Cause::FileServer => "only a file server could resolve the path",
        Cause::ForeignProc => "/proc belongs to another pid namespace",
        Cause::NoProcess => "no process is in it",
        Cause::OutsideRoot => "its process is outside its cgroup root",
        Cause::Truncated => "too long",
        Cause::Unstable => "it kept changing",
        Cause::Blocked => "it did not answer in time",
        Cause::Lockdown => "the kernel is locked down",
        Cause::NoBtf => "the kernel has no BTF",
        Cause::OldKernel => "needs Linux 6.9",
        Cause::NoSockDiag => "the kernel does not list such sockets",
        Cause::Vanished => "it has ended",
        Cause::Failed(errno) => return reason(&std::io::Error::from_raw_os_error(errno)),
        Cause::Hidden => "hidepid",
        // These have sentences of their own.
        Cause::Malformed
        | Cause::Unborn
        | Cause::ForeignPidNamespace
        | Cause::SocketClass
        | Cause::Zombie
        | Cause::ZombieLeader
        | Cause::Unsupported
        | Cause::Outside => cause.name(),
    };
    why.to_owned()
}

/// Describes some gaps in one line; `None` if there are none. `advice` is what
/// to do if more permission would help.
pub(crate) fn summarise(
    gaps: &[Gap],
    chosen: fn(&Gap) -> bool,
    advice: Option<&str>,
) -> Option<String> {
    let gaps: Vec<_> = gaps.iter().filter(|gap| chosen(gap)).collect();
    if gaps.is_empty() {
        return None;
    }
    let all: Vec<String> = gaps.iter().map(|gap| describe(gap)).collect();
    let line = all.join(", ");
    let would_help = gaps.iter().any(|gap| gap.cause.is_permission());
    Some(match advice {
        Some(advice) if would_help => format!("{line}; {advice}"),
        _ => line,
    })
}

pub(crate) fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", plural(count, one, many))
}

const fn plural<'a>(count: usize, one: &'a str, many: &'a str) -> &'a str {
    if count == 1 { one } else { many }
}

/// `a link`, `a and b links`, `a, b and c links`.
fn link_names(links: LinkSet) -> String {
    let mut names: Vec<_> = links.iter().map(|link| link.name()).collect();
    let last = names.pop().unwrap_or_default();
    if names.is_empty() {
        format!("{last} link")
    } else {
        format!("{} and {last} links", names.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Link;

    #[test]
    fn links_are_listed_as_in_a_sentence() {
        assert_eq!(link_names(LinkSet::of(Link::Net)), "net link");
        let three = LinkSet::from([Link::Net, Link::Time, Link::Cgroup]);
        assert_eq!(link_names(three), "net, cgroup and time links");
    }
}
