//! Questions to a snapshot: columns and their values, the filter language, and
//! trees of rows.

mod column;
mod columns;
mod filter;
mod forest;
mod holder;
mod nearest;
mod order;
mod row;
mod value;

pub use column::{Align, Column, Naming, Type, UnknownColumn};
pub use filter::{Filter, FilterError};
pub use forest::{Placed, Relation, flat, grow};
pub use holder::place;
pub(crate) use holder::program;
pub(crate) use nearest::nearest;
pub use order::Branch;
pub use row::{Row, Subject};
pub use value::Value;
pub(crate) use value::master_of;
