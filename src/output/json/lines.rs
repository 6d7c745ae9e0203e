//! JSON lines: rows of any number, each readable by itself.

use std::fmt;
use std::io::{self, Write};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::model::Gap;
use crate::output::json::{Gaps, Harmless};

/// Writes a document as one object a line: each element of the array that is its
/// last key, and then all other keys. Whoever has the last line, which alone has
/// `version`, has lost none.
pub(super) fn write(document: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    let text = serde_json::to_string(document)?;
    let Entries(mut entries) = serde_json::from_str(&text)?;
    let rows: Option<Vec<&RawValue>> = entries
        .last()
        .and_then(|(_, value)| serde_json::from_str(value.get()).ok());
    if rows.is_some() {
        entries.pop();
    }
    for row in rows.into_iter().flatten() {
        write_line(&row, out)?;
    }
    write_line(&Entries(entries), out)
}

/// Writes one object on one line.
pub(crate) fn write_line(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(Harmless(&mut *out), value)?;
    writeln!(out)
}

/// Returns gaps as they stand in a document.
pub(crate) fn gaps(gaps: &[Gap]) -> impl Serialize {
    Gaps(gaps)
}

/// The keys and values of an object, in order.
struct Entries<'a>(Vec<(String, &'a RawValue)>);

impl Serialize for Entries<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys;
        impl<'de> Visitor<'de> for Keys {
            type Value = Entries<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<'de>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Keys)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lines(document: &serde_json::Value) -> String {
        let mut written = Vec::new();
        write(document, &mut written).unwrap();
        String::from_utf8(written).unwrap()
    }

    #[test]
    fn each_row_is_a_line_and_the_rest_is_the_last() {
        // These keys are sorted.
        let document =
            json!({ "gaps": [1], "namespace": { "ns": 1 }, "rows": [{ "b": "x\ny", "a": [] }, 2] });
        let expected = "{\"a\":[],\"b\":\"x\\ny\"}\n2\n{\"gaps\":[1],\"namespace\":{\"ns\":1}}\n";
        assert_eq!(lines(&document), expected);
        let none = json!({ "gaps": [1], "rows": [] });
        assert_eq!(lines(&none), "{\"gaps\":[1]}\n");
        // Rows are an array.
        let other = json!({ "rows": 3 });
        assert_eq!(lines(&other), "{\"rows\":3}\n");
    }

    #[test]
    fn a_line_does_nothing_to_a_terminal() {
        let document = json!({ "rows": ["\u{9b}31m\u{202e}"] });
        assert_eq!(lines(&document), "\"\\u009b31m\\u202e\"\n{}\n");
    }
}
