use std::collections::HashMap;

use crate::proc::Sysroot;

/// Names of users by uid; any bytes.
///
/// The live system is asked through its own user database (getpwuid(3), so
/// that LDAP and the like answer too), a captured tree through its
/// `etc/passwd`. Unknown uids are remembered as well: they are the dear ones.
pub(crate) enum Users {
    /// Ask the system, and remember the answer.
    System(HashMap<u32, Option<Vec<u8>>>),
    /// What `etc/passwd` says.
    Passwd(HashMap<u32, Vec<u8>>),
}

impl Users {
    /// The users below a root. A tree without a readable `etc/passwd` is a
    /// tree without user names.
    pub(crate) fn below(root: &Sysroot) -> Self {
        if root.is_live() {
            Users::System(HashMap::new())
        } else {
            Users::Passwd(parse_passwd(&root.passwd().unwrap_or_default()))
        }
    }

    /// The name of a user, if it has one.
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

/// The home directory of a user in passwd(5).
pub(crate) fn home_in(passwd: &[u8], uid: u32) -> Option<String> {
    let text = String::from_utf8_lossy(passwd);
    let uid = uid.to_string();
    let home = text.lines().find_map(|line| {
        let fields: Vec<_> = line.split(':').collect();
        (fields.get(2) == Some(&&*uid)).then_some(*fields.get(5)?)
    });
    home.filter(|home| home.starts_with('/')).map(str::to_owned)
}

/// Reads passwd(5): `name:password:uid:…`; of two lines for one uid the first
/// counts, as with getpwuid(3). A broken line is skipped, not the file.
fn parse_passwd(bytes: &[u8]) -> HashMap<u32, Vec<u8>> {
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
