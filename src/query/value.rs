use std::borrow::Cow;

use crate::model::{Holder, IdMap, Interface, NsId, Pid, Process, SysvIpc, TimeOffsets};
use crate::query::holder::first_holder;

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
            Value::Interfaces(interfaces) => return interface_names(interfaces).into(),
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

/// `lo,eth0@4026532000`: behind a veth, the net namespace of its peer.
fn interface_names(interfaces: &[Interface]) -> Vec<u8> {
    let names: Vec<Vec<u8>> = interfaces
        .iter()
        .map(|one| match one.peer_ns {
            Some(ns) => [&one.name[..], format!("@{ns}").as_bytes()].concat(),
            None => one.name.to_vec(),
        })
        .collect();
    names.join(&b","[..])
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
