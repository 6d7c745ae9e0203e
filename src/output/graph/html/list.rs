use std::io;

use crate::analysis::picture::Node;
use crate::model::{Interface, Kind, Member, Namespace, NsId};
use crate::output::graph::html::Page;
use crate::output::graph::labels::{self, counted};
use crate::output::graph::marks::anchor;
use crate::output::graph::markup::Xml;
use crate::query::Value;

/// So many names are written into one cell.
const FEW: usize = 8;

impl Page<'_> {
    /// Writes all that is known of each namespace.
    pub(super) fn list(&mut self) -> io::Result<()> {
        writeln!(
            self.out,
            "<section aria-labelledby=\"list\">\n<h2 id=\"list\">All namespaces</h2>"
        )?;
        let snapshot = self.picture.snapshot;
        for kind in Kind::ALL {
            let all = snapshot.namespaces.iter().chain(&snapshot.ancestors);
            let of_kind: Vec<_> = all.filter(|one| one.id.kind == *kind).collect();
            if of_kind.is_empty() {
                continue;
            }
            self.begin_table(
                &format!("{kind}<small>{}</small>", of_kind.len()),
                &format!("All {kind} namespaces"),
                &[
                    "Namespace",
                    "Who",
                    "Processes",
                    "First process",
                    "Held by",
                    "Owner",
                    "Parent",
                ],
            )?;
            for namespace in of_kind {
                self.entry(namespace)?;
            }
            self.end_table()?;
        }
        writeln!(self.out, "</section>")
    }

    fn entry(&mut self, namespace: &Namespace) -> io::Result<()> {
        let (id, snapshot) = (namespace.id, self.picture.snapshot);
        let first = snapshot.representative(namespace);
        let process = first.map(labels::process);
        let holders = match &namespace.holders[..] {
            _ if namespace.nprocs > 0 => &[],
            [] => std::slice::from_ref(&namespace.via),
            holders => holders,
        };
        let holder = holders.first().and_then(|one| snapshot.process(one.pid()?));
        let held = Value::Holders(holders, holder);
        let held = crate::text::for_table(&held.bytes());
        write!(
            self.out,
            "<tr id=\"{}\"><th scope=\"row\"><span class=\"{}\">{}</span></th><td>{}</td><td>{}</td><td><code>{}</code></td><td>{}</td>",
            anchor(id),
            self.marks.class(id),
            Xml(&id),
            Xml(&self.labels.parties(id, FEW)),
            namespace.nprocs,
            Xml(&process.unwrap_or_default()),
            Xml(&held),
        )?;
        self.other(namespace.relations.owner)?;
        self.other(namespace.relations.parent)?;
        writeln!(self.out, "</tr>")
    }

    /// Writes a cell with another namespace.
    fn other(&mut self, id: Option<NsId>) -> io::Result<()> {
        match id.and_then(|id| self.picture.namespace(id)) {
            Some(namespace) => {
                write!(self.out, "<td>")?;
                self.link(namespace)?;
                write!(self.out, "</td>")
            }
            None => write!(self.out, "<td></td>"),
        }
    }

    /// Writes a tree as a table, for those who do not see it and for what is folded.
    pub(super) fn tree_table(&mut self, is_of_users: bool) -> io::Result<()> {
        let trees = &self.picture.trees;
        let (nodes, title, what) = match is_of_users {
            true => (&trees.user, "Table of user namespaces", "Owns"),
            false => (&trees.pid, "Table of pid namespaces", "Processes"),
        };
        self.begin_table(title, title, &["Namespace", "Level", "Parent", "Who", what])?;
        for node in nodes {
            for namespace in [node.namespace].iter().chain(&node.alike) {
                self.tree_row(node, namespace, is_of_users)?;
            }
        }
        self.end_table()
    }

    fn tree_row(
        &mut self,
        node: &Node<'_>,
        namespace: &Namespace,
        is_of_users: bool,
    ) -> io::Result<()> {
        write!(self.out, "<tr><th scope=\"row\">")?;
        self.link(namespace)?;
        write!(self.out, "</th><td>{}</td>", node.depth)?;
        self.other(namespace.relations.parent)?;
        write!(
            self.out,
            "<td>{}</td><td>",
            Xml(&self.labels.parties(namespace.id, FEW))
        )?;
        let is_drawn = std::ptr::eq(node.namespace, namespace);
        if is_of_users && is_drawn {
            let owned = node.owned.chunk_by(|one, next| one.id.kind == next.id.kind);
            let counts = owned.filter_map(|all| Some((all.first()?.id.kind, all.len())));
            let words: Vec<String> = counts
                .map(|(kind, count)| format!("{count} {kind}"))
                .collect();
            write!(self.out, "{}", words.join(", "))?;
        } else if !is_of_users {
            write!(
                self.out,
                "{}",
                counted(namespace.nprocs, "process", "processes")
            )?;
        }
        writeln!(self.out, "</td></tr>")
    }

    /// Writes every interface of every net namespace.
    pub(super) fn interface_table(&mut self) -> io::Result<()> {
        let title = "Table of interfaces";
        self.begin_table(
            title,
            title,
            &[
                "Namespace",
                "Who",
                "Interface",
                "Kind",
                "State",
                "Addresses",
                "Connected to",
                "Port of",
            ],
        )?;
        let snapshot = self.picture.snapshot;
        let all = snapshot.namespaces.iter().chain(&snapshot.ancestors);
        for namespace in all.filter(|one| one.id.kind == Kind::Net) {
            let facts = namespace.facts.as_deref();
            let interfaces = facts.and_then(|facts| facts.interfaces.as_deref());
            for one in interfaces.unwrap_or_default() {
                self.interface(namespace, one, interfaces.unwrap_or_default())?;
            }
        }
        self.end_table()
    }

    fn interface(
        &mut self,
        namespace: &Namespace,
        one: &Interface,
        all: &[Interface],
    ) -> io::Result<()> {
        write!(self.out, "<tr><td>")?;
        self.link(namespace)?;
        let addresses: Vec<String> = one.addresses.iter().map(ToString::to_string).collect();
        let peer = match (&one.peer, one.peer_ns) {
            (Some(peer), Some(ns)) => format!("{peer} in net:[{ns}]"),
            (None, _) if one.link.is_some() => "not seen".to_owned(),
            _ => String::new(),
        };
        let state = match one.is_up {
            Some(true) => "up",
            Some(false) => "down",
            None => "?",
        };
        let master = crate::query::master_of(one, all);
        writeln!(
            self.out,
            "</td><td>{}</td><th scope=\"row\">{}</th><td>{}</td><td>{state}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            Xml(&self.labels.parties(namespace.id, 2)),
            Xml(&one.name),
            Xml(&one.kind.clone().unwrap_or_default()),
            Xml(&addresses.join(" ")),
            Xml(&peer),
            Xml(&master.cloned().unwrap_or_default()),
        )
    }

    /// Begins a table that is folded away. The title may have elements.
    fn begin_table(&mut self, title: &str, name: &str, columns: &[&str]) -> io::Result<()> {
        write!(
            self.out,
            "<details><summary>{title}</summary><div class=\"scroll\" role=\"region\" aria-label=\"{name}\" tabindex=\"0\"><table class=\"list\"><thead><tr>"
        )?;
        for column in columns {
            write!(self.out, "<th scope=\"col\">{column}</th>")?;
        }
        writeln!(self.out, "</tr></thead><tbody>")
    }

    fn end_table(&mut self) -> io::Result<()> {
        writeln!(self.out, "</tbody></table></div></details>")
    }
}
