use std::io::{self, Write};

use crate::analysis::picture::{Block, Party, Row};
use crate::model::{Kind, Member};
use crate::output::graph::labels::{counted, section};
use crate::output::graph::markup::{Xml, cut};
use crate::output::graph::svg::canvas::{Canvas, MARGIN};

/// The width of the names of rows, and of each cell.
const NAMES: usize = 290;
const CELL: usize = 92;

/// The height of one namespace in a cell.
const LINE: usize = 28;

/// So many namespaces of a cell are shown.
const FEW: usize = 3;

/// Draws who is in which namespaces.
pub(super) fn matrix(canvas: &mut Canvas<'_>) -> io::Result<()> {
    let picture = canvas.picture;
    canvas.width = MARGIN + NAMES + CELL * Kind::ALL.len();
    for (place, kind) in Kind::ALL.iter().enumerate() {
        let x = MARGIN + NAMES + place * CELL + 4;
        canvas.text(x, canvas.height + 14, "bold", kind)?;
    }
    canvas.height += 24;
    let mut last = "";
    for block in &picture.matrix.blocks {
        let Some(first) = block.rows.first() else {
            continue;
        };
        let section = section(&first.party);
        if section != last && !matches!(first.party, Party::Host) {
            canvas.height += 10;
            canvas.text(MARGIN, canvas.height + 14, "bold soft", &section)?;
            canvas.height += 22;
            last = section;
        }
        row(canvas, block, first)?;
    }
    Ok(())
}

fn row(canvas: &mut Canvas<'_>, block: &Block<'_>, first: &Row<'_>) -> io::Result<()> {
    let y = canvas.height;
    let (right, labels) = (canvas.width, canvas.labels);
    writeln!(
        canvas.body,
        "<line class=\"rule\" x1=\"{MARGIN}\" y1=\"{y}\" x2=\"{right}\" y2=\"{y}\"/>"
    )?;
    let name = labels.row(block);
    writeln!(
        canvas.body,
        "<text x=\"{MARGIN}\" y=\"{}\"><title>{}</title>{}</text>",
        y + 19,
        Xml(&name),
        Xml(&cut(&name, 37)),
    )?;
    let mut lines = 1;
    for (place, kind) in Kind::ALL.iter().enumerate() {
        let x = MARGIN + NAMES + place * CELL;
        let cell = first.cell(*kind);
        if cell.is_unknown {
            canvas.text(x + 12, y + 19, "bold", &"?")?;
        }
        let mut line = 0;
        for id in cell.namespaces.iter().take(FEW) {
            let y = y + 3 + line * LINE;
            if labels.differs(block, *id) {
                let title = counted(block.rows.len(), "namespace", "namespaces");
                canvas.crowd(x, y, &format!("{} own", block.rows.len()), &title)?;
            } else if let Some(namespace) = canvas.picture.namespace(*id) {
                canvas.chip(x, y, namespace, &labels.name(*id))?;
            }
            line += 1;
        }
        if cell.namespaces.len() > FEW {
            let more = format!("+{} more", cell.namespaces.len() - FEW);
            canvas.text(x + 4, y + 15 + line * LINE, "soft", &more)?;
            line += 1;
        }
        lines = lines.max(line);
    }
    canvas.height += lines * LINE + 2;
    Ok(())
}
