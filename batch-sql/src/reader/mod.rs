//! Readers of rows.

mod bound;
mod claim;
mod cursor;
mod dialect;
mod facts;
mod fault;
mod keyed;
mod keyset;
mod order;
mod range;
mod relation;
mod source;
mod statement;
mod task;
mod text;
mod value;

pub use claim::{Claim, ClaimPosition};
pub use cursor::{CursorPosition, SqlCursor};
pub use keyset::{Keyset, KeysetPosition, Lowest};
pub use order::{KeyColumn, asc, desc};
pub use range::{KeyRange, ranges};
pub use source::{Bind, SqlSource};
