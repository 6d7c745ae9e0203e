use std::fmt::Display;

use crate::analysis::picture::{Lane, Port};
use crate::model::NsId;
use crate::output::graph::chart::{COLUMNS, Drawing};
use crate::output::graph::markup::cut;

/// So many lines there are of one sort in one place.
const FEW: usize = 8;

impl Drawing<'_> {
    /// Returns a line for each of the first interfaces of a net namespace but the
    /// loopback, and one if they are unknown.
    pub(super) fn interfaces(&self, id: NsId) -> Vec<String> {
        let unknown = &self.picture.wires.unknown;
        let mut lines = Vec::new();
        if let Some(lane) = self.lanes.get(&id) {
            let ports = lane.ports.iter();
            let ports = ports.filter(|port| !port.interface.is_loopback());
            lines.extend(few(ports.map(|port| line(port, lane)).collect()));
        }
        if let Some(addresses) = self.picture.addresses.get(&id) {
            let addresses = addresses.iter().map(|one| cut(one, COLUMNS));
            lines.extend(few(addresses.collect()));
        } else if unknown.iter().any(|namespace| namespace.id == id) {
            lines.push("interfaces not known".to_owned());
        }
        lines
    }
}

/// Returns the name of an interface, or of many that are alike.
pub(super) fn called(port: &Port<'_>) -> String {
    let name = &port.interface.name;
    match port.alike.len() {
        0 => name.to_string(),
        count => format!("{name} and {count} alike"),
    }
}

/// Returns what there is to say of an interface: `eth0 veth 10.88.0.2/16`, `vnet0 in
/// br0`.
fn line(port: &Port<'_>, lane: &Lane<'_>) -> String {
    let one = port.interface;
    let mut text = called(port);
    let mut add = |word: &dyn Display| text += &format!(" {word}");
    if let Some(kind) = &one.kind {
        add(kind);
    }
    if one.is_up == Some(false) {
        add(&"down");
    }
    let master = port.master.and_then(|place| lane.ports.get(place));
    if let Some(master) = master {
        add(&format_args!("in {}", master.interface.name));
    }
    one.addresses.iter().for_each(|address| add(address));
    cut(&text, COLUMNS)
}

/// Returns the first lines, and how many more there are.
pub(super) fn few(mut lines: Vec<String>) -> Vec<String> {
    let more = lines.len().saturating_sub(FEW);
    if more > 1 {
        lines.truncate(FEW);
        lines.push(format!("and {more} more"));
    }
    lines
}
