use std::io::{self, Write};

use crate::analysis::picture::{Cable, Lane, Port, Socket, Tone};
use crate::model::{Interface, Namespace};
use crate::output::graph::labels::counted;
use crate::output::graph::markup::{Xml, cut};
use crate::output::graph::svg::canvas::{CHIP, Canvas, MARGIN, chip_width};

/// The width of a lane, and the height of a port in it.
const LANE: usize = 760;
const PORT: usize = 24;

/// The distance of the tracks in which cables run, and how many there are.
const TRACK: usize = 12;
const TRACKS: usize = 40;

/// Where the parts of a port stand, from the left of its lane.
const KIND: usize = 170;
const ADDRESSES: usize = 260;

/// Draws a lane for each net namespace, and cables at their right side.
pub(in crate::output::graph) fn wires(canvas: &mut Canvas<'_>) -> io::Result<()> {
    let wires = &canvas.picture.wires;
    canvas.width = MARGIN + LANE;
    let mut plugs: Vec<Vec<usize>> = Vec::new();
    for lane in &wires.lanes {
        plugs.push(draw_lane(canvas, lane)?);
    }
    let plug = |socket: Socket| plugs.get(socket.lane)?.get(socket.port).copied();
    let mut spans: Vec<(usize, usize, &Cable)> = Vec::new();
    for cable in &wires.cables {
        if let Some((from, to)) = plug(cable.from).zip(plug(cable.to)) {
            spans.push((from.min(to), from.max(to), cable));
        }
    }
    // Short cables run inside, so that long ones go around them.
    spans.sort_unstable_by_key(|(top, bottom, cable)| (bottom - top, *top, **cable));
    let mut tracks: Vec<Track> = vec![Track::default(); TRACKS];
    for (place, (top, bottom, cable)) in spans.into_iter().enumerate() {
        // If there are too many, the last ones lie on each other.
        let free = tracks.iter_mut().position(|track| track.take(top, bottom));
        let track = free.unwrap_or(TRACKS);
        draw_cable(canvas, cable, (top, bottom), track, place % 8)?;
    }
    list(canvas, "Nothing but a loopback", &wires.bare)?;
    list(canvas, "Interfaces not known", &wires.unknown)
}

/// A place for cables that do not touch: where each begins, and where it ends.
#[derive(Clone, Default)]
struct Track(Vec<(usize, usize)>);

impl Track {
    /// Takes a part of it, and returns whether that was free.
    fn take(&mut self, top: usize, bottom: usize) -> bool {
        let after = self.0.partition_point(|(start, _)| *start <= bottom + 4);
        let last = after.checked_sub(1).and_then(|place| self.0.get(place));
        let is_free = last.is_none_or(|(_, end)| end + 4 < top);
        if is_free {
            self.0.insert(after, (top, bottom));
        }
        is_free
    }
}

/// Draws a lane, and returns the height of the plug of each port.
fn draw_lane(canvas: &mut Canvas<'_>, lane: &Lane<'_>) -> io::Result<Vec<usize>> {
    let (x, top) = (MARGIN, canvas.height);
    let id = lane.namespace.id;
    let loose = canvas.picture.addresses.get(&id);
    let rows = lane.ports.len() + usize::from(loose.is_some());
    let height = 40 + rows * PORT + 6;
    let class = match canvas.picture.tone(id) {
        Tone::Host => "card of-host",
        _ => "card",
    };
    writeln!(
        canvas.body,
        "<rect class=\"{class}\" x=\"{x}\" y=\"{top}\" width=\"{LANE}\" height=\"{height}\" rx=\"8\"/>"
    )?;
    let name = format!("net {}", canvas.labels.name(id));
    let width = canvas.chip(x + 12, top + 9, lane.namespace, &name)?;
    let mut text = canvas.labels.parties(id, 3).to_string();
    if let Some(name) = netns(lane.namespace).filter(|name| !text.contains(name)) {
        text += &format!(", netns {name}");
    }
    if !lane.alike.is_empty() {
        text += &format!(", and {} alike", lane.alike.len());
    }
    canvas.text(x + width + 22, top + 24, "bold", &cut(&text, 84))?;
    let mut plugs = Vec::new();
    for (place, port) in lane.ports.iter().enumerate() {
        let y = top + 40 + place * PORT;
        draw_port(canvas, port, place, x + 18, y)?;
        plugs.push(y + PORT / 2);
    }
    if let Some(loose) = loose {
        let words: Vec<String> = loose.iter().map(ToString::to_string).collect();
        let text = cut(&format_args!("addresses {}", words.join(" ")), 98);
        canvas.text(
            x + 18,
            top + 40 + lane.ports.len() * PORT + 16,
            "soft",
            &text,
        )?;
    }
    canvas.height = top + height + 14;
    Ok(plugs)
}

fn draw_port(
    canvas: &mut Canvas<'_>,
    port: &Port<'_>,
    place: usize,
    x: usize,
    y: usize,
) -> io::Result<()> {
    let one = port.interface;
    let mut left = x;
    if let Some(master) = port.master {
        // A bracket leads to the bridge.
        let up = place.saturating_sub(master) * PORT;
        let path = format!(
            "M{} {}V{}h10",
            x + 6,
            (y + PORT).saturating_sub(up + 4),
            y + 12
        );
        canvas.path("edge", &path)?;
        left += 22;
    }
    let mut name = one.name.to_string();
    if !port.alike.is_empty() {
        name += &format!(" and {} alike", port.alike.len());
    }
    writeln!(
        canvas.body,
        "<text x=\"{left}\" y=\"{}\" class=\"bold\"><title>{}</title>{}</text>",
        y + 16,
        Xml(&describe(one)),
        Xml(&cut(&name, if port.alike.is_empty() { 19 } else { 30 })),
    )?;
    let state = match one.is_up {
        Some(true) => "",
        Some(false) => " down",
        None => " ?",
    };
    let kind = one
        .kind
        .as_ref()
        .map_or_else(String::new, ToString::to_string);
    let mut x = x + KIND;
    if port.alike.is_empty() {
        canvas.text(x, y + 16, "soft", &cut(&format_args!("{kind}{state}"), 12))?;
    }
    x += ADDRESSES - KIND;
    let mut words: Vec<String> = one.addresses.iter().map(ToString::to_string).collect();
    if one.link.is_some() && one.peer.is_none() {
        words.push("(the other end was not seen)".to_owned());
    }
    canvas.text(x, y + 16, "", &cut(&words.join(" "), 66))
}

/// Returns all there is to say of an interface in a line.
fn describe(one: &Interface) -> String {
    let mut text = one.name.to_string();
    if let Some(kind) = &one.kind {
        text += &format!(", {kind}");
    }
    if let Some(mac) = &one.mac {
        text += &format!(", {mac}");
    }
    for address in &one.addresses {
        text += &format!(", {address}");
    }
    if let Some((peer, ns)) = one.peer.as_ref().zip(one.peer_ns) {
        text += &format!(", connected to {peer} in net:[{ns}]");
    }
    text
}

fn draw_cable(
    canvas: &mut Canvas<'_>,
    cable: &Cable,
    (top, bottom): (usize, usize),
    track: usize,
    hue: usize,
) -> io::Result<()> {
    let from = MARGIN + LANE;
    let x = from + 16 + track * TRACK;
    canvas.width = canvas.width.max(x);
    let name = |socket: Socket| {
        let lane = canvas.picture.wires.lanes.get(socket.lane)?;
        let port = lane.ports.get(socket.port)?;
        let parties = canvas.labels.parties(lane.namespace.id, 1);
        Some(format!("{} of {parties}", port.interface.name))
    };
    let ends = name(cable.from).zip(name(cable.to)).unwrap_or_default();
    let (class, kind) = match cable.is_veth {
        true => ("cable", "connected to"),
        false => ("cable low", "on top of"),
    };
    writeln!(
        canvas.body,
        "<g class=\"s{hue}\"><title>{} {kind} {}</title><path class=\"{class}\" d=\"M{from} {top}H{}q6 0 6 6V{}q0 6 -6 6H{from}\"/><circle class=\"plug\" cx=\"{from}\" cy=\"{top}\" r=\"4\"/><circle class=\"plug\" cx=\"{from}\" cy=\"{bottom}\" r=\"4\"/></g>",
        Xml(&ends.0),
        Xml(&ends.1),
        x - 6,
        bottom - 6,
    )
}

/// Returns the name that ip-netns(8) has for a net namespace.
fn netns(namespace: &Namespace) -> Option<String> {
    let mut names = namespace.mounts.iter().filter_map(|path| {
        let name = path.strip_prefix(b"/run/netns/")?;
        Some(crate::text::for_table(name))
    });
    names.next()
}

/// Draws namespaces of which there is no more to say.
fn list(canvas: &mut Canvas<'_>, title: &str, all: &[&Namespace]) -> io::Result<()> {
    const FEW: usize = 24;
    if all.is_empty() {
        return Ok(());
    }
    let text = format!(
        "{title}: {}",
        counted(all.len(), "net namespace", "net namespaces")
    );
    canvas.text(MARGIN, canvas.height + 16, "bold soft", &text)?;
    canvas.height += 26;
    let (mut x, mut y) = (MARGIN, canvas.height);
    for namespace in all.iter().take(FEW) {
        let parties = canvas.labels.parties(namespace.id, 1);
        let name = cut(
            &format_args!("{} {parties}", canvas.labels.name(namespace.id)),
            40,
        );
        let width = chip_width(&name);
        if x + width > MARGIN + LANE && x > MARGIN {
            x = MARGIN;
            y += CHIP + 6;
        }
        canvas.chip(x, y, namespace, &name)?;
        x += width + 6;
    }
    canvas.height = y + CHIP + 6;
    if all.len() > FEW {
        let more = format!("and {} more", all.len() - FEW);
        canvas.text(MARGIN, canvas.height + 12, "soft", &more)?;
        canvas.height += 20;
    }
    canvas.height += 8;
    Ok(())
}
