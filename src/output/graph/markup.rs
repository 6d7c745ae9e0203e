//! Text in HTML and SVG.

use std::fmt::{self, Display, Write};

use unicode_width::UnicodeWidthChar;

/// Text that is escaped for an element or a quoted attribute of HTML or SVG. What is
/// [`Text`](crate::text::Text) has no control characters when it is displayed.
pub(super) struct Xml<'a>(pub(super) &'a dyn Display);

impl Display for Xml<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escape(f), "{}", self.0)
    }
}

struct Escape<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl Write for Escape<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for letter in text.chars() {
            match letter {
                '&' => self.0.write_str("&amp;")?,
                '<' => self.0.write_str("&lt;")?,
                '>' => self.0.write_str("&gt;")?,
                '"' => self.0.write_str("&quot;")?,
                '\'' => self.0.write_str("&#39;")?,
                // No XML document may contain these.
                '\0'..='\x1f' | '\u{fffe}' | '\u{ffff}' => self.0.write_char('\u{fffd}')?,
                _ => self.0.write_char(letter)?,
            }
        }
        Ok(())
    }
}

/// Returns what a text looks like in so many columns of a fixed font, with an ellipsis
/// if it is longer.
pub(super) fn cut(text: &dyn Display, columns: usize) -> String {
    let text = text.to_string();
    let mut width = 0;
    let mut end = 0;
    for (place, letter) in text.char_indices() {
        width += letter.width().unwrap_or(0);
        if width > columns {
            return format!("{}…", text.get(..end).unwrap_or_default());
        }
        if width < columns {
            end = place + letter.len_utf8();
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Text;

    #[test]
    fn a_name_cannot_leave_its_element_or_attribute() {
        let name = Text::from("</text><script>\"'&\u{0}\u{ffff}\u{1b}");
        assert_eq!(
            Xml(&name).to_string(),
            "&lt;/text&gt;&lt;script&gt;&quot;&#39;&amp;\\x00\u{fffd}\\x1b"
        );
        assert_eq!(Xml(&"a\0b\n").to_string(), "a\u{fffd}b\u{fffd}");
    }

    #[test]
    fn a_long_text_ends_with_an_ellipsis() {
        assert_eq!(cut(&"abcd", 4), "abcd");
        assert_eq!(cut(&"abcde", 4), "abc…");
        assert_eq!(cut(&"漢字漢字", 5), "漢字…");
        assert_eq!(cut(&"", 0), "");
    }
}
