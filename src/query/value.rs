use std::borrow::Cow;

use serde::ser::{Serialize, SerializeSeq, Serializer};

use crate::model::{Holder, Process};
use crate::query::holder::{HolderJson, first_holder};

/// What stands in one cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// Not known, or not there.
    Null,
    /// A number.
    Number(u64),
    /// Text, perhaps from another process: any bytes.
    Text(Cow<'a, [u8]>),
    /// The number of something that has no name: shown where a name would
    /// stand, and null in JSON, where a name is a string.
    Unnamed(u64),
    /// No number: 0 in tables, as lsns has it, and null in JSON.
    NoNumber,
    /// Several words, in a table with commas between.
    List(Vec<Cow<'a, [u8]>>),
    /// Several texts, in a table one a line.
    Lines(Vec<Cow<'a, [u8]>>),
    /// Several words, in a table the first and how many more.
    Several(Vec<String>),
    /// Something with parts: how it stands in a table, and in JSON.
    Structured(Vec<u8>, serde_json::Value),
    /// Holders, and the process of the first one: that one and the number of
    /// the others in a table.
    Holders(&'a [Holder], Option<&'a Process>),
}

impl<'a> Value<'a> {
    /// Text that is there, or null.
    pub fn text(text: Option<&'a str>) -> Self {
        text.map_or(Value::Null, |text| Value::Text(text.as_bytes().into()))
    }

    /// A number that is there, or null.
    pub fn number(number: Option<impl Into<u64>>) -> Self {
        number.map_or(Value::Null, |number| Value::Number(number.into()))
    }

    /// The bytes of the cell; a list is joined by commas, null is empty.
    pub fn bytes(&self) -> Cow<'_, [u8]> {
        match self {
            Value::Null => Cow::Borrowed(b""),
            Value::NoNumber => Cow::Borrowed(b"0"),
            Value::Number(number) | Value::Unnamed(number) => {
                number.to_string().into_bytes().into()
            }
            Value::Text(text) => Cow::Borrowed(text),
            Value::Holders(holders, process) => first_holder(holders, *process).into(),
            Value::Structured(text, _) => Cow::Borrowed(text),
            Value::Several(words) => match &words[..] {
                [] => Cow::Borrowed(b""),
                [word] => Cow::Borrowed(word.as_bytes()),
                [first, others @ ..] => format!("{first} +{}", others.len()).into_bytes().into(),
            },
            Value::List(texts) | Value::Lines(texts) => texts.join(&b","[..]).into(),
        }
    }
}

/// As JSON: bytes that are no UTF-8 become U+FFFD, for JSON has no other
/// strings.
impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null | Value::Unnamed(_) | Value::NoNumber => serializer.serialize_none(),
            Value::Number(number) => serializer.serialize_u64(*number),
            Value::Text(text) => serializer.serialize_str(&String::from_utf8_lossy(text)),
            Value::Holders(holders, _) => serializer.collect_seq(holders.iter().map(HolderJson)),
            Value::Structured(_, json) => json.serialize(serializer),
            Value::Several(words) => serializer.collect_seq(words),
            Value::List(texts) | Value::Lines(texts) => {
                let mut list = serializer.serialize_seq(Some(texts.len()))?;
                for text in texts {
                    list.serialize_element(&String::from_utf8_lossy(text))?;
                }
                list.end()
            }
        }
    }
}
