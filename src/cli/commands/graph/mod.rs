//! `nsls graph`: a picture of who is in which namespaces.

mod saved;

use std::collections::BTreeSet;
use std::path::Path;

use crate::analysis::picture::{Picture, Processes, ViewKind, ViewKinds, shown_processes};
use crate::cli::args::{self, GraphArgs, ViewArgs};
use crate::cli::console::{Console, Outcome};
use crate::cli::error::CliError;
use crate::cli::replace::Place;
use crate::cli::saved::read;
use crate::cli::stderr::warn;
use crate::cli::view::View;
use crate::model::{Kind, KindSet, Snapshot, Source};
use crate::output::{GraphFormat, describe, write_graph};
use crate::scan::{Need, Needs};
use crate::text::Text;

/// Runs `nsls graph`.
pub(crate) fn run(args: GraphArgs, console: &mut Console<'_>) -> Result<Outcome, CliError> {
    let view = View::new(ViewArgs::plain(args.scan), console.terminal);
    let place = args.output.as_deref().map(Place::open).transpose()?;
    if args.format == args::Picture::Html && place.is_none() && console.terminal.width.is_some() {
        let message = "html is for browsers, not for terminals: use --output FILE or a redirection";
        return Err(CliError::Usage(message.to_owned()));
    }
    let format = args.format.into();
    let views = match (args.view, format) {
        (Some(only), _) => ViewKinds::of(only),
        (None, GraphFormat::Svg) => ViewKinds::of(ViewKind::Matrix),
        (None, _) => ViewKinds::all(),
    };
    match &args.file {
        Some(path) => draw_saved(path, views, format, &view, place, console),
        None => {
            let time = view.taken().time;
            let snapshot = scan(&view, views)?;
            let mut picture = Picture::new(&snapshot, views, Processes::All);
            // What is not known about namespaces is not drawn, even if nothing hides it.
            let about = [Source::Contents, Source::Cgroups];
            let told = snapshot.gaps.iter();
            let told = told.filter(|gap| gap.cause.hides() || about.contains(&gap.source));
            picture.remarks = told.map(|gap| describe(gap).into()).collect();
            picture.time = time;
            let written = write(&picture, format, place, console)?;
            console.finish(&snapshot, &view, false, written)
        }
    }
}

/// Draws a document. What it lacks is said on the picture, as is what was hidden from
/// whoever made it.
fn draw_saved(
    path: &Path,
    views: ViewKinds,
    format: GraphFormat,
    view: &View,
    place: Option<Place>,
    console: &mut Console<'_>,
) -> Result<Outcome, CliError> {
    let parsed = read(path)
        .and_then(|bytes| crate::cli::saved::parse(&bytes))
        .and_then(saved::require);
    let document = parsed.map_err(|why| CliError::Undrawable {
        path: path.to_owned(),
        why,
    })?;
    let (time, complete) = (document.time, document.complete);
    let hidden: Vec<Text> = document
        .hidden
        .iter()
        .map(|one| one.as_str().into())
        .collect();
    let absent = saved::absent(&document, views);
    let addresses = saved::addresses(&document);
    let snapshot = saved::snapshot(document);
    let mut picture = Picture::new(&snapshot, views, Processes::Representatives);
    picture.time = time;
    picture.is_complete = complete;
    picture.addresses = addresses;
    picture.remarks.extend(hidden.iter().cloned());
    picture.remarks.extend(absent);
    let written = write(&picture, format, place, console)?;
    let outcome = console.finish(&snapshot, view, false, written)?;
    if complete {
        return Ok(outcome);
    }
    let mut line = "the document is incomplete".to_owned();
    for (place, one) in hidden.iter().enumerate() {
        line += if place == 0 { ": " } else { ", " };
        line += &one.to_string();
    }
    warn(&line);
    Ok(outcome.or(Outcome::Incomplete, view.strict))
}

/// Writes a picture to its place, or else to standard output. The inner error is that
/// of standard output.
fn write(
    picture: &Picture<'_>,
    format: GraphFormat,
    place: Option<Place>,
    console: &mut Console<'_>,
) -> Result<std::io::Result<()>, CliError> {
    let Some(place) = place else {
        return Ok(write_graph(picture, format, console.out));
    };
    let mut text = Vec::new();
    write_graph(picture, format, &mut text).map_err(CliError::Output)?;
    place.replace(&text)?;
    Ok(Ok(()))
}

fn scan(view: &View, views: ViewKinds) -> Result<Snapshot, CliError> {
    let scanner = view.scanner().needs(needs(views)).kinds(kinds(views));
    let mut snapshot = scanner.scan()?;
    let shown: BTreeSet<_> = shown_processes(&snapshot, views).into_iter().collect();
    scanner.describe(&mut snapshot, &shown)?;
    Ok(snapshot)
}

/// Returns what the views show.
fn needs(views: ViewKinds) -> Needs {
    let mut needs = Needs::from([
        Need::Members,
        Need::Affiliation,
        Need::Host,
        Need::Command,
        Need::Mounts,
    ]);
    if views.contains(ViewKind::Matrix) {
        needs.insert(Need::Holders);
    }
    if views.contains(ViewKind::Tree) {
        needs.insert(Need::Relations);
    }
    if views.contains(ViewKind::Wires) {
        needs = needs.union([Need::Interfaces, Need::Addresses].into());
    }
    needs
}

/// Returns the types of namespaces that the views show.
fn kinds(views: ViewKinds) -> KindSet {
    match views == ViewKinds::of(ViewKind::Wires) {
        true => KindSet::of(Kind::Net),
        false => KindSet::all(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_view_costs_what_only_another_shows() {
        let dear = Needs::from([
            Need::Holders,
            Need::Relations,
            Need::Interfaces,
            Need::Addresses,
        ]);
        let costs = |view| needs(ViewKinds::of(view)).intersection(dear);
        assert_eq!(costs(ViewKind::Matrix), Needs::of(Need::Holders));
        assert_eq!(costs(ViewKind::Tree), Needs::of(Need::Relations));
        let wires = Needs::from([Need::Interfaces, Need::Addresses]);
        assert_eq!(costs(ViewKind::Wires), wires);
        assert_eq!(needs(ViewKinds::all()).intersection(dear), dear);
        assert_eq!(
            kinds(ViewKinds::of(ViewKind::Wires)),
            KindSet::of(Kind::Net)
        );
        assert_eq!(kinds(ViewKinds::of(ViewKind::Tree)), KindSet::all());
    }
}
