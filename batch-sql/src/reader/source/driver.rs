//! What differs from driver to driver of sqlx.

use crate::{reader::value::KeyValue, sql::Flavor};
use batch_core::BoxError;
use futures_util::{future::BoxFuture, stream::BoxStream};
use sqlx::{AssertSqlSafe, Database};

/// A statement and its values, ready for sqlx.
pub struct Statement<DB: Database> {
    /// See [`Query::sql`](super::Query::sql).
    pub(crate) sql: String,
    /// See [`Query::arguments`](super::Query::arguments).
    pub(crate) arguments: DB::Arguments,
    /// See [`Query::recurs`](super::Query::recurs).
    pub(crate) recurs: bool,
}

impl<DB: Database> Statement<DB> {
    /// The text; its names were checked and quoted, its values are bound.
    pub(super) fn text(self) -> (AssertSqlSafe<String>, DB::Arguments, bool) {
        (AssertSqlSafe(self.sql), self.arguments, self.recurs)
    }
}

/// A driver of sqlx. Implemented for the three.
pub trait Driver: Database<Arguments: Clone + Sync + 'static> {
    /// The dialect of its databases.
    const FLAVOR: Flavor;

    /// The rows of a query.
    fn rows(conn: &mut Self::Connection, statement: Statement<Self>) -> BoxStream<'_, Result<Self::Row, sqlx::Error>>;

    /// Runs a statement; returns how many rows it changed.
    fn execute(conn: &mut Self::Connection, statement: Statement<Self>) -> BoxFuture<'_, Result<u64, sqlx::Error>>;

    /// Runs statements without values.
    fn batch<'c>(conn: &'c mut Self::Connection, sql: &'static str) -> BoxFuture<'c, Result<(), sqlx::Error>>;

    /// The value of a key column, `None` for NULL; the error says why it cannot be kept.
    fn key(row: &Self::Row, index: usize) -> Result<Option<KeyValue>, BoxError>;

    /// The reverse of [`Self::key`].
    fn add_key(arguments: &mut Self::Arguments, value: &KeyValue) -> Result<(), BoxError>;

    /// Adds an integer.
    fn add_integer(arguments: &mut Self::Arguments, value: i64) -> Result<(), BoxError>;

    /// Adds a text.
    fn add_text(arguments: &mut Self::Arguments, value: &str) -> Result<(), BoxError>;

    /// A column as text.
    fn text(row: &Self::Row, index: usize) -> Result<Option<String>, sqlx::Error>;
}

/// A value that another kind of database made.
pub(super) fn foreign(value: &KeyValue) -> BoxError {
    format!("the saved key value {value:?} is of another flavor of database").into()
}
