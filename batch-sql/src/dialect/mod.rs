//! The few things in which databases differ, as far as generic writers need them.

mod sqlite;

use batch_core::Result;
use std::{future::Future, sync::Arc};

/// A driver's connection that [`SqlInsert`](crate::SqlInsert) and its like can write to; implemented by this crate alone.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a database connection of batch-sql",
    label = "rows cannot be written to this",
    note = "the transaction of the job's database lends one: `SqliteConnection`"
)]
pub trait SqlConn: Driver + Send + 'static {}

/// What a connection does for the writers. Not nameable outside, so that the set of databases is closed.
pub trait Driver {
    /// Values in the driver's own form.
    type Values: Values;

    /// The database's dialect.
    fn dialect(&self) -> &'static Dialect;

    /// No values, with room for so many.
    fn values(&self, capacity: usize) -> Self::Values;

    /// Runs one statement, kept prepared; returns how many rows it changed.
    fn run(&mut self, sql: Arc<str>, values: Self::Values) -> impl Future<Output = Result<u64>> + Send;

    /// Runs one statement for each row of values, kept prepared; returns how many rows each changed.
    fn run_each(&mut self, sql: Arc<str>, values: Self::Values) -> impl Future<Output = Result<Vec<u64>>> + Send;
}

/// Typed values for the placeholders of a statement, in order.
pub trait Values: Send {
    /// NULL.
    fn null(&mut self);
    /// An integer.
    fn integer(&mut self, value: i64);
    /// A floating-point number, never NaN.
    fn float(&mut self, value: f64);
    /// A truth value.
    fn boolean(&mut self, value: bool);
    /// A text.
    fn text(&mut self, value: &str);
    /// Bytes.
    fn bytes(&mut self, value: &[u8]);
}

/// How a database wants its statements.
#[derive(Debug)]
pub struct Dialect {
    /// Around names.
    pub quote: char,
    /// Placeholders in one statement at most.
    pub max_values: usize,
    /// Rows at most in a statement that is not for one length of chunk alone.
    pub max_rows: usize,
}

impl Dialect {
    /// A checked name, quoted.
    pub(crate) fn quoted(&self, name: &str) -> String {
        format!("{0}{name}{0}", self.quote)
    }

    /// How many rows of so many columns fit in one statement.
    pub(crate) fn most(&self, columns: usize) -> usize {
        (self.max_values / columns.max(1)).max(1)
    }

    /// Rows of the statements that are kept for chunks of any length: a power of two.
    pub(crate) fn block(&self, columns: usize) -> usize {
        1 << self.most(columns).min(self.max_rows).ilog2()
    }
}
