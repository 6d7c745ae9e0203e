use crate::model::{Member, Set};

/// Something about a process that costs a system call or more, and is
/// collected only where it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Its parent.
    Parent,
    /// Its command line, or else its name.
    Command,
    /// Its effective user id.
    Uid,
    /// The name of that user.
    User,
}

impl Member for Need {
    const ALL: &'static [Need] = &[Need::Parent, Need::Command, Need::Uid, Need::User];

    fn index(self) -> usize {
        self as usize
    }
}

/// What a scan has to collect.
pub type Needs = Set<Need>;
