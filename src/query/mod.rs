//! What can be asked of a snapshot: the table of columns, their values, the
//! language that filters rows, and the trees in which rows hang.

mod column;
mod facts;
mod filter;
mod forest;
mod holder;
mod order;
mod row;
mod value;

pub use column::{Align, Column, Type, UnknownColumn};
pub use filter::{Filter, FilterError};
pub use forest::{Placed, Relation, flat, grow};
pub(crate) use holder::write_keys;
pub use holder::{HolderJson, place};
pub use order::Branch;
pub use row::{Row, Subject};
pub use value::Value;
