//! The name of a namespace, which stands before each line of output.

use crate::model::{Affiliation, Namespace};

/// Returns the name of a namespace: that of its mount in `/run/netns`, that of
/// the one container whose processes are in it, or else type and number. A name
/// that an engine made up is only better than a number.
pub(super) fn name_of(namespace: &Namespace) -> String {
    let mounted = namespace.mounts.iter().filter_map(|path| {
        let name = path.strip_prefix(b"/run/netns/")?;
        plain(std::str::from_utf8(name).ok()?)
    });
    let (made_up, given): (Vec<_>, Vec<_>) = mounted.partition(|name| is_made_up(name));
    let affiliations = namespace.facts.as_deref();
    let affiliations = affiliations.map_or(&[][..], |facts| &facts.affiliations);
    let mut containers = affiliations.iter().map(|one| container_of(one));
    let first = containers.next().flatten();
    let contained = first.filter(|first| containers.all(|other| other.as_ref() == Some(first)));
    let best = given.into_iter().next().or(contained);
    best.or_else(|| made_up.into_iter().next())
        .unwrap_or_else(|| namespace.id.to_string())
}

/// Returns whether podman or a CNI runtime made up the name of a net namespace:
/// `netns-` or `cni-`, and a UUID.
fn is_made_up(name: &str) -> bool {
    let uuid = ["netns-", "cni-"]
        .iter()
        .find_map(|one| name.strip_prefix(one));
    uuid.is_some_and(|uuid| {
        let places = uuid.bytes().enumerate();
        let is_uuid = |(place, byte): (usize, u8)| match place {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        };
        uuid.len() == 36 && places.into_iter().all(is_uuid)
    })
}

fn container_of(affiliation: &Affiliation) -> Option<String> {
    plain(affiliation.container.as_ref()?.label())
}

/// Returns a name if it means nothing else in a shell, to which `{}` may pass it:
/// anyone can name a container of theirs.
pub(super) fn plain(name: &str) -> Option<String> {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "_.:@+,=-".contains(letter);
    let is_word = !name.is_empty() && !name.starts_with('-') && name.chars().all(is_plain);
    is_word.then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::{Container, Holder, Kind, Link, NsId};

    #[test]
    fn a_name_that_a_shell_might_take_for_more_is_none() {
        for name in ["web", "k8s_db.1", "cni-1f3a", "a:b"] {
            assert_eq!(plain(name).as_deref(), Some(name));
        }
        for name in [
            "", "-n", "a b", "$(x)", "a;b", "a/b", "é", "a\n", "`x`", "*",
        ] {
            assert_eq!(plain(name), None, "{name:?}");
        }
    }

    #[test]
    fn a_namespace_is_named_by_its_mount_before_its_number() {
        let id = NsId {
            ino: 5,
            kind: Kind::Net,
        };
        let mut namespace = Namespace::new(id, Holder::of_link(1, Link::Net));
        assert_eq!(name_of(&namespace), "net:[5]");
        namespace.mounts = vec!["/tmp/x".into(), "/run/netns/a b".into()];
        assert_eq!(name_of(&namespace), "net:[5]");
        namespace.mounts.push("/run/netns/blue".into());
        assert_eq!(name_of(&namespace), "blue");
    }

    #[test]
    fn a_name_that_an_engine_made_up_is_the_last_but_the_number() {
        let id = NsId {
            ino: 5,
            kind: Kind::Net,
        };
        let mut namespace = Namespace::new(id, Holder::of_link(1, Link::Net));
        let made_up = "netns-ced4b159-1c93-0519-4048-18803b80bea8";
        namespace.mounts = vec![format!("/run/netns/{made_up}").into()];
        assert_eq!(name_of(&namespace), made_up);
        let container = Container {
            engine: None,
            id: "5f82729299".to_owned(),
            name: Some("web".to_owned()),
            uid: None,
        };
        namespace.facts_mut().affiliations = vec![Arc::new(Affiliation {
            container: Some(container),
            ..Affiliation::default()
        })];
        assert_eq!(name_of(&namespace), "web");
        namespace.mounts.push("/run/netns/blue".into());
        assert_eq!(name_of(&namespace), "blue");
        assert!(is_made_up("cni-ced4b159-1c93-0519-4048-18803b80bea8"));
        for name in [
            "",
            "cni-1f3a",
            "netns-blue",
            "ced4b159-1c93-0519-4048-18803b80bea8",
            "netns-ced4b159-1c93-0519-4048-18803b80beag",
            "netns-ced4b1591c93-0519-4048-18803b80bea8-",
        ] {
            assert!(!is_made_up(name), "{name}");
        }
    }
}
