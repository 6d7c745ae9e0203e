//! What can be asked of a snapshot: the table of columns, their values, the
//! language that filters rows, and the trees in which rows hang.

mod column;
mod columns;
mod filter;
mod forest;
mod holder;
mod order;
mod row;
mod value;

pub use column::{Align, Column, Type, UnknownColumn};
pub use filter::{Filter, FilterError};
pub use forest::{Placed, Relation, flat, grow};
pub use holder::place;
pub use order::Branch;
pub use row::{Row, Subject};
pub use value::Value;
