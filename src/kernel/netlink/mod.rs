//! Netlink, netlink(7): requests to the kernel, and the messages and attributes
//! of its replies.

mod addresses;
#[cfg(feature = "fuzzing")]
pub(super) mod fuzzing;
mod links;
mod message;
mod nsid;
mod socket;
mod sockets;

pub(super) use addresses::add_addresses;
pub(super) use links::{interfaces, parse_names};
pub(super) use nsid::get_nsid;
pub(super) use socket::Socket;
pub(super) use sockets::{Query, sockets};
