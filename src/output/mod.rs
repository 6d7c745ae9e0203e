//! Writers, one file a format. Data goes in and text comes out; nothing here
//! knows where the data came from.

mod json;
mod list_columns;
mod listing;
mod messages;
mod raw;
mod rows;
mod table;

pub(crate) use json::{Object, write_document, write_keys};
pub use list_columns::list_columns;
pub use listing::{Format, Listing, Look};
pub(crate) use messages::{describe, summarise};
pub(crate) use rows::Rows;
