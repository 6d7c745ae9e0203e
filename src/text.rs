//! Untrusted text, made safe to show.
//!
//! A process chooses its own name and command line, so they may hold anything:
//! escape sequences for the terminal, newlines that fake a row, marks that
//! reverse the direction of writing. Whatever is unprintable is shown as the
//! `\xNN` of its bytes, like in lsns. A backslash that would look like
//! the start of such an escape becomes `\x5c`, so that none can be faked.

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// Text that another process or a file supplied: any bytes.
///
/// It is displayed with everything escaped that a terminal would not show as
/// itself, and serialised as a string with invalid UTF-8 replaced.
///
/// ```
/// use nsls::Text;
///
/// let text = Text::from("caf\u{e9}\u{1b}[31m");
/// assert_eq!(text.to_string(), r"café\x1b[31m");
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Text(Vec<u8>);

impl Text {
    /// Returns the bytes, as they were read.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the bytes, as they were read.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

impl Deref for Text {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for Text {
    fn from(bytes: Vec<u8>) -> Self {
        Text(bytes)
    }
}

impl From<&[u8]> for Text {
    fn from(bytes: &[u8]) -> Self {
        Text(bytes.to_vec())
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Text(text.as_bytes().to_vec())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Text(text.into_bytes())
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&for_table(&self.0))
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", for_table(&self.0))
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&String::from_utf8_lossy(&self.0))
    }
}

/// Parses a number in digits alone: parsing would accept a sign.
pub(crate) fn parse_digits<N: FromStr>(word: &str) -> Option<N> {
    let is_number = word.bytes().all(|byte| byte.is_ascii_digit());
    word.parse().ok().filter(|_| is_number)
}

/// Escapes text for a table: printable text stays, everything else is escaped.
pub(crate) fn for_table(bytes: &[u8]) -> String {
    let mut shown = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        let mut letters = chunk.valid().chars().peekable();
        while let Some(letter) = letters.next() {
            let fakes_escape = letter == '\\' && letters.peek() == Some(&'x');
            if is_printable(letter) && !fakes_escape {
                shown.push(letter);
            } else {
                let mut buffer = [0; 4];
                push_hex(&mut shown, letter.encode_utf8(&mut buffer).as_bytes());
            }
        }
        push_hex(&mut shown, chunk.invalid());
    }
    shown
}

/// Escapes text for raw output: ASCII except blanks and backslashes stays, so
/// that a cell is one word in every locale.
#[cfg(any(test, feature = "cli"))]
pub(crate) fn for_raw(bytes: &[u8]) -> String {
    let mut shown = String::with_capacity(bytes.len());
    for byte in bytes {
        if byte.is_ascii_graphic() && *byte != b'\\' {
            shown.push(char::from(*byte));
        } else {
            push_hex(&mut shown, &[*byte]);
        }
    }
    shown
}

/// Escapes the text of a JSON document, line breaks between its tokens
/// included: ASCII and printable text stays, everything else becomes `\uXXXX`.
#[cfg(any(test, feature = "cli"))]
pub(crate) fn for_json(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_ascii() && letter != '\u{7f}' || is_printable(letter) {
            shown.push(letter);
        } else {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                shown.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    shown
}

fn push_hex(shown: &mut String, bytes: &[u8]) {
    for byte in bytes {
        shown.push_str("\\x");
        for digit in [byte >> 4, byte & 15] {
            shown.extend(char::from_digit(digit.into(), 16));
        }
    }
}

/// Returns whether a character can stand in a table as it is: it takes up space
/// and has no other effect.
fn is_printable(letter: char) -> bool {
    // Control characters have no width; zero-width ones (joiners, marks,
    // directions, variation selectors, tags) hide or reorder their neighbours.
    unicode_width::UnicodeWidthChar::width(letter).is_some_and(|width| width > 0)
        // Unicode gives these a width although they show nothing or break a
        // line.
        && !matches!(letter, '\u{ad}' | '\u{2028}' | '\u{2029}' | '\u{3164}' | '\u{115f}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_escape_sequence_does_not_reach_the_terminal() {
        assert_eq!(
            for_table(b"a\x1b[31mb\x1b]0;t\x07"),
            r"a\x1b[31mb\x1b]0;t\x07"
        );
        assert_eq!(for_table("\u{9b}31m".as_bytes()), r"\xc2\x9b31m");
    }

    #[test]
    fn a_line_break_does_not_make_a_row() {
        assert_eq!(
            for_table(b"a\nb\rc\td\x0b\x0c"),
            r"a\x0ab\x0dc\x09d\x0b\x0c"
        );
        assert_eq!(
            for_table("\u{2028}\u{2029}\u{85}".as_bytes()),
            r"\xe2\x80\xa8\xe2\x80\xa9\xc2\x85"
        );
    }

    #[test]
    fn direction_marks_and_invisible_characters_are_seen() {
        for letter in "\u{202a}\u{202e}\u{2066}\u{2069}\u{200e}\u{200f}\u{61c}\u{200b}\u{200d}\u{feff}\u{ad}\u{e0041}\u{fe0f}\u{301}\u{3164}".chars() {
            let shown = for_table(letter.to_string().as_bytes());
            assert!(shown.starts_with("\\x"), "{letter:?} is shown as {shown:?}");
        }
    }

    #[test]
    fn json_shows_the_same_as_a_table_and_means_what_was_there() {
        assert_eq!(
            for_json("\"\u{9b}31m \u{202e}é漢\u{7f}\u{e0041}\",\n"),
            "\"\\u009b31m \\u202eé漢\\u007f\\udb40\\udc41\",\n"
        );
    }

    #[test]
    fn a_written_escape_is_told_from_a_real_one() {
        assert_eq!(for_table(br"\x41 \a \"), r"\x5cx41 \a \");
        assert_eq!(for_raw(br"\x41 \a"), r"\x5cx41\x20\x5ca");
    }

    #[test]
    fn bytes_that_are_no_text_are_shown_one_by_one() {
        assert_eq!(for_table(b"a\xff\xe2\x82b"), r"a\xff\xe2\x82b");
        assert_eq!(for_table("é世".as_bytes()), "é世");
        assert_eq!(for_raw("é\u{202e}".as_bytes()), r"\xc3\xa9\xe2\x80\xae");
    }

    fn unescape(shown: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut rest = shown;
        while !rest.is_empty() {
            if let Some(hex) = rest.strip_prefix("\\x") {
                bytes.push(u8::from_str_radix(&hex[..2], 16).unwrap());
                rest = &hex[2..];
            } else {
                bytes.push(rest.as_bytes()[0]);
                rest = std::str::from_utf8(&rest.as_bytes()[1..]).unwrap();
            }
        }
        bytes
    }

    proptest! {
        #[test]
        fn raw_text_is_one_word_and_loses_nothing(bytes: Vec<u8>) {
            let shown = for_raw(&bytes);
            prop_assert!(shown.bytes().all(|byte| byte.is_ascii_graphic()));
            prop_assert_eq!(unescape(&shown), bytes);
        }

        #[test]
        fn different_texts_look_different_in_a_table(one: Vec<u8>, other: Vec<u8>) {
            prop_assert_eq!(for_table(&one) == for_table(&other), one == other);
            prop_assert!(for_table(&one).chars().all(is_printable));
        }
    }
}
