//! The language of Graphviz, dot(1).

use std::fmt::Display;
use std::io::{self, Write};

use crate::analysis::picture::{Picture, Tone};
use crate::output::graph::chart::{Chart, Edge, Group, HUES, Look, Means, Node};

/// How a chart looks before anything of it is said.
const BEGIN: &str = r##"digraph namespaces {
  graph [rankdir=LR, nodesep=0.15, ranksep=0.6, fontname="Helvetica,Arial,sans-serif", fontsize=12]
  node [shape=box, style="rounded,filled", fillcolor=white, color="#8a94a0", height=0.3, margin="0.1,0.05", fontname="Helvetica,Arial,sans-serif", fontsize=11]
  edge [color="#8a94a0", arrowsize=0.6, fontname="Helvetica,Arial,sans-serif", fontsize=10]
"##;

/// Writes a picture as a graph in DOT.
pub(super) fn write(picture: &Picture<'_>, out: &mut dyn Write) -> io::Result<()> {
    write_chart(&Chart::new(picture), out)
}

fn write_chart(chart: &Chart, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(BEGIN.as_bytes())?;
    if !chart.remarks.is_empty() {
        let label = Lines(&chart.remarks, "\\l");
        writeln!(out, "  graph [labeljust=l, labelloc=b, label={label}]")?;
    }
    for group in &chart.groups {
        write_group(group, 1, out)?;
    }
    for node in &chart.nodes {
        write_node(node, 1, out)?;
    }
    for edge in &chart.edges {
        write_edge(edge, out)?;
    }
    writeln!(out, "}}")
}

fn write_group(group: &Group, depth: usize, out: &mut dyn Write) -> io::Result<()> {
    let indent = "  ".repeat(depth);
    let style = match group.is_host {
        true => "rounded,dashed",
        false => "rounded",
    };
    writeln!(out, "{indent}subgraph cluster_{} {{", group.name)?;
    let title = [&group.title];
    writeln!(
        out,
        "{indent}  graph [label={}, labelloc=t, labeljust=l, style=\"{style}\", color=\"#8a94a0\"]",
        Lines(&title, "\\l")
    )?;
    for node in &group.nodes {
        write_node(node, depth + 1, out)?;
    }
    for group in &group.groups {
        write_group(group, depth + 1, out)?;
    }
    // In a row, or else a box would be as high as it has nodes.
    let names: Vec<&str> = group.nodes.iter().map(|node| &*node.name).collect();
    if names.len() > 1 && group.groups.is_empty() {
        let row = names.join(" -> ");
        writeln!(out, "{indent}  {row} [style=invis, weight=9]")?;
    }
    writeln!(out, "{indent}}}")
}

fn write_node(node: &Node, depth: usize, out: &mut dyn Write) -> io::Result<()> {
    let look = match node.look {
        Look::Party => "shape=plain, style=\"\"".to_owned(),
        Look::Holder => "shape=note, style=filled".to_owned(),
        Look::Namespace(Tone::Host) => {
            "style=\"rounded,filled,dashed\", fillcolor=\"#e9ecf0\"".to_owned()
        }
        Look::Namespace(Tone::Own) => String::new(),
        Look::Namespace(Tone::Shared(place)) => {
            let (surface, line) = HUES.get(place % HUES.len()).copied().unwrap_or_default();
            format!("fillcolor=\"{surface}\", color=\"{line}\"")
        }
    };
    let comma = if look.is_empty() { "" } else { ", " };
    let end = if node.lines.len() > 1 { "\\l" } else { "" };
    writeln!(
        out,
        "{}{} [label={}{comma}{look}]",
        "  ".repeat(depth),
        node.name,
        Lines(&node.lines, end),
    )
}

fn write_edge(edge: &Edge, out: &mut dyn Write) -> io::Result<()> {
    let look = match edge.means {
        Means::In => "arrowhead=none",
        Means::Holds => "style=dotted",
        Means::Owns => "",
        Means::Parent => "style=bold",
        Means::Veth => "dir=none, color=\"#0069a8\", penwidth=2, constraint=false",
        Means::OnTop => "style=dashed, color=\"#0069a8\", constraint=false",
    };
    let mut words: Vec<String> = Vec::new();
    if !edge.lines.is_empty() {
        words.push(format!("label={}", Lines(&edge.lines, "\\n")));
    }
    if !look.is_empty() {
        words.push(look.to_owned());
    }
    let attributes = match words.is_empty() {
        true => String::new(),
        false => format!(" [{}]", words.join(", ")),
    };
    writeln!(out, "  {} -> {}{attributes}", edge.from, edge.to)
}

/// A quoted string of lines, each of which ends with an escape that says how it is
/// justified. In them nothing else is an escape, a reference to a name, or an entity.
struct Lines<'a, T>(&'a [T], &'static str);

impl<T: AsRef<str>> Display for Lines<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("\"")?;
        for line in self.0 {
            for letter in line.as_ref().chars() {
                match letter {
                    '"' => f.write_str("\\\"")?,
                    '\\' => f.write_str("\\\\")?,
                    '&' => f.write_str("&amp;")?,
                    '\0'..='\x1f' | '\x7f' => f.write_str("\u{fffd}")?,
                    _ => write!(f, "{letter}")?,
                }
            }
            f.write_str(self.1)?;
        }
        f.write_str("\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::picture::{ViewKind, ViewKinds};
    use crate::output::graph::scene::drawn;
    use crate::text::Text;

    fn quoted(text: &str) -> String {
        Lines(&[Text::from(text).to_string()], "").to_string()
    }

    #[test]
    fn all_views_are_one_chart() {
        let expected = r##"digraph namespaces {
  graph [rankdir=LR, nodesep=0.15, ranksep=0.6, fontname="Helvetica,Arial,sans-serif", fontsize=12]
  node [shape=box, style="rounded,filled", fillcolor=white, color="#8a94a0", height=0.3, margin="0.1,0.05", fontname="Helvetica,Arial,sans-serif", fontsize=11]
  edge [color="#8a94a0", arrowsize=0.6, fontname="Helvetica,Arial,sans-serif", fontsize=10]
  graph [labeljust=l, labelloc=b, label="Not everything is known:\l1 process <hides>\l"]
  subgraph cluster_g0 {
    graph [label="host\l", labelloc=t, labeljust=l, style="rounded,dashed", color="#8a94a0"]
    p0 [label="1 process", shape=plain, style=""]
    net_1 [label="net 1\lbr0 bridge down\lveth0 veth in br0\l", style="rounded,filled,dashed", fillcolor="#e9ecf0"]
    user_2 [label="user 2", style="rounded,filled,dashed", fillcolor="#e9ecf0"]
    pid_3 [label="pid 3", style="rounded,filled,dashed", fillcolor="#e9ecf0"]
    p0 -> net_1 -> user_2 -> pid_3 [style=invis, weight=9]
  }
  subgraph cluster_pod1 {
    graph [label="pod 0123456789ab\l", labelloc=t, labeljust=l, style="rounded", color="#8a94a0"]
    net_10 [label="net A 10\linterfaces not known\l", fillcolor="#cfe3f7", color="#0069a8"]
    subgraph cluster_g1 {
      graph [label="podman:a\l", labelloc=t, labeljust=l, style="rounded", color="#8a94a0"]
      p1 [label="1 process\lhost’s user\l", shape=plain, style=""]
      pid_11 [label="pid 11"]
      p1 -> pid_11 [style=invis, weight=9]
    }
    subgraph cluster_g2 {
      graph [label="podman:b\l", labelloc=t, labeljust=l, style="rounded", color="#8a94a0"]
      p2 [label="1 process\lhost’s user\l", shape=plain, style=""]
      pid_12 [label="pid 12"]
      p2 -> pid_12 [style=invis, weight=9]
    }
  }
  subgraph cluster_g3 {
    graph [label="web.service\l", labelloc=t, labeljust=l, style="rounded", color="#8a94a0"]
    p3 [label="1 process\lhost’s net\lnot seen: pid\l", shape=plain, style=""]
    user_13 [label="user 13"]
    p3 -> user_13 [style=invis, weight=9]
  }
  net_14 [label="net 14\leth0 veth\l"]
  p4 [label="path /run/netns/x\"\\N", shape=note, style=filled]
  net_1 -> net_14 [label="veth0 – eth0\n", dir=none, color="#0069a8", penwidth=2, constraint=false]
  p1 -> net_10 [arrowhead=none]
  p2 -> net_10 [arrowhead=none]
  p4 -> net_14 [label="holds\n", style=dotted]
  pid_3 -> pid_11 [label="parent of\n", style=bold]
  pid_3 -> pid_12 [label="parent of\n", style=bold]
  user_13 -> net_14 [label="owns\n"]
  user_2 -> net_10 [label="owns\n"]
  user_2 -> p0 [label="owns net, pid\n"]
  user_2 -> p1 [label="owns pid\n"]
  user_2 -> p2 [label="owns pid\n"]
  user_2 -> user_13 [label="parent of\n", style=bold]
}
"##;
        assert_eq!(drawn(ViewKinds::all(), write), expected);
    }

    #[test]
    fn wires_alone_show_net_namespaces_only() {
        let expected = r##"digraph namespaces {
  graph [rankdir=LR, nodesep=0.15, ranksep=0.6, fontname="Helvetica,Arial,sans-serif", fontsize=12]
  node [shape=box, style="rounded,filled", fillcolor=white, color="#8a94a0", height=0.3, margin="0.1,0.05", fontname="Helvetica,Arial,sans-serif", fontsize=11]
  edge [color="#8a94a0", arrowsize=0.6, fontname="Helvetica,Arial,sans-serif", fontsize=10]
  graph [labeljust=l, labelloc=b, label="Not everything is known:\l1 process <hides>\l"]
  subgraph cluster_g0 {
    graph [label="host\l", labelloc=t, labeljust=l, style="rounded,dashed", color="#8a94a0"]
    p0 [label="1 process", shape=plain, style=""]
    net_1 [label="net 1\lbr0 bridge down\lveth0 veth in br0\l", style="rounded,filled,dashed", fillcolor="#e9ecf0"]
    p0 -> net_1 [style=invis, weight=9]
  }
  subgraph cluster_pod1 {
    graph [label="pod 0123456789ab\l", labelloc=t, labeljust=l, style="rounded", color="#8a94a0"]
    net_10 [label="net A 10\linterfaces not known\l", fillcolor="#cfe3f7", color="#0069a8"]
    subgraph cluster_g1 {
      graph [label="podman:a\l", labelloc=t, labeljust=l, style="rounded", color="#8a94a0"]
      p1 [label="1 process", shape=plain, style=""]
    }
    subgraph cluster_g2 {
      graph [label="podman:b\l", labelloc=t, labeljust=l, style="rounded", color="#8a94a0"]
      p2 [label="1 process", shape=plain, style=""]
    }
  }
  net_14 [label="net 14\leth0 veth\l"]
  p4 [label="path /run/netns/x\"\\N", shape=note, style=filled]
  net_1 -> net_14 [label="veth0 – eth0\n", dir=none, color="#0069a8", penwidth=2, constraint=false]
  p1 -> net_10 [arrowhead=none]
  p2 -> net_10 [arrowhead=none]
  p4 -> net_14 [label="holds\n", style=dotted]
}
"##;
        assert_eq!(drawn(ViewKinds::of(ViewKind::Wires), write), expected);
    }

    #[test]
    fn a_quote_does_not_end_the_text() {
        assert_eq!(
            quoted(r#"" shape=box URL="javascript:1"#),
            r#""\" shape=box URL=\"javascript:1""#
        );
        assert_eq!(quoted(r#"\"; x -> y"#), r#""\\\"; x -> y""#);
        assert_eq!(quoted(r"\"), r#""\\""#);
    }

    #[test]
    fn escapes_that_name_a_node_or_graph_are_text() {
        assert_eq!(quoted(r"\N\L\G\E"), r#""\\N\\L\\G\\E""#);
    }

    #[test]
    fn an_html_label_is_text() {
        assert_eq!(quoted("<b>x</b>"), "\"<b>x</b>\"");
    }

    #[test]
    fn an_entity_is_text() {
        assert_eq!(quoted("&lt;&#60;"), "\"&amp;lt;&amp;#60;\"");
    }

    #[test]
    fn line_breaks_and_control_characters_are_seen() {
        assert_eq!(quoted("a\nb\u{1b}[31m"), r#""a\\x0ab\\x1b[31m""#);
        let raw = Lines(&["a\nb\0"], "").to_string();
        assert_eq!(raw, "\"a\u{fffd}b\u{fffd}\"");
    }

    #[test]
    fn direction_marks_are_seen() {
        assert_eq!(quoted("\u{202e}txt"), r#""\\xe2\\x80\\xaetxt""#);
    }
}
