//! Vector graphics: one view as a file, or each as a part of a page.

mod canvas;
mod matrix;
mod trees;
mod wires;

use std::io::{self, Write};

use crate::analysis::picture::{Picture, ViewKind};
use crate::output::graph::labels::Labels;
use crate::output::graph::marks::Marks;
use crate::output::graph::markup::{Xml, cut};

pub(super) use canvas::Canvas;
pub(super) use trees::{pid_tree, user_tree};
pub(super) use wires::wires;

/// The colours of everything, by the reader's setting.
pub(super) const PALETTE: &str = include_str!("palette.css");

/// Writes one view of a picture as a vector graphic.
pub(super) fn write(picture: &Picture<'_>, out: &mut dyn Write) -> io::Result<()> {
    let labels = Labels::new(picture);
    let marks = Marks::none(picture);
    let mut canvas = Canvas::new(&labels, &marks);
    let title = if picture.views.contains(ViewKind::Matrix) {
        matrix::matrix(&mut canvas)?;
        "Who is in which namespaces"
    } else if picture.views.contains(ViewKind::Tree) {
        canvas.title("User namespaces and what they own")?;
        user_tree(&mut canvas)?;
        canvas.title("Pid namespaces and their processes")?;
        pid_tree(&mut canvas)?;
        "Trees of namespaces"
    } else {
        wires(&mut canvas)?;
        "Net namespaces and how they are connected"
    };
    for remark in &picture.remarks {
        let (x, y) = (canvas::MARGIN, canvas.height + 18);
        let text = cut(&format_args!("Not seen: {remark}"), 140);
        canvas.widen(x, text.len());
        canvas.text(x, y, "soft", &text)?;
        canvas.height += 20;
    }
    let (width, height) = (
        canvas.width + canvas::MARGIN,
        canvas.height + canvas::MARGIN,
    );
    writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\">"
    )?;
    writeln!(out, "<title>{title}</title>\n<style>{PALETTE}</style>")?;
    writeln!(
        out,
        "<rect width=\"100%\" height=\"100%\" style=\"fill:var(--paper)\"/>"
    )?;
    out.write_all(&canvas.body)?;
    writeln!(out, "</svg>")
}

/// Writes a drawing into a page, with its title for those who do not see it.
pub(super) fn embed(mut canvas: Canvas<'_>, title: &str, out: &mut dyn Write) -> io::Result<()> {
    canvas.height += canvas::MARGIN;
    let (width, height) = (canvas.width + canvas::MARGIN, canvas.height);
    writeln!(
        out,
        "<div class=\"scroll\" role=\"region\" aria-label=\"{title}\" tabindex=\"0\"><svg width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"group\" aria-label=\"{}\">",
        Xml(&title)
    )?;
    out.write_all(&canvas.body)?;
    writeln!(out, "</svg></div>")
}
