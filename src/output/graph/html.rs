//! A page.

use std::io::{self, Write};

use crate::analysis::picture::Picture;

/// Writes a picture as a page.
pub(super) fn write(_picture: &Picture<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "<!doctype html>")
}
