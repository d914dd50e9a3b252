//! How each database is written to: which statements, in what blocks, with values in which form.

mod blocks;
mod moment;
mod mysql;
mod postgres;
mod sqlite;
mod target;
mod task;

pub(crate) use self::{
    target::{Action, Misses},
    task::Task,
};

use batch_core::{Chunk, Result};
use serde::Serialize;
use std::future::Future;

/// A driver's connection that [`SqlInsert`](crate::SqlInsert) and its like can write to; implemented by this crate alone.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a database connection of batch-sql",
    label = "rows cannot be written to this",
    note = "the transaction of the job's database lends one: `SqliteConnection`, `PgConnection` or `MySqlConnection`"
)]
pub trait SqlConn: Driver + Send + 'static {}

/// What a connection does for the writers. Not nameable outside, so that the set of databases is closed.
///
/// A connection that may be one of several databases' forwards to the one it is; the task learns anew whom it works for.
pub trait Driver {
    /// Carries out `task` for all items, in their order, or fails; what it did until then is the transaction's to undo.
    fn write<T: Serialize + Sync>(&mut self, task: &mut Task, items: Chunk<'_, T>) -> impl Future<Output = Result<()>> + Send;
}
