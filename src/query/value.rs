use std::borrow::Cow;

use crate::model::{
    Holder, IdMap, Interface, InterfaceAddress, NsId, Pid, Process, SysvIpc, TimeOffsets,
};
use crate::query::holder::first_holder;
use crate::text::Text;

/// The value of one cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// Unknown or absent.
    Null,
    /// A number.
    Number(u64),
    /// Text, possibly from another process: any bytes.
    Text(Cow<'a, [u8]>),
    /// The number of something without a name. A table shows it in place of the
    /// name; in JSON, where a name is a string, it is null.
    Unnamed(u64),
    /// No number: 0 in a table, like lsns, and null in JSON.
    NoNumber,
    /// Words; a table joins them by commas.
    List(Vec<Cow<'a, [u8]>>),
    /// Texts; a table shows one a line.
    Lines(Vec<Cow<'a, [u8]>>),
    /// Words; a table shows the first and how many more.
    Several(Vec<String>),
    /// The PIDs of a process, outermost first; a table shows the last.
    Pids(&'a [Pid]),
    /// The UID or GID map of a user namespace.
    IdMap(&'a [IdMap]),
    /// The interfaces of a net namespace.
    Interfaces(&'a [Interface]),
    /// The addresses of those.
    Addresses(Vec<InterfaceAddress>),
    /// The clock offsets of a time namespace.
    TimeOffsets(TimeOffsets),
    /// The System V objects of an ipc namespace.
    SysvIpc(SysvIpc),
    /// Holders, and the process of the first one; a table shows that one and
    /// how many more.
    Holders(&'a [Holder], Option<&'a Process>),
}

impl<'a> Value<'a> {
    /// Returns the number of a namespace, or 0 in a table if there is none.
    pub(super) fn number_or_zero(id: Option<NsId>) -> Self {
        id.map_or(Value::NoNumber, |id| Value::Number(id.ino))
    }

    /// Returns the name of the user of a process, or else the UID.
    pub(crate) fn user_of(process: Option<&'a Process>) -> Self {
        match process.and_then(Process::user) {
            Some(user) => user.as_bytes().into(),
            None => process.and_then(Process::uid).into(),
        }
    }

    /// Returns the command of a process.
    pub(crate) fn command_of(process: Option<&'a Process>) -> Self {
        let command = process.and_then(Process::command);
        command.map(Text::as_bytes).into()
    }

    /// Returns the cell as a table shows it before escaping. Null is empty.
    pub fn bytes(&self) -> Cow<'_, [u8]> {
        let text = match self {
            Value::Null => String::new(),
            Value::NoNumber => "0".to_owned(),
            Value::Number(number) | Value::Unnamed(number) => number.to_string(),
            Value::Text(text) => return Cow::Borrowed(text),
            Value::List(texts) | Value::Lines(texts) => return texts.join(&b","[..]).into(),
            Value::Several(words) => match &words[..] {
                [] => String::new(),
                [word] => return Cow::Borrowed(word.as_bytes()),
                [first, others @ ..] => format!("{first} +{}", others.len()),
            },
            Value::Pids(pids) => pids.last().map(Pid::to_string).unwrap_or_default(),
            Value::IdMap(map) => {
                let lines: Vec<_> = map.iter().map(IdMap::to_string).collect();
                lines.join(",")
            }
            Value::Interfaces(interfaces) => {
                let shown: Vec<_> = interfaces
                    .iter()
                    .map(|one| shown(one, interfaces))
                    .collect();
                return shown.join(&b","[..]).into();
            }
            Value::Addresses(addresses) => {
                let texts: Vec<_> = addresses.iter().map(InterfaceAddress::to_string).collect();
                texts.join(",")
            }
            Value::TimeOffsets(offsets) => offsets.to_string(),
            Value::SysvIpc(SysvIpc {
                queues,
                segments,
                semaphores,
            }) => {
                format!("queues={queues},segments={segments},semaphores={semaphores}")
            }
            Value::Holders(holders, process) => return first_holder(holders, *process).into(),
        };
        text.into_bytes().into()
    }
}

/// `eth0@veth1(4026532000) master br0`: the interface that it is linked to and
/// the net namespace of that, as far as they are known, and what it is a port
/// of.
fn shown(one: &Interface, all: &[Interface]) -> Vec<u8> {
    let mut text = one.name.to_vec();
    if let Some(link) = one.link {
        text.push(b'@');
        match &one.peer {
            Some(peer) => text.extend(&peer[..]),
            // So does ip(8).
            None => text.extend(format!("if{link}").as_bytes()),
        }
        if let Some(ns) = one.peer_ns {
            text.extend(format!("({ns})").as_bytes());
        }
    }
    if let Some(master) = one.master {
        text.extend(b" master ");
        match master_of(one, all) {
            Some(name) => text.extend(&name[..]),
            None => text.extend(format!("if{master}").as_bytes()),
        }
    }
    text
}

/// Returns the name of the interface that another is a port of.
pub(crate) fn master_of<'a>(one: &Interface, all: &'a [Interface]) -> Option<&'a Text> {
    let is_it = |other: &&Interface| other.index == one.master;
    one.master?;
    all.iter().find(is_it).map(|master| &master.name)
}

impl From<u64> for Value<'_> {
    fn from(number: u64) -> Self {
        Value::Number(number)
    }
}

impl From<u32> for Value<'_> {
    fn from(number: u32) -> Self {
        Value::Number(number.into())
    }
}

impl<'a> From<Cow<'a, [u8]>> for Value<'a> {
    fn from(text: Cow<'a, [u8]>) -> Self {
        Value::Text(text)
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(text: &'a [u8]) -> Self {
        Value::Text(text.into())
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Value::Text(text.as_bytes().into())
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Value::Text(text.into_bytes().into())
    }
}

/// `None` is null.
impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, T::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_is_shown_with_what_it_is_linked_to_and_its_bridge_as_far_as_they_are_known() {
        let interface = |name: &str, index, link, master| Interface {
            name: name.into(),
            index: Some(index),
            link,
            master,
            ..Interface::default()
        };
        let mut all = [
            interface("br0", 2, None, None),
            interface("a", 3, Some(7), Some(2)),
            interface("b", 4, Some(7), Some(9)),
            interface("c", 5, Some(8), None),
            Interface {
                name: "lo".into(),
                ..Interface::default()
            },
        ];
        all[1].peer = Some("eth0".into());
        all[1].peer_ns = Some(1000);
        all[3].peer_ns = Some(1000);
        let shown = Value::Interfaces(&all).bytes().into_owned();
        let expected = "br0,a@eth0(1000) master br0,b@if7 master if9,c@if8(1000),lo";
        assert_eq!(String::from_utf8(shown).unwrap(), expected);
    }
}
