//! What can be asked of a snapshot: the table of columns, their values, and
//! the language that filters rows.

mod column;
mod filter;
mod row;
mod value;

pub use column::{Align, Column, Type, UnknownColumn};
pub use filter::{Filter, FilterError};
pub use row::Row;
pub use value::Value;
