//! Mermaid, which Markdown viewers draw.

use std::fmt::{Display, Formatter, Write as _};
use std::io::{self, Write};

use crate::analysis::picture::{Picture, Tone};
use crate::output::graph::chart::{Chart, Edge, Group, HUES, Look, Means, Node};

/// Writes a picture as a Mermaid flowchart.
pub(super) fn write(picture: &Picture<'_>, out: &mut dyn Write) -> io::Result<()> {
    write_chart(&Chart::new(picture), out)
}

fn write_chart(chart: &Chart, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "flowchart LR")?;
    for group in &chart.groups {
        write_group(group, 1, out)?;
    }
    for node in &chart.nodes {
        write_node(node, 1, out)?;
    }
    for edge in &chart.edges {
        write_edge(edge, out)?;
    }
    if !chart.remarks.is_empty() {
        writeln!(out, "  remarks[\"{}\"]:::remarks", Lines(&chart.remarks))?;
        writeln!(
            out,
            "  classDef remarks fill:#fff4d6,stroke:#a86200,color:#1b2026"
        )?;
    }
    write_classes(chart, out)
}

fn write_group(group: &Group, depth: usize, out: &mut dyn Write) -> io::Result<()> {
    let indent = "  ".repeat(depth);
    let title = [&group.title];
    writeln!(
        out,
        "{indent}subgraph {}[\"{}\"]",
        group.name,
        Lines(&title)
    )?;
    for node in &group.nodes {
        write_node(node, depth + 1, out)?;
    }
    for group in &group.groups {
        write_group(group, depth + 1, out)?;
    }
    writeln!(out, "{indent}end")?;
    if group.is_host {
        writeln!(out, "{indent}style {} stroke-dasharray:4 3", group.name)?;
    }
    Ok(())
}

fn write_node(node: &Node, depth: usize, out: &mut dyn Write) -> io::Result<()> {
    let (indent, name, lines) = ("  ".repeat(depth), &node.name, Lines(&node.lines));
    let class = class(node.look);
    match node.look {
        Look::Party => writeln!(out, "{indent}{name}[\"{lines}\"]:::{class}"),
        Look::Holder => writeln!(out, "{indent}{name}>\"{lines}\"]:::{class}"),
        Look::Namespace(_) => writeln!(out, "{indent}{name}(\"{lines}\"):::{class}"),
    }
}

fn write_edge(edge: &Edge, out: &mut dyn Write) -> io::Result<()> {
    let arrow = match edge.means {
        Means::In => "---",
        Means::Owns => "-->",
        Means::Parent => "==>",
        Means::Veth => "===",
        Means::Holds | Means::OnTop => "-.->",
    };
    write!(out, "  {} {arrow}", edge.from)?;
    if !edge.lines.is_empty() {
        write!(out, "|\"{}\"|", Lines(&edge.lines))?;
    }
    writeln!(out, " {}", edge.to)
}

fn class(look: Look) -> String {
    match look {
        Look::Party => "who".to_owned(),
        Look::Holder => "holder".to_owned(),
        Look::Namespace(Tone::Host) => "host".to_owned(),
        Look::Namespace(Tone::Own) => "own".to_owned(),
        Look::Namespace(Tone::Shared(place)) => format!("shared{}", place % HUES.len()),
    }
}

/// Writes the looks that the chart has.
fn write_classes(chart: &Chart, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "  classDef who fill:none,stroke:none\n  classDef host stroke-dasharray:4 3,fill:#e9ecf0,stroke:#8a94a0,color:#1b2026\n  classDef own fill:#ffffff,stroke:#8a94a0,color:#1b2026\n  classDef holder fill:#ffffff,stroke:#8a94a0,color:#1b2026"
    )?;
    let shared = chart.looks().filter_map(|look| match look {
        Look::Namespace(Tone::Shared(place)) => Some(place + 1),
        _ => None,
    });
    let count = shared.max().unwrap_or(0);
    for (place, (surface, line)) in HUES.iter().enumerate().take(count) {
        writeln!(
            out,
            "  classDef shared{place} fill:{surface},stroke:{line},color:#1b2026"
        )?;
    }
    Ok(())
}

/// Lines of a quoted text. Whatever could mean something to Mermaid, to Markdown, which
/// it reads in them, or to HTML is written as an entity.
struct Lines<'a, T>(&'a [T]);

impl<T: AsRef<str>> Display for Lines<'_, T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        for (place, line) in self.0.iter().enumerate() {
            if place > 0 {
                f.write_str("<br>")?;
            }
            let mut last = ' ';
            let mut letters = line.as_ref().chars().peekable();
            while let Some(letter) = letters.next() {
                let is_inside = last.is_alphanumeric()
                    && letters.peek().is_some_and(|next| next.is_alphanumeric());
                let is_plain = match letter {
                    // Several at the beginning of a line make a block of code.
                    ' ' => last != ' ',
                    '.' | '-' | '_' => is_inside,
                    ',' | '(' | ')' | '/' | '×' | '–' | '…' | '’' => true,
                    _ => letter.is_alphanumeric(),
                };
                match is_plain {
                    true => f.write_char(letter)?,
                    false => write!(f, "#{};", u32::from(letter))?,
                }
                last = letter;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::picture::{ViewKind, ViewKinds};
    use crate::output::graph::scene::drawn;
    use crate::text::Text;

    fn quoted(text: &str) -> String {
        Lines(&[Text::from(text).to_string()]).to_string()
    }

    #[test]
    fn all_views_are_one_chart() {
        let expected = r##"flowchart LR
  subgraph g0["host"]
    p0["1 process"]:::who
    net_1("net 1<br>br0 bridge down<br>veth0 veth in br0"):::host
    user_2("user 2"):::host
    pid_3("pid 3"):::host
  end
  style g0 stroke-dasharray:4 3
  subgraph pod1["pod 0123456789ab"]
    net_10("net A 10<br>interfaces not known"):::shared0
    subgraph g1["podman#58;a"]
      p1["1 process<br>host’s user"]:::who
      pid_11("pid 11"):::own
    end
    subgraph g2["podman#58;b"]
      p2["1 process<br>host’s user"]:::who
      pid_12("pid 12"):::own
    end
  end
  subgraph g3["web.service"]
    p3["1 process<br>host’s net<br>not seen#58; pid"]:::who
    user_13("user 13"):::own
  end
  net_14("net 14<br>eth0 veth"):::own
  p4>"path /run/netns/x#34;#92;N"]:::holder
  net_1 ===|"veth0 – eth0"| net_14
  p1 --- net_10
  p2 --- net_10
  p4 -.->|"holds"| net_14
  pid_3 ==>|"parent of"| pid_11
  pid_3 ==>|"parent of"| pid_12
  user_13 -->|"owns"| net_14
  user_2 -->|"owns"| net_10
  user_2 -->|"owns net, pid"| p0
  user_2 -->|"owns pid"| p1
  user_2 -->|"owns pid"| p2
  user_2 ==>|"parent of"| user_13
  remarks["Not everything is known#58;<br>1 process #60;hides#62;"]:::remarks
  classDef remarks fill:#fff4d6,stroke:#a86200,color:#1b2026
  classDef who fill:none,stroke:none
  classDef host stroke-dasharray:4 3,fill:#e9ecf0,stroke:#8a94a0,color:#1b2026
  classDef own fill:#ffffff,stroke:#8a94a0,color:#1b2026
  classDef holder fill:#ffffff,stroke:#8a94a0,color:#1b2026
  classDef shared0 fill:#cfe3f7,stroke:#0069a8,color:#1b2026
"##;
        assert_eq!(drawn(ViewKinds::all(), write), expected);
    }

    #[test]
    fn wires_alone_show_net_namespaces_only() {
        let expected = r##"flowchart LR
  subgraph g0["host"]
    p0["1 process"]:::who
    net_1("net 1<br>br0 bridge down<br>veth0 veth in br0"):::host
  end
  style g0 stroke-dasharray:4 3
  subgraph pod1["pod 0123456789ab"]
    net_10("net A 10<br>interfaces not known"):::shared0
    subgraph g1["podman#58;a"]
      p1["1 process"]:::who
    end
    subgraph g2["podman#58;b"]
      p2["1 process"]:::who
    end
  end
  net_14("net 14<br>eth0 veth"):::own
  p4>"path /run/netns/x#34;#92;N"]:::holder
  net_1 ===|"veth0 – eth0"| net_14
  p1 --- net_10
  p2 --- net_10
  p4 -.->|"holds"| net_14
  remarks["Not everything is known#58;<br>1 process #60;hides#62;"]:::remarks
  classDef remarks fill:#fff4d6,stroke:#a86200,color:#1b2026
  classDef who fill:none,stroke:none
  classDef host stroke-dasharray:4 3,fill:#e9ecf0,stroke:#8a94a0,color:#1b2026
  classDef own fill:#ffffff,stroke:#8a94a0,color:#1b2026
  classDef holder fill:#ffffff,stroke:#8a94a0,color:#1b2026
  classDef shared0 fill:#cfe3f7,stroke:#0069a8,color:#1b2026
"##;
        assert_eq!(drawn(ViewKinds::of(ViewKind::Wires), write), expected);
    }

    #[test]
    fn a_quote_does_not_end_the_text() {
        assert_eq!(
            quoted(r#""]; click p0 call alert()"#),
            "#34;#93;#59; click p0 call alert()"
        );
    }

    #[test]
    fn a_directive_or_comment_is_text() {
        assert_eq!(
            quoted("%%{init: {}}%%"),
            "#37;#37;#123;init#58; #123;#125;#125;#37;#37;"
        );
    }

    #[test]
    fn markdown_is_text() {
        assert_eq!(quoted("`**a** _b_`"), "#96;#42;#42;a#42;#42; #95;b#95;#96;");
        assert_eq!(quoted("1. a"), "1#46; a");
        assert_eq!(quoted("- a"), "#45; a");
        assert_eq!(quoted("    a"), "#32;#32;#32;#32;a");
        assert_eq!(quoted("[x](javascript:1)"), "#91;x#93;(javascript#58;1)");
    }

    #[test]
    fn an_entity_is_text() {
        assert_eq!(quoted("#quot;&lt;"), "#35;quot#59;#38;lt#59;");
    }

    #[test]
    fn a_script_is_text() {
        assert_eq!(quoted("<script>"), "#60;script#62;");
    }

    #[test]
    fn a_style_is_text() {
        assert_eq!(quoted("style a:#b;"), "style a#58;#35;b#59;");
    }

    #[test]
    fn what_names_are_made_of_stays_legible() {
        let name = "/run/netns/my-net_1 10.0.0.1 end 漢字";
        assert_eq!(quoted(name), name);
    }

    #[test]
    fn line_breaks_and_control_characters_are_seen() {
        assert_eq!(quoted("a\nb\u{1b}"), r"a#92;x0ab#92;x1b");
        assert_eq!(Lines(&["a\nb\0"]).to_string(), "a#10;b#0;");
    }

    #[test]
    fn direction_marks_are_seen() {
        assert_eq!(quoted("\u{202e}txt"), "#92;xe2#92;x80#92;xaetxt");
    }
}
