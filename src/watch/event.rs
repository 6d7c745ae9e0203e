//! What a watch tells.

use crate::kernel::Comm;
use crate::model::{NsId, Pid, Tid};
use crate::text::Text;

/// What happened to a namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Happening {
    /// It came to be.
    Appeared,
    /// A task entered one that was there.
    Entered,
    /// The last process left it, and something else keeps it.
    Emptied,
    /// It is no more.
    Ended,
}

impl Happening {
    pub(crate) const ALL: [Happening; 4] = [
        Happening::Appeared,
        Happening::Entered,
        Happening::Emptied,
        Happening::Ended,
    ];

    /// Returns the word for it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Happening::Appeared => "appeared",
            Happening::Entered => "entered",
            Happening::Emptied => "emptied",
            Happening::Ended => "ended",
        }
    }

    /// Returns the sign for it.
    pub(crate) const fn sign(self) -> char {
        match self {
            Happening::Appeared => '+',
            Happening::Entered => '>',
            Happening::Emptied => '.',
            Happening::Ended => '-',
        }
    }
}

/// How something became known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Means {
    /// A task was made in the namespace: clone(2).
    Fork,
    /// A task changed its namespaces: unshare(2).
    Unshare,
    /// A task changed its namespaces to one that was there: setns(2).
    Setns,
    /// A task ended or left.
    Leave,
    /// A look at this namespace.
    Look,
    /// A scan of the system.
    Scan,
}

impl Means {
    /// Returns the word for it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Means::Fork => "fork",
            Means::Unshare => "unshare",
            Means::Setns => "setns",
            Means::Leave => "leave",
            Means::Look => "look",
            Means::Scan => "scan",
        }
    }
}

/// The task that something is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Who {
    pub(crate) pid: Pid,
    pub(crate) tid: Tid,
    /// Its name at that time, if that is known.
    pub(crate) comm: Option<Comm>,
    /// The command line that belongs to that name, or else the name.
    pub(crate) command: Option<Text>,
}

/// One thing that happened to a namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    /// When, on the clock of the records, in nanoseconds. For what a look or a
    /// scan found, when that was.
    pub(crate) time: u64,
    pub(crate) what: Happening,
    pub(crate) id: NsId,
    /// The number that is never reused, if it was read in time.
    pub(crate) unique_id: Option<u64>,
    pub(crate) means: Means,
    /// Who did it; for a namespace that a scan found, a process in it.
    pub(crate) who: Option<Who>,
    /// How long it lived, in nanoseconds, if its beginning was seen.
    pub(crate) lived: Option<u64>,
    /// Whether it was seen, not concluded from what else was.
    pub(crate) is_certain: bool,
}

/// What a watch has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    Event(Event),
    /// Records were lost; a scan has found out since what they were about, as far
    /// as it still exists.
    Lost {
        time: u64,
        records: u64,
    },
}
