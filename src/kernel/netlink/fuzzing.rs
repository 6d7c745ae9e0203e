//! What the fuzz target needs of netlink.

use crate::kernel::netlink::message::Messages;
use crate::kernel::netlink::{Query, addresses, links, nsid};

/// Reads a datagram, and each of its messages as every answer it may be.
pub(crate) fn netlink(bytes: &[u8]) {
    for message in Messages(bytes).flatten() {
        for kind in [libc::RTM_NEWLINK, libc::RTM_NEWNSID] {
            let _ = message.expect(kind);
        }
        body(message.body);
    }
    body(bytes);
    let _ = links::parse_names(bytes);
}

/// Reads the body of a message as every answer it may be.
fn body(bytes: &[u8]) {
    let _ = links::parse(bytes);
    let _ = nsid::parse(bytes);
    let _ = addresses::parse(bytes);
    for query in Query::ALL {
        let _ = query.parse(bytes);
    }
}
