//! Namespaces by their own names and numbers.

use crate::analysis::find::{Found, Match, Thing};
use crate::model::{Holder, Namespace, Snapshot};

/// Finds namespaces.
pub(super) fn namespaces<'a>(snapshot: &'a Snapshot, thing: &Thing) -> Vec<Match<'a>> {
    let is_wanted = |namespace: &Namespace| match thing {
        Thing::Number(ino) => namespace.id.ino == *ino,
        Thing::Namespace(id) => namespace.id == *id,
        Thing::UniqueId(id) => namespace.relations.unique_id == Some(*id),
        Thing::NetnsName(name) => {
            let path = [NETNS, name.as_bytes()].concat();
            let mounts = namespace.mounts.iter();
            let is_via = matches!(&namespace.via, Holder::Path(via) if **via == *path);
            is_via || mounts.into_iter().any(|mount| **mount == *path)
        }
        _ => false,
    };
    let wanted = snapshot.namespaces.iter();
    let wanted = wanted.filter(|namespace| is_wanted(namespace));
    wanted
        .map(|namespace| Match::within(snapshot, namespace, Found::Namespace))
        .collect()
}

/// Where ip-netns(8) mounts net namespaces.
pub(crate) const NETNS: &[u8] = b"/run/netns/";
