//! What was found, for people.

use std::fmt::Write;

use crate::analysis::{Found, Thing};
use crate::cli::commands::find::Hit;
use crate::model::{Interface, MountedFs};

impl Hit<'_> {
    /// Returns the thing as it was found, with its state: any bytes.
    pub(super) fn what(&self) -> Vec<u8> {
        match &self.one.found {
            Found::Socket(socket) => {
                let state = socket.state.name();
                [&*socket.to_bytes(), b" ", state.as_bytes()].concat()
            }
            Found::Address(interface, address) => {
                let address = format!("{address} on ");
                [address.as_bytes(), &interface.name].concat()
            }
            Found::Interface(interface, role) => {
                let role = format!("{} ", role.name());
                let state = state(interface);
                [role.as_bytes(), &interface.name, state.as_bytes()].concat()
            }
            Found::Mount(mount) => mounted(mount),
            Found::Processes(count) => {
                let name = match self.thing {
                    Thing::User(_) => "user",
                    thing => thing.name(),
                };
                let mut text = format!("{name} {}", self.own_word());
                if *count > 1 {
                    let _ = write!(text, " ({count} processes)");
                }
                text.into_bytes()
            }
            Found::Namespace => match self.thing {
                Thing::UniqueId(id) => format!("namespace with ID {id}").into_bytes(),
                _ => format!("namespace {}", self.own_word()).into_bytes(),
            },
        }
    }

    /// Returns the word without the prefix that said what it is.
    fn own_word(&self) -> &str {
        match self.thing {
            Thing::Process(_)
            | Thing::Command(_)
            | Thing::User(_)
            | Thing::Container(_)
            | Thing::Pod(_)
            | Thing::Unit(_)
            | Thing::Number(_)
            | Thing::NetnsName(_) => {
                let text = self.word.split_once(':');
                text.filter(|(prefix, _)| is_prefix(prefix, self.thing))
                    .map_or(self.word, |(_, word)| word)
            }
            _ => self.word,
        }
    }
}

/// Returns whether a word before a colon is the prefix of a thing rather than, as in
/// `docker:web`, a part of its name.
fn is_prefix(prefix: &str, thing: &Thing) -> bool {
    thing
        .to_string()
        .split_once(':')
        .is_some_and(|(own, _)| own == prefix)
}

/// Returns the kind and the state of an interface: ` (veth, up)`.
fn state(interface: &Interface) -> String {
    let kind = interface.kind.as_ref().map(ToString::to_string);
    let state = interface
        .is_up
        .map(|is_up| if is_up { "up" } else { "down" });
    let words: Vec<_> = kind.iter().map(String::as_str).chain(state).collect();
    match &words[..] {
        [] => String::new(),
        words => format!(" ({})", words.join(", ")),
    }
}

/// `/dev/sda1[/home] on /mnt (ext4)`, as findmnt(8) shows it.
fn mounted(mount: &MountedFs) -> Vec<u8> {
    let mut text = mount.source.to_vec();
    if *mount.dir != *b"/" {
        text.extend([b"[", &*mount.dir, b"]"].concat());
    }
    let fs_type = [b" (", &*mount.fs_type, b")"].concat();
    [&*text, b" on ", &mount.mount_point, &fs_type].concat()
}
