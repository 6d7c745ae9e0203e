use std::io;

use crate::analysis::picture::{Block, Cell, Party, Row, Tone};
use crate::model::{Kind, Member, Namespace, NsId};
use crate::output::graph::html::Page;
use crate::output::graph::labels::{counted, section};
use crate::output::graph::marks::anchor;
use crate::output::graph::markup::Xml;

impl Page<'_> {
    /// Writes who is in which namespaces, as a table.
    pub(super) fn matrix(&mut self) -> io::Result<()> {
        writeln!(
            self.out,
            "<section aria-labelledby=\"matrix\">\n<h2 id=\"matrix\">Who is in which namespaces</h2>\n<p class=\"soft\">The same colour and letter are the same namespace.</p>"
        )?;
        self.legend()?;
        writeln!(
            self.out,
            "<div class=\"scroll\" role=\"region\" aria-label=\"Table of who is in which namespaces\" tabindex=\"0\"><table class=\"matrix\">\n<thead><tr><th scope=\"col\">Who</th>"
        )?;
        for kind in Kind::ALL {
            write!(self.out, "<th scope=\"col\">{kind}</th>")?;
        }
        writeln!(self.out, "</tr></thead>")?;
        let picture = self.picture;
        let all = picture.matrix.blocks.iter();
        let rows: Vec<&Party<'_>> = all
            .flat_map(|block| &block.rows)
            .map(|row| &row.party)
            .collect();
        let mut last = "";
        for block in &picture.matrix.blocks {
            let Some(first) = block.rows.first() else {
                continue;
            };
            let section = section(&first.party);
            if section != last {
                last = section;
                let count = rows
                    .iter()
                    .filter(|party| self::section(party) == section)
                    .count();
                if !matches!(first.party, Party::Host) {
                    writeln!(
                        self.out,
                        "<tbody><tr class=\"section\"><th colspan=\"9\" scope=\"rowgroup\">{section}<small>{count}</small></th></tr></tbody>"
                    )?;
                }
            }
            self.block(block, first)?;
        }
        writeln!(self.out, "</table></div>\n</section>")
    }

    fn legend(&mut self) -> io::Result<()> {
        write!(
            self.out,
            "<ul class=\"legend\"><li><span class=\"ns host\">host</span> the host’s own</li><li><span class=\"ns s0\">A 1234</span> shared by several</li><li><span class=\"ns own\">1234</span> of nobody else, by its last digits</li><li><span class=\"ns own held\">1234</span> without processes</li><li><span class=\"unknown\">?</span> could not be seen</li></ul>"
        )?;
        if let Some(count) = self.marks.most_lit() {
            write!(
                self.out,
                "<p class=\"soft\">What is the same lights up under the pointer, for the first {}.</p>",
                counted(count, "namespace", "namespaces")
            )?;
        }
        writeln!(self.out)
    }

    fn block(&mut self, block: &Block<'_>, first: &Row<'_>) -> io::Result<()> {
        if let [only] = &block.rows[..] {
            writeln!(self.out, "<tbody>")?;
            self.row(only, "")?;
            return writeln!(self.out, "</tbody>");
        }
        let ends = [block.rows.first(), block.rows.last()].map(|row| {
            let party = row.map(|row| self.labels.party(&row.party));
            party.unwrap_or_default()
        });
        write!(
            self.out,
            "<tbody class=\"fold\">\n<tr><th scope=\"row\"><label><input type=\"checkbox\"> {} alike, show all<small>{} … {}</small></label></th>",
            block.rows.len(),
            Xml(&ends[0]),
            Xml(&ends[1]),
        )?;
        for kind in Kind::ALL {
            self.cell(first.cell(*kind), Some(block))?;
        }
        writeln!(self.out, "</tr>")?;
        for row in &block.rows {
            self.row(row, " class=\"more\"")?;
        }
        writeln!(self.out, "</tbody>")
    }

    fn row(&mut self, row: &Row<'_>, class: &str) -> io::Result<()> {
        let name = self.labels.party(&row.party);
        write!(self.out, "<tr{class}><th scope=\"row\">{}", Xml(&name))?;
        let nprocs = row
            .nprocs
            .map(|count| counted(count, "process", "processes"));
        let pod = row
            .pod
            .map(|pod| format!("pod {}", pod.get(..12).unwrap_or(pod)));
        let notes: Vec<String> = nprocs.into_iter().chain(pod).collect();
        if !notes.is_empty() {
            write!(self.out, "<small>{}</small>", Xml(&notes.join(" · ")))?;
        }
        write!(self.out, "</th>")?;
        for kind in Kind::ALL {
            self.cell(row.cell(*kind), None)?;
        }
        writeln!(self.out, "</tr>")
    }

    /// Writes a cell of a row, or of rows that are alike.
    fn cell(&mut self, cell: &Cell, block: Option<&Block<'_>>) -> io::Result<()> {
        write!(self.out, "<td>")?;
        if cell.is_unknown {
            write!(
                self.out,
                "<span class=\"unknown\" role=\"img\" aria-label=\"could not be seen\">?</span>"
            )?;
        } else if cell.namespaces.is_empty() {
            write!(
                self.out,
                "<span class=\"none\" role=\"img\" aria-label=\"none\">–</span>"
            )?;
        }
        for id in &cell.namespaces {
            match (block, self.picture.namespace(*id)) {
                (Some(block), _) if self.labels.differs(block, *id) => {
                    write!(
                        self.out,
                        "<span class=\"none\">{} own</span>",
                        block.rows.len()
                    )?;
                }
                (_, Some(namespace)) => self.link(namespace)?,
                (_, None) => {}
            }
        }
        write!(self.out, "</td>")
    }

    /// Writes a namespace that leads to its entry in the list.
    pub(super) fn link(&mut self, namespace: &Namespace) -> io::Result<()> {
        let id = namespace.id;
        write!(
            self.out,
            "<a class=\"{}\" href=\"#{}\" data-ns=\"{}\" title=\"{}\">{}</a>",
            self.marks.class(id),
            anchor(id),
            id.ino,
            Xml(&self.labels.sentence(namespace)),
            Xml(&self.name(id)),
        )
    }

    fn name(&self, id: NsId) -> String {
        match self.picture.tone(id) {
            Tone::Host => "host".to_owned(),
            _ => self.labels.name(id),
        }
    }
}
