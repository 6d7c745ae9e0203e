//! Pictures, in one of several formats. All draw the same
//! [`Picture`], and each escapes what others chose for what it writes.

mod chart;
mod dot;
mod html;
mod labels;
mod marks;
mod markup;
mod mermaid;
#[cfg(test)]
mod scene;
mod svg;

use std::io::{self, Write};

use crate::analysis::picture::Picture;

/// A format of pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GraphFormat {
    /// A page that needs nothing else.
    Html,
    /// A vector graphic of one view.
    Svg,
    /// The language of Graphviz.
    Dot,
    /// Text from which Markdown viewers draw.
    Mermaid,
}

/// Writes a picture.
pub(crate) fn write(
    picture: &Picture<'_>,
    format: GraphFormat,
    out: &mut dyn Write,
) -> io::Result<()> {
    match format {
        GraphFormat::Html => html::write(picture, out),
        GraphFormat::Svg => svg::write(picture, out),
        GraphFormat::Dot => dot::write(picture, out),
        GraphFormat::Mermaid => mermaid::write(picture, out),
    }
}
