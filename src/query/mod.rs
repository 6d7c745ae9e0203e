//! What can be asked of a snapshot: the table of columns and their values.

mod column;
mod row;
mod value;

pub use column::{Align, Column, Type, UnknownColumn};
pub use row::Row;
pub use value::Value;
