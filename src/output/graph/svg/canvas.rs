//! What all drawings are made of. Lengths are in pixels.

use std::fmt::Display;
use std::io::{self, Write};

use crate::analysis::picture::Picture;
use crate::model::Namespace;
use crate::output::graph::labels::Labels;
use crate::output::graph::marks::{Marks, anchor};
use crate::output::graph::markup::Xml;

/// The space around everything.
pub(in crate::output::graph) const MARGIN: usize = 16;

/// The height of a namespace.
pub(super) const CHIP: usize = 22;

/// The width of a character of the fixed font, in hundredths.
const CHARACTER: usize = 725;

/// A drawing that grows downwards.
pub(in crate::output::graph) struct Canvas<'a> {
    pub(super) labels: &'a Labels<'a>,
    pub(super) picture: &'a Picture<'a>,
    marks: &'a Marks<'a>,
    pub(super) body: Vec<u8>,
    pub(super) width: usize,
    pub(super) height: usize,
}

impl<'a> Canvas<'a> {
    pub(in crate::output::graph) fn new(labels: &'a Labels<'a>, marks: &'a Marks<'a>) -> Self {
        Canvas {
            labels,
            picture: labels.picture,
            marks,
            body: Vec::new(),
            width: 0,
            height: MARGIN,
        }
    }

    /// Makes it wide enough for so many characters.
    pub(super) fn widen(&mut self, x: usize, characters: usize) {
        self.width = self.width.max(x + text_width(characters));
    }

    /// Writes a text with its base line at `y`.
    pub(super) fn text(
        &mut self,
        x: usize,
        y: usize,
        class: &str,
        text: &dyn Display,
    ) -> io::Result<()> {
        write!(self.body, "<text x=\"{x}\" y=\"{y}\"")?;
        if !class.is_empty() {
            write!(self.body, " class=\"{class}\"")?;
        }
        writeln!(self.body, ">{}</text>", Xml(&text))
    }

    /// Writes the title of what follows.
    pub(in crate::output::graph) fn title(&mut self, title: &str) -> io::Result<()> {
        self.text(MARGIN, self.height + 20, "title", &title)?;
        self.height += 36;
        Ok(())
    }

    /// Draws a namespace with its name, and returns its width.
    pub(super) fn chip(
        &mut self,
        x: usize,
        y: usize,
        namespace: &Namespace,
        name: &str,
    ) -> io::Result<usize> {
        let id = namespace.id;
        let width = chip_width(name);
        let class = self.marks.class(id);
        match self.marks.has_links {
            true => write!(self.body, "<a class=\"{class}\" href=\"#{}\">", anchor(id))?,
            false => write!(self.body, "<g class=\"{class}\">")?,
        }
        writeln!(
            self.body,
            "<title>{}</title><rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{CHIP}\" rx=\"5\"/><text x=\"{}\" y=\"{}\">{}</text></{}>",
            Xml(&self.labels.sentence(namespace)),
            x + width / 2,
            y + 15,
            Xml(&name),
            if self.marks.has_links { "a" } else { "g" },
        )?;
        Ok(width)
    }

    /// Draws what stands for several namespaces that differ, and returns its width.
    pub(super) fn crowd(
        &mut self,
        x: usize,
        y: usize,
        name: &str,
        title: &str,
    ) -> io::Result<usize> {
        let width = chip_width(name);
        writeln!(
            self.body,
            "<g class=\"ns own\"><title>{}</title><rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{CHIP}\" rx=\"5\"/><rect x=\"{}\" y=\"{}\" width=\"{width}\" height=\"{CHIP}\" rx=\"5\" style=\"fill:none\"/><text x=\"{}\" y=\"{}\">{}</text></g>",
            Xml(&title),
            x + 3,
            y + 3,
            x + width / 2,
            y + 15,
            Xml(&name),
        )?;
        Ok(width + 3)
    }

    /// Draws a line through points with rounded corners where it bends.
    pub(super) fn path(&mut self, class: &str, path: &str) -> io::Result<()> {
        writeln!(self.body, "<path class=\"{class}\" d=\"{path}\"/>")
    }
}

/// Returns the width of so many characters.
pub(super) fn text_width(characters: usize) -> usize {
    characters.saturating_mul(CHARACTER) / 100
}

pub(super) fn chip_width(name: &str) -> usize {
    text_width(name.chars().count()) + 16
}
