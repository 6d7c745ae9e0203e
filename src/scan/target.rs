use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::PathBuf;

use rustix::io::Errno;

use crate::error::Error;
use crate::kernel::{self, OpenError};
use crate::model::{Holder, KindSet, NsId, Pid};
use crate::proc::{Found, Sysroot, parse_id};
use crate::text::parse_digits;

/// What to scan for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target {
    /// Every namespace.
    #[default]
    All,
    /// The namespaces that the links of one process or thread lead to.
    Process(Pid),
    /// One namespace, and the processes in it.
    Namespace(NsRef),
}

/// The name of a namespace.
///
/// A word is taken for a number, for `TYPE:[NUMBER]`, or else for a path.
///
/// ```
/// use nsls::NsRef;
///
/// assert_eq!(NsRef::from("4026532000"), NsRef::Ino(4026532000));
/// assert_eq!(NsRef::from("/run/netns/blue"), NsRef::Path("/run/netns/blue".into()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NsRef {
    /// Its inode number; all types share one pool of numbers.
    Ino(u64),
    /// Its number and type, `net:[4026532000]`.
    Id(NsId),
    /// A path that leads to it, `/run/netns/blue` or `/proc/1234/ns/net`.
    Path(PathBuf),
}

impl From<PathBuf> for NsRef {
    fn from(word: PathBuf) -> Self {
        let text = word.as_os_str().as_encoded_bytes();
        if let Some(id) = parse_id(text) {
            return NsRef::Id(id);
        }
        match word.to_str().and_then(parse_digits) {
            Some(ino) => NsRef::Ino(ino),
            None => NsRef::Path(word),
        }
    }
}

impl From<OsString> for NsRef {
    fn from(word: OsString) -> Self {
        PathBuf::from(word).into()
    }
}

impl From<&OsStr> for NsRef {
    fn from(word: &OsStr) -> Self {
        PathBuf::from(word).into()
    }
}

impl From<&str> for NsRef {
    fn from(word: &str) -> Self {
        PathBuf::from(word).into()
    }
}

impl From<NsId> for NsRef {
    fn from(id: NsId) -> Self {
        NsRef::Id(id)
    }
}

impl NsRef {
    /// Finds out the number, and the type if it is known.
    pub(crate) fn resolve(&self, root: &Sysroot) -> Result<Wanted, Error> {
        Ok(match self {
            NsRef::Ino(ino) => Wanted::Ino(*ino),
            NsRef::Id(id) => Wanted::Id(*id, None),
            NsRef::Path(path) => {
                let id = match root.namespace_at(path)? {
                    Found::Link(id) => id,
                    Found::File(file) => {
                        let identified = kernel::identify(&root.proc_path(), &file);
                        identified.map_err(|error| match error {
                            OpenError::Errno(errno) => Error::read(path, errno),
                            OpenError::ForeignProc => Error::read(path, Errno::REMOTE),
                            _ => Error::read(path, Errno::NOENT),
                        })?
                    }
                };
                let path = path.as_os_str().as_encoded_bytes().to_vec();
                Wanted::Id(id, Some(Holder::Path(path.into())))
            }
        })
    }
}

impl fmt::Display for NsRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NsRef::Ino(ino) => write!(f, "{ino}"),
            NsRef::Id(id) => write!(f, "{id}"),
            NsRef::Path(path) => write!(f, "{}", path.display()),
        }
    }
}

/// The namespace that is looked for, after paths were followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// A number of any type.
    Ino(u64),
    /// A number and a type, and what is known to lead to it.
    Id(NsId, Option<Holder>),
}

impl Wanted {
    /// Returns the types it may have.
    pub(crate) fn kinds(&self) -> KindSet {
        match self {
            Wanted::Ino(_) => KindSet::all(),
            Wanted::Id(id, _) => KindSet::of(id.kind),
        }
    }

    /// Returns whether a namespace is the one.
    pub(crate) fn is(&self, id: NsId) -> bool {
        match self {
            Wanted::Ino(ino) => id.ino == *ino,
            Wanted::Id(wanted, _) => id == *wanted,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Kind;

    #[test]
    fn a_word_is_a_number_or_a_typed_number_or_else_a_path() {
        assert_eq!(NsRef::from("7"), NsRef::Ino(7));
        assert_eq!(
            NsRef::from("net:[7]"),
            NsRef::Id(NsId {
                ino: 7,
                kind: Kind::Net
            })
        );
        for word in [
            "",
            "+7",
            "-7",
            "7 ",
            "net:[x]",
            "net:7",
            "99999999999999999999999",
            "blue",
        ] {
            assert_eq!(NsRef::from(word), NsRef::Path(word.into()), "{word:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_what_was_typed(word in "[^0].*") {
            prop_assert_eq!(NsRef::from(word.as_str()).to_string(), word);
        }
    }
}
