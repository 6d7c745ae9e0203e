use crate::model::{Kind, Link, NsId};
use crate::proc::ReadError;

/// Parses the text of a namespace link, `net:[4026531840]`.
///
/// Nothing else identifies a namespace as cheaply: d_ino and lstat do not, and
/// following the link makes the kernel instantiate an inode.
pub(crate) fn parse_link(link: Link, text: &[u8]) -> Result<u64, ReadError> {
    let id = parse_id(text).ok_or(ReadError::Malformed)?;
    if id.kind == link.kind() {
        Ok(id.ino)
    } else {
        Err(ReadError::Malformed)
    }
}

/// Parses `TYPE:[INODE]`.
pub(crate) fn parse_id(text: &[u8]) -> Option<NsId> {
    let text = std::str::from_utf8(text).ok()?;
    let (kind, rest) = text.split_once(":[")?;
    let kind: Kind = kind.parse().ok()?;
    let digits = rest.strip_suffix(']')?;
    // u64::from_str accepts a sign and leading zeros. No namespace has number 0.
    if digits.starts_with('0') || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let ino = digits.parse().ok()?;
    Some(NsId { ino, kind })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_link_for_children_leads_to_the_type_of_its_process() {
        assert_eq!(parse_link(Link::Net, b"net:[4026531840]"), Ok(4026531840));
        assert_eq!(parse_link(Link::PidForChildren, b"pid:[1]"), Ok(1));
    }

    #[test]
    fn other_texts_are_malformed() {
        for text in [
            "",
            "net",
            "net:",
            "net:[]",
            "net:[1",
            "net:1",
            "net:[-1]",
            "net:[+1]",
            "net:[1] ",
            "net:[0x1]",
            "net:[0]",
            "net:[07]",
            "uts:[1]",
            "nets:[1]",
            "net:[99999999999999999999999]",
            "/run/netns/a",
        ] {
            assert_eq!(
                parse_link(Link::Net, text.as_bytes()),
                Err(ReadError::Malformed),
                "{text}"
            );
        }
        assert_eq!(
            parse_link(Link::Net, b"net:[\xff]"),
            Err(ReadError::Malformed)
        );
    }

    proptest! {
        #[test]
        fn what_the_kernel_writes_is_read_back(ino in 1u64..) {
            let id = NsId { ino, kind: Kind::Cgroup };
            prop_assert_eq!(parse_id(id.to_string().as_bytes()), Some(id));
        }

        #[test]
        fn no_bytes_make_it_panic(text: Vec<u8>) {
            let _ = parse_id(&text);
        }
    }
}
