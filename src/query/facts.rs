//! The values of the columns that say what is in a namespace and whose it is.

use serde_json::json;

use crate::model::{Affiliation, Container, Facts, IdMap, TimeOffset};
use crate::query::{Row, Value};
use crate::text::Text;

/// Any bytes, or null.
fn bytes(text: Option<&Text>) -> Value<'_> {
    text.map_or(Value::Null, |text| Value::Text(text.as_bytes().into()))
}

fn lossy(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

/// A fact of the namespace of a row.
fn fact<'a, T>(row: &Row<'a>, get: impl Fn(&'a Facts) -> Option<T>) -> Option<T> {
    row.facts().and_then(get)
}

pub(super) fn hostname<'a>(row: &Row<'a>) -> Value<'a> {
    bytes(fact(row, |facts| facts.hostname.as_ref()))
}

pub(super) fn domain<'a>(row: &Row<'a>) -> Value<'a> {
    bytes(fact(row, |facts| facts.domain.as_ref()))
}

/// In a table, and for filters, the innermost.
pub(super) fn nspid<'a>(row: &Row<'a>) -> Value<'a> {
    let pids = row.details().map_or(&[][..], |details| &details.nspid);
    let innermost = pids.last().map(u32::to_string).unwrap_or_default();
    Value::Structured(innermost.into_bytes(), json!(pids))
}

/// What somebody wrote into the map; null if it is not known, [] if nobody did.
pub(super) fn id_map<'a>(map: Option<&[IdMap]>) -> Value<'a> {
    let Some(map) = map else {
        return Value::Structured(Vec::new(), serde_json::Value::Null);
    };
    let texts: Vec<_> = map.iter().map(IdMap::to_string).collect();
    let json = map
        .iter()
        .map(|map| json!({ "inner": map.inner, "outer": map.outer, "count": map.count }));
    Value::Structured(texts.join(",").into_bytes(), json.collect())
}

pub(super) fn time_offset<'a>(row: &Row<'a>) -> Value<'a> {
    fact(row, |facts| facts.time_offsets).map_or(Value::Null, |offsets| {
        let number = |offset: TimeOffset| match offset.nanoseconds {
            0 => json!(offset.seconds),
            nanoseconds => json!(offset.seconds as f64 + f64::from(nanoseconds) / 1e9),
        };
        let json = json!({
            "monotonic": number(offsets.monotonic),
            "boottime": number(offsets.boottime),
        });
        Value::Structured(offsets.to_string().into_bytes(), json)
    })
}

pub(super) fn cgroup_root<'a>(row: &Row<'a>) -> Value<'a> {
    bytes(fact(row, |facts| facts.cgroup_root.as_ref()))
}

/// As findmnt(8) writes it: the source, and in brackets the directory of it.
pub(super) fn mount_root<'a>(row: &Row<'a>) -> Value<'a> {
    fact(row, |facts| facts.mount_root.as_ref()).map_or(Value::Null, |root| {
        let text = match &root.dir[..] {
            b"/" => root.source.to_vec(),
            dir => [&root.source[..], b"[", dir, b"]"].concat(),
        };
        Value::Text(text.into())
    })
}

pub(super) fn interfaces<'a>(row: &Row<'a>) -> Value<'a> {
    let Some(interfaces) = fact(row, |facts| facts.interfaces.as_ref()) else {
        return Value::Structured(Vec::new(), serde_json::Value::Null);
    };
    let texts = interfaces.iter().map(|one| match one.peer_ns {
        Some(ns) => [one.name.as_bytes(), format!("@{ns}").as_bytes()].concat(),
        None => one.name.to_vec(),
    });
    let texts: Vec<_> = texts.collect();
    let json = interfaces
        .iter()
        .map(|one| json!({ "name": lossy(&one.name), "index": one.index, "peer_ns": one.peer_ns }));
    Value::Structured(texts.join(&b","[..]), json.collect())
}

pub(super) fn sysvipc<'a>(row: &Row<'a>) -> Value<'a> {
    fact(row, |facts| facts.sysvipc).map_or(Value::Null, |count| {
        let (queues, segments, semaphores) = (count.queues, count.segments, count.semaphores);
        let text = format!("queues={queues},segments={segments},semaphores={semaphores}");
        let json = json!({ "queues": queues, "segments": segments, "semaphores": semaphores });
        Value::Structured(text.into_bytes(), json)
    })
}

pub(super) fn host<'a>(row: &Row<'a>) -> Value<'a> {
    let word = |is_host| if is_host { "yes" } else { "no" };
    Value::text(fact(row, |facts| facts.is_host).map(word))
}

pub(super) fn container<'a>(row: &Row<'a>) -> Value<'a> {
    of_container(row, Container::to_string)
}

pub(super) fn engine<'a>(row: &Row<'a>) -> Value<'a> {
    several(row, |one| Some(one.container.as_ref()?.engine?.to_string()))
}

pub(super) fn pod<'a>(row: &Row<'a>) -> Value<'a> {
    several(row, |one| one.pod.clone())
}

pub(super) fn unit<'a>(row: &Row<'a>) -> Value<'a> {
    several(row, |one| one.unit.clone())
}

fn of_container<'a>(row: &Row<'a>, text: impl Fn(&Container) -> String) -> Value<'a> {
    several(row, |one| one.container.as_ref().map(&text))
}

/// Each once, in order.
fn several<'a>(row: &Row<'a>, text: impl Fn(&Affiliation) -> Option<String>) -> Value<'a> {
    let mut texts: Vec<String> = row.affiliations().filter_map(text).collect();
    texts.sort_unstable();
    texts.dedup();
    Value::Several(texts)
}
