//! Writers of rows.

mod insert;
mod row;
mod shape;
mod statement;
mod update;
mod upsert;
mod value;

pub use insert::SqlInsert;
pub use statement::{Bound, SqlWriter};
pub use update::SqlUpdate;
pub use upsert::SqlUpsert;
