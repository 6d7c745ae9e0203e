//! What a thread asks in the net namespace that it has entered.

use rustix::io::Errno;

use crate::kernel::OpenError;
use crate::kernel::netlink::{self, Query, Socket};
use crate::model::{Interface, NetSocket};

/// What to ask in a net namespace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct NetQuestions {
    /// Its interfaces, and otherwise their names alone.
    pub(crate) interfaces: bool,
    /// Its interfaces with their addresses.
    pub(crate) addresses: bool,
    /// Sockets that listen or are bound.
    pub(crate) sockets: bool,
}

/// What a net namespace answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Network {
    /// Its interfaces, by index.
    pub(crate) interfaces: Option<Vec<Interface>>,
    /// Its sockets, in order; those that could be listed.
    pub(crate) sockets: Option<Vec<NetSocket>>,
    /// Why something is missing.
    pub(crate) missed: Vec<OpenError>,
}

impl Network {
    /// Notes why something is missing, each error once.
    pub(super) fn miss(&mut self, error: impl Into<OpenError>) {
        let error = error.into();
        if !self.missed.contains(&error) {
            self.missed.push(error);
        }
    }

    /// Returns that of a namespace that may not be entered.
    pub(super) fn closed(error: impl Into<OpenError>) -> Self {
        let mut network = Network::default();
        network.miss(error);
        network
    }
}

/// Asks the net namespace of the calling thread.
pub(super) fn ask(questions: NetQuestions) -> Network {
    let mut network = Network::default();
    if questions.interfaces || questions.addresses {
        match interfaces(questions.addresses) {
            Ok(interfaces) => network.interfaces = Some(interfaces),
            Err(errno) => network.miss(errno),
        }
    }
    if questions.sockets {
        add_sockets(&mut network);
    }
    network
}

fn interfaces(with_addresses: bool) -> Result<Vec<Interface>, Errno> {
    let mut socket = Socket::route()?;
    let mut interfaces = netlink::interfaces(&mut socket)?;
    if with_addresses {
        netlink::add_addresses(&mut socket, &mut interfaces)?;
    }
    Ok(interfaces)
}

/// Adds the sockets of every protocol that the kernel lists.
fn add_sockets(network: &mut Network) {
    let mut open = None;
    for query in Query::ALL {
        match dump(&mut open, query) {
            Ok(sockets) => network.sockets.get_or_insert_default().extend(sockets),
            Err(errno) => {
                // A dump may still be under way there.
                open = None;
                network.miss(error_of(errno));
            }
        }
    }
    if let Some(sockets) = &mut network.sockets {
        sockets.sort_unstable();
        sockets.dedup();
    }
}

fn dump(open: &mut Option<Socket>, query: Query) -> Result<Vec<NetSocket>, Errno> {
    let socket = match open {
        Some(socket) => socket,
        none => none.insert(Socket::diag()?),
    };
    netlink::sockets(socket, query)
}

/// Returns what an error of sock_diag(7) means: a kernel without it, or without
/// the module of a protocol, has several.
fn error_of(errno: Errno) -> OpenError {
    match errno {
        Errno::NOENT | Errno::OPNOTSUPP | Errno::INVAL | Errno::PROTONOSUPPORT => {
            OpenError::NoSockDiag
        }
        errno => OpenError::Errno(errno),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_protocol_that_the_kernel_does_not_list_is_no_empty_list() {
        for errno in [
            Errno::NOENT,
            Errno::OPNOTSUPP,
            Errno::INVAL,
            Errno::PROTONOSUPPORT,
        ] {
            assert_eq!(error_of(errno), OpenError::NoSockDiag);
        }
        for errno in [Errno::PERM, Errno::PROTO, Errno::INTR, Errno::FBIG] {
            assert_eq!(error_of(errno), OpenError::Errno(errno));
        }
    }

    #[test]
    fn nothing_is_asked_that_is_not_wanted() {
        assert_eq!(ask(NetQuestions::default()), Network::default());
        let sockets = NetQuestions {
            sockets: true,
            ..NetQuestions::default()
        };
        let network = ask(sockets);
        assert_eq!(network.interfaces, None);
        assert!(network.sockets.is_some() && network.missed.is_empty());
    }
}
