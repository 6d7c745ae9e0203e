use std::io;

use crate::analysis::picture::{Node, Tone};
use crate::model::{Kind, Namespace};
use crate::output::graph::labels::{self, counted};
use crate::output::graph::markup::cut;
use crate::output::graph::svg::canvas::{CHIP, Canvas, MARGIN, chip_width, text_width};

/// How far each level is indented, and how many levels are.
const INDENT: usize = 30;
const DEEPEST: usize = 20;

/// The width within which what a namespace owns is wrapped.
const WRAP: usize = 860;

/// The space below a node.
const BELOW: usize = 12;

/// So many namespaces of one type are shown one by one.
const FEW: usize = 4;

/// Draws user namespaces and what they own.
pub(in crate::output::graph) fn user_tree(canvas: &mut Canvas<'_>) -> io::Result<()> {
    let trees = &canvas.picture.trees;
    let mut places = Vec::new();
    for node in &trees.user {
        let (x, y) = begin(canvas, node, &mut places)?;
        owned(canvas, x + 22, y + 30, &node.owned)?;
        canvas.height += BELOW;
    }
    if !trees.unowned.is_empty() {
        let text = "Owner not known";
        canvas.text(MARGIN, canvas.height + 16, "bold soft", &text)?;
        owned(canvas, MARGIN, canvas.height + 26, &trees.unowned)?;
    }
    Ok(())
}

/// Draws pid namespaces and the first processes in each.
pub(in crate::output::graph) fn pid_tree(canvas: &mut Canvas<'_>) -> io::Result<()> {
    let trees = &canvas.picture.trees;
    let mut places = Vec::new();
    for node in &trees.pid {
        let (x, y) = begin(canvas, node, &mut places)?;
        let mut line = y + 44;
        for process in &node.processes {
            let text = cut(&labels::process(process), 90);
            canvas.widen(x + 22, text.chars().count());
            canvas.text(x + 22, line, "", &text)?;
            line += 18;
        }
        let more = node.namespace.nprocs.saturating_sub(node.processes.len());
        if more > 0 {
            let text = counted(more, "more process", "more processes");
            canvas.text(x + 22, line, "soft", &text)?;
            line += 18;
        }
        canvas.height = line - 12 + BELOW;
    }
    Ok(())
}

/// Draws the first line of a node and what leads there from its parent. Returns where it
/// stands.
fn begin(
    canvas: &mut Canvas<'_>,
    node: &Node<'_>,
    places: &mut Vec<(usize, usize)>,
) -> io::Result<(usize, usize)> {
    let x = MARGIN + node.depth.min(DEEPEST) * INDENT;
    let y = canvas.height;
    places.push((x, y));
    if let Some((above, top)) = node.parent.and_then(|parent| places.get(parent)) {
        let (from, down, to) = (above + 10, y + CHIP / 2, x.max(above + 14));
        let top = top + CHIP;
        let path = format!("M{from} {top}V{}q0 6 6 6H{to}", down.max(top + 6) - 6);
        canvas.path("edge", &path)?;
    }
    let id = node.namespace.id;
    let name = format!("{} {}", id.kind, canvas.labels.name(id));
    let width = canvas.chip(x, y, node.namespace, &name)?;
    let mut text = canvas.labels.parties(id, 3).to_string();
    if canvas.picture.tone(id) == Tone::Host {
        text = counted(node.namespace.nprocs, "process", "processes");
    }
    if !node.alike.is_empty() {
        text += &format!(", and {} alike", node.alike.len());
    }
    let text = cut(&text, 100);
    canvas.widen(x + width + 10, text.chars().count());
    canvas.text(x + width + 10, y + 15, "bold", &text)?;
    canvas.height = y + 26;
    Ok((x, y))
}

/// Draws namespaces in lines, those of one type together.
fn owned(canvas: &mut Canvas<'_>, x: usize, y: usize, all: &[&Namespace]) -> io::Result<()> {
    let (mut right, mut line) = (x, y);
    let mut place = |canvas: &mut Canvas<'_>, width: usize| {
        if right + width > x.max(200) + WRAP && right > x {
            right = x;
            line += CHIP + 6;
        }
        let here = (right, line);
        right += width + 6;
        canvas.width = canvas.width.max(right);
        canvas.height = line + CHIP;
        here
    };
    for of_kind in all.chunk_by(|one, next| one.id.kind == next.id.kind) {
        let kind = of_kind.first().map_or(Kind::Mnt, |one| one.id.kind);
        let (shown, crowd) = match of_kind.len() > FEW {
            true => {
                let is_special = |one: &&&Namespace| canvas.picture.tone(one.id) == Tone::Host;
                let special: Vec<_> = of_kind.iter().filter(is_special).copied().collect();
                let rest = of_kind.len() - special.len();
                (special, rest)
            }
            false => (of_kind.to_vec(), 0),
        };
        for namespace in shown {
            let name = format!("{kind} {}", canvas.labels.name(namespace.id));
            let (x, y) = place(canvas, chip_width(&name));
            canvas.chip(x, y, namespace, &name)?;
        }
        if crowd > 0 {
            let name = format!("{kind} × {crowd}");
            let (x, y) = place(canvas, text_width(name.chars().count()) + 19);
            canvas.crowd(x, y, &name, &format!("{crowd} {kind} namespaces"))?;
        }
    }
    Ok(())
}
