//! Writes what was found, in one of several formats. Nothing here knows where
//! the data came from.

mod align;
mod format;
mod graph;
mod heading;
mod hyperlink;
mod json;
mod list_columns;
mod listing;
mod messages;
mod openmetrics;
mod palette;
mod table;
mod tree;
mod vertical;

pub use format::{Format, JsonLayout, Look};
pub(crate) use graph::{GraphFormat, write as write_graph};
pub(crate) use heading::Heading;
pub(crate) use json::{Object, VERSION, gaps, write_document, write_keys, write_line};
pub use list_columns::list_columns;
pub use listing::{Listing, Taken};
pub(crate) use messages::{counted, describe, looked_for, summarise, why};
pub(crate) use openmetrics::write_metrics;
pub use palette::{Palette, Role};
pub(crate) use table::Table;
