//! The matches as JSON.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::analysis::{Found, Role};
use crate::cli::commands::find::Hit;
use crate::model::{
    Interface, InterfaceAddress, Kind, Local, Mac, Member, MountedFs, NetSocket, Pid, Process,
    Protocol, SocketState,
};
use crate::text::Text;

#[derive(Serialize)]
pub(super) struct Document<'a> {
    pub(super) matches: Vec<Entry<'a>>,
}

/// A match. What it is not about is null.
#[derive(Serialize)]
pub(super) struct Entry<'a> {
    thing: &'a str,
    is: &'static str,
    what: Text,
    r#type: &'static str,
    ns: u64,
    container: Option<String>,
    containers: Vec<String>,
    pid: Option<Pid>,
    user: Option<&'a Text>,
    uid: Option<u32>,
    command: Option<&'a Text>,
    namespaces: BTreeMap<&'static str, u64>,
    enter: Option<Text>,
    nprocs: Option<usize>,
    socket: Option<Socket<'a>>,
    address: Option<String>,
    interface: Option<Link<'a>>,
    mount: Option<Mount<'a>>,
}

impl<'a> Entry<'a> {
    pub(super) fn new(hit: &'a Hit<'a>) -> Self {
        let process = hit.one.process;
        let containers = hit.containers();
        let mut entry = Entry {
            thing: hit.word,
            is: hit.thing.name(),
            what: hit.what().into(),
            r#type: hit.one.namespace.id.kind.name(),
            ns: hit.one.namespace.id.ino,
            container: match &containers[..] {
                [only] => Some(only.clone()),
                _ => None,
            },
            containers,
            pid: process.map(|process| process.pid),
            user: process.and_then(Process::user),
            uid: process.and_then(Process::uid),
            command: process.and_then(Process::command),
            namespaces: namespaces(process),
            enter: hit.enter().map(Text::from),
            nprocs: None,
            socket: None,
            address: None,
            interface: None,
            mount: None,
        };
        match &hit.one.found {
            Found::Socket(socket) => entry.socket = Some(Socket::new(socket)),
            Found::Address(interface, address) => {
                entry.address = Some(address.to_string());
                entry.interface = Some(Link::new(interface, Role::Wanted));
            }
            Found::Interface(interface, role) => {
                entry.interface = Some(Link::new(interface, *role));
            }
            Found::Mount(mount) => entry.mount = Some(Mount::new(mount)),
            Found::Processes(count) => entry.nprocs = Some(*count),
            Found::Namespace => entry.nprocs = Some(hit.one.namespace.nprocs),
        }
        entry
    }
}

/// Returns the namespaces that a process is in, by type.
fn namespaces(process: Option<&Process>) -> BTreeMap<&'static str, u64> {
    let kinds = Kind::ALL.iter();
    let own = kinds.filter_map(|kind| process?.links.own(*kind));
    own.map(|id| (id.kind.name(), id.ino)).collect()
}

#[derive(Serialize)]
struct Socket<'a> {
    protocol: Protocol,
    address: Option<String>,
    port: Option<u16>,
    path: Option<&'a Text>,
    name: Option<&'a Text>,
    state: SocketState,
    inode: u64,
}

impl<'a> Socket<'a> {
    fn new(socket: &'a NetSocket) -> Self {
        let mut entry = Socket {
            protocol: socket.protocol,
            address: None,
            port: None,
            path: None,
            name: None,
            state: socket.state,
            inode: socket.ino,
        };
        match &socket.local {
            Local::Inet(local) => {
                entry.address = Some(local.ip().to_string());
                entry.port = Some(local.port());
            }
            Local::Path(path) => entry.path = Some(path),
            Local::Abstract(name) => entry.name = Some(name),
        }
        entry
    }
}

/// An interface.
#[derive(Serialize)]
struct Link<'a> {
    role: &'static str,
    name: &'a Text,
    index: Option<u32>,
    kind: Option<&'a Text>,
    mac: Option<&'a Mac>,
    up: Option<bool>,
    master: Option<u32>,
    link: Option<u32>,
    peer_ns: Option<u64>,
    addresses: Vec<String>,
}

impl<'a> Link<'a> {
    fn new(interface: &'a Interface, role: Role) -> Self {
        Link {
            role: role.name(),
            name: &interface.name,
            index: interface.index,
            kind: interface.kind.as_ref(),
            mac: interface.mac.as_ref(),
            up: interface.is_up,
            master: interface.master,
            link: interface.link,
            peer_ns: interface.peer_ns,
            addresses: interface
                .addresses
                .iter()
                .map(InterfaceAddress::to_string)
                .collect(),
        }
    }
}

#[derive(Serialize)]
struct Mount<'a> {
    device: String,
    dir: &'a Text,
    mount_point: &'a Text,
    fs_type: &'a Text,
    source: &'a Text,
}

impl<'a> Mount<'a> {
    fn new(mount: &'a MountedFs) -> Self {
        let (major, minor) = mount.device;
        Mount {
            device: format!("{major}:{minor}"),
            dir: &mount.dir,
            mount_point: &mount.mount_point,
            fs_type: &mount.fs_type,
            source: &mount.source,
        }
    }
}
