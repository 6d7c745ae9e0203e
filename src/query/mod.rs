//! Questions to a snapshot: columns and their values, the filter language, and
//! the order of rows, in trees and in groups.

mod column;
mod columns;
mod filter;
mod forest;
mod grouping;
mod holder;
mod nearest;
mod order;
mod row;
mod sort;
mod value;

pub use column::{Align, Column, Naming, Type, UnknownColumn};
pub use filter::{Filter, FilterError};
pub use forest::{Placed, Relation, flat, grow};
pub use grouping::{Grouping, grouped};
pub use holder::place;
pub(crate) use holder::program;
pub(crate) use nearest::nearest;
pub use order::Branch;
pub use row::{Row, Subject};
pub use sort::{Sort, SortColumn};
pub use value::Value;
pub(crate) use value::master_of;
