//! Mermaid, which Markdown viewers draw.

use std::io::{self, Write};

use crate::analysis::picture::Picture;

/// Writes a picture as a Mermaid flowchart.
pub(super) fn write(_picture: &Picture<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "flowchart LR")
}
