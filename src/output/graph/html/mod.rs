//! A page that needs nothing else: no network, no scripts. Style sheets do what moves,
//! and a policy in the page forbids everything besides.

mod list;
mod matrix;

use std::io::{self, Write};

use crate::analysis::picture::{Party, Picture, ViewKind};
use crate::output::graph::labels::{Labels, counted, lacks, utc};
use crate::output::graph::marks::Marks;
use crate::output::graph::markup::Xml;
use crate::output::graph::svg::{Canvas, PALETTE, embed, pid_tree, user_tree, wires};

const STYLE: &str = include_str!("page.css");

/// A second line of defence: even if something were not escaped, nothing would run or
/// load.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// A page as it is written.
struct Page<'a> {
    picture: &'a Picture<'a>,
    labels: &'a Labels<'a>,
    marks: &'a Marks<'a>,
    out: &'a mut dyn Write,
}

/// Writes a picture as a page.
pub(super) fn write(picture: &Picture<'_>, out: &mut dyn Write) -> io::Result<()> {
    let labels = Labels::new(picture);
    let marks = Marks::of_page(picture);
    write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n<title>Linux namespaces</title>\n<style>\n{PALETTE}{STYLE}"
    )?;
    marks.write_rules(out)?;
    writeln!(out, "</style>\n</head>\n<body>")?;
    let mut page = Page {
        picture,
        labels: &labels,
        marks: &marks,
        out,
    };
    page.header()?;
    writeln!(page.out, "<main>")?;
    let shows = |view| picture.views.contains(view);
    if shows(ViewKind::Matrix) {
        page.matrix()?;
    }
    if shows(ViewKind::Tree) {
        page.trees()?;
    }
    if shows(ViewKind::Wires) {
        page.wires()?;
    }
    page.list()?;
    writeln!(
        page.out,
        "</main>\n<footer>Drawn by nsls.</footer>\n</body>\n</html>"
    )
}

impl Page<'_> {
    fn header(&mut self) -> io::Result<()> {
        let snapshot = self.picture.snapshot;
        let all = snapshot.namespaces.len() + snapshot.ancestors.len();
        let rows = self
            .picture
            .matrix
            .blocks
            .iter()
            .flat_map(|block| &block.rows);
        let (mut containers, mut services) = (0, 0);
        for row in rows {
            match row.party {
                Party::Container(_) => containers += 1,
                Party::Service(_) => services += 1,
                _ => {}
            }
        }
        write!(
            self.out,
            "<header>\n<h1>Linux namespaces</h1>\n<p class=\"soft\">{}",
            counted(all, "namespace", "namespaces")
        )?;
        if containers > 0 {
            write!(
                self.out,
                " · {}",
                counted(containers, "container", "containers")
            )?;
        }
        if services > 0 {
            write!(
                self.out,
                " · {} of their own",
                counted(services, "service with one", "services with some")
            )?;
        }
        if let Some(time) = self.picture.time {
            write!(self.out, " · {}", utc(time))?;
        }
        writeln!(self.out, "</p>")?;
        self.remarks()?;
        write!(self.out, "<nav aria-label=\"Views\">")?;
        for (view, anchor, name) in [
            (Some(ViewKind::Matrix), "matrix", "Who is in which"),
            (Some(ViewKind::Tree), "trees", "Trees"),
            (Some(ViewKind::Wires), "wires", "Wires"),
            (None, "list", "All namespaces"),
        ] {
            if view.is_none_or(|view| self.picture.views.contains(view)) {
                write!(self.out, "<a href=\"#{anchor}\">{name}</a>")?;
            }
        }
        writeln!(self.out, "</nav>\n</header>")
    }

    /// Writes what the picture lacks.
    fn remarks(&mut self) -> io::Result<()> {
        let Some((line, told)) = lacks(self.picture) else {
            return Ok(());
        };
        writeln!(
            self.out,
            "<section class=\"remarks\" aria-label=\"What is missing\"><strong>{line}</strong>\n<ul>"
        )?;
        for remark in told {
            writeln!(self.out, "<li>{}</li>", Xml(&remark))?;
        }
        writeln!(self.out, "</ul></section>")
    }

    fn trees(&mut self) -> io::Result<()> {
        writeln!(
            self.out,
            "<section aria-labelledby=\"trees\">\n<h2 id=\"trees\">Trees</h2>\n<p class=\"soft\">A user namespace owns namespaces of all other types, and so has power over them. Processes of a pid namespace are visible in those above it.</p>\n<h3>User namespaces and what they own</h3>"
        )?;
        let mut canvas = Canvas::new(self.labels, self.marks);
        user_tree(&mut canvas)?;
        embed(canvas, "User namespaces and what they own", self.out)?;
        self.tree_table(true)?;
        writeln!(self.out, "<h3>Pid namespaces and their processes</h3>")?;
        let mut canvas = Canvas::new(self.labels, self.marks);
        pid_tree(&mut canvas)?;
        embed(canvas, "Pid namespaces and their processes", self.out)?;
        self.tree_table(false)?;
        writeln!(self.out, "</section>")
    }

    fn wires(&mut self) -> io::Result<()> {
        writeln!(
            self.out,
            "<section aria-labelledby=\"wires\">\n<h2 id=\"wires\">Wires</h2>\n<p class=\"soft\">Net namespaces with their interfaces. Lines connect the ends of veth pairs; dashed ones lead from a vlan, macvlan or ipvlan to the interface below it. Ports of a bridge are indented.</p>"
        )?;
        let mut canvas = Canvas::new(self.labels, self.marks);
        wires(&mut canvas)?;
        embed(canvas, "Net namespaces and their connections", self.out)?;
        self.interface_table()?;
        writeln!(self.out, "</section>")
    }
}
