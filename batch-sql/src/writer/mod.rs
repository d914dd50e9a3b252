//! Writers of rows.

mod delete;
mod insert;
mod statement;
mod update;
mod upsert;

pub use delete::SqlDelete;
pub use insert::SqlInsert;
pub use statement::{Bound, SqlWriter};
pub use update::SqlUpdate;
pub use upsert::SqlUpsert;
