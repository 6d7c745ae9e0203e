//! JSON objects, one a line.

use std::io::{self, Write};

use serde::Serialize;

use crate::model::Gap;
use crate::output::json::{Gaps, Harmless};

/// Writes one object on one line.
pub(crate) fn write_line(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(Harmless(&mut *out), value)?;
    writeln!(out)
}

/// Returns gaps as they stand in a document.
pub(crate) fn gaps(gaps: &[Gap]) -> impl Serialize {
    Gaps(gaps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_break_in_a_text_makes_no_line() {
        let mut written = Vec::new();
        write_line(&["a\nb\u{2028}"], &mut written).unwrap();
        assert_eq!(String::from_utf8(written).unwrap(), "[\"a\\nb\\u2028\"]\n");
    }
}
