//! The language of Graphviz, dot(1).

use std::io::{self, Write};

use crate::analysis::picture::Picture;

/// Writes a picture as a graph in DOT.
pub(super) fn write(_picture: &Picture<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "digraph namespaces {{\n}}")
}
