use std::collections::HashMap;
#[cfg(feature = "cli")]
use std::ffi::OsStr;
#[cfg(feature = "cli")]
use std::os::unix::ffi::OsStrExt;

use crate::proc::Sysroot;

/// Names of users by UID; any bytes.
///
/// The root of this process has the system's user database (getpwuid(3), which
/// includes LDAP and the like), any other root its `etc/passwd`. Unknown UIDs
/// are cached too, as their lookups are the slowest.
pub(crate) enum Users {
    /// Answers of the system's database so far.
    System(HashMap<u32, Option<Vec<u8>>>),
    /// The names in `etc/passwd`.
    Passwd(HashMap<u32, Vec<u8>>),
}

impl Users {
    /// Opens the user database of a root. Without a readable `etc/passwd` no
    /// user has a name.
    pub(crate) fn below(root: &Sysroot) -> Self {
        if root.is_own() {
            Users::System(HashMap::new())
        } else {
            Users::Passwd(parse_passwd(&root.passwd().unwrap_or_default()))
        }
    }

    /// Returns the name of a user; `None` for an unknown UID.
    pub(crate) fn name(&mut self, uid: u32) -> Option<Vec<u8>> {
        match self {
            Users::System(known) => known
                .entry(uid)
                .or_insert_with(|| {
                    let user = uzers::get_user_by_uid(uid)?;
                    Some(user.name().as_encoded_bytes().to_vec())
                })
                .clone(),
            Users::Passwd(names) => names.get(&uid).cloned(),
        }
    }
}

impl Users {
    /// Returns the UID of a user; `None` for an unknown name. Of two with this
    /// name, the lowest.
    #[cfg(feature = "cli")]
    pub(crate) fn uid(&self, name: &[u8]) -> Option<u32> {
        match self {
            Users::System(_) => {
                let user = uzers::get_user_by_name(OsStr::from_bytes(name))?;
                Some(user.uid())
            }
            Users::Passwd(names) => {
                let called = names.iter().filter(|(_, known)| *known == name);
                called.map(|(uid, _)| *uid).min()
            }
        }
    }
}

/// Finds the home directory of a user in passwd(5).
pub(crate) fn home_in(passwd: &[u8], uid: u32) -> Option<String> {
    let text = String::from_utf8_lossy(passwd);
    let uid = uid.to_string();
    let home = text.lines().find_map(|line| {
        let fields: Vec<_> = line.split(':').collect();
        (fields.get(2) == Some(&&*uid)).then_some(*fields.get(5)?)
    });
    home.filter(|home| home.starts_with('/')).map(str::to_owned)
}

/// Parses passwd(5): `name:password:uid:…`. Of two lines for one UID the first
/// counts, as with getpwuid(3). A broken line is skipped.
pub(super) fn parse_passwd(bytes: &[u8]) -> HashMap<u32, Vec<u8>> {
    let mut names = HashMap::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        let mut fields = line.split(|byte| *byte == b':');
        let (Some(name), Some(_), Some(uid)) = (fields.next(), fields.next(), fields.next()) else {
            continue;
        };
        let uid = std::str::from_utf8(uid)
            .ok()
            .and_then(|uid| uid.parse().ok());
        if let (Some(uid), false) = (uid, name.is_empty() || name.starts_with(b"#")) {
            names.entry(uid).or_insert_with(|| name.to_vec());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_first_of_two_names_counts_and_broken_lines_are_skipped() {
        let names = parse_passwd(
            b"root:x:0:0:root:/root:/bin/sh\ntoor:x:0:0\n\nnobody\n:x:1:1\n#old:x:2:2\nx:y:z:1\n\
              a\xff:x:3:3\nneg:x:-1:1\nbig:x:4294967296:1\nlast:x:4",
        );
        let mut names: Vec<_> = names.into_iter().collect();
        names.sort();
        let name = |uid, name: &[u8]| (uid, name.to_vec());
        assert_eq!(
            names,
            [name(0, b"root"), name(3, b"a\xff"), name(4, b"last")]
        );
    }

    #[test]
    fn a_home_is_the_sixth_field() {
        let passwd =
            b"root:x:0:0:root:/root:/bin/sh\nann:x:1000:1000::/home/ann:\nbob:x:1001:1::rel:";
        assert_eq!(home_in(passwd, 1000).as_deref(), Some("/home/ann"));
        assert_eq!(home_in(passwd, 1001), None);
        assert_eq!(home_in(passwd, 7), None);
        assert_eq!(home_in(b"ann:x:1000", 1000), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = (parse_passwd(&bytes), home_in(&bytes, 0));
        }
    }
}
