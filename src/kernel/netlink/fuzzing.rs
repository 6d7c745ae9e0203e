//! What the fuzz target needs of netlink.

use crate::kernel::netlink::links;
use crate::kernel::netlink::message::Messages;
use crate::kernel::netlink::nsid;

/// Reads a datagram, and each of its messages as every answer it may be.
pub(crate) fn netlink(bytes: &[u8]) {
    for message in Messages(bytes).flatten() {
        for kind in [libc::RTM_NEWLINK, libc::RTM_NEWNSID] {
            let _ = message.expect(kind);
        }
        let _ = links::parse(message.body);
        let _ = nsid::parse(message.body);
    }
    let _ = links::parse(bytes);
    let _ = nsid::parse(bytes);
    let _ = links::parse_names(bytes);
}
