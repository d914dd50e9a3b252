//! The databases that can be read, and what readers ask of them.

mod database;
mod driver;
mod mysql;
mod pooled;
mod postgres;
mod sqlite;
mod stream;

use super::value::KeyValue;
use crate::sql::Flavor;
use batch_core::BoxError;
use driver::Driver;
use std::{fmt::Debug, future::Future};
use tokio::sync::mpsc::Sender;

/// A database whose rows are read as `T`: the job's own handle, or a pool of sqlx for any other database.
///
/// Connections of a handle count as the job's where a reader keeps one; those of a pool do not.
#[diagnostic::on_unimplemented(
    message = "rows of `{Self}` cannot be read as `{T}`",
    label = "no rows of `{T}` here",
    note = "derive it: `#[derive(sqlx::FromRow)]`, each field of a type that every database concerned has"
)]
pub trait SqlSource<T>: Rows<T> {}

impl<T, D: Rows<T>> SqlSource<T> for D {}

/// A database. Not nameable outside, so that the set of databases is closed.
pub trait Source: Clone + Debug + Send + Sync + 'static {
    /// Values for the placeholders of a statement.
    type Arguments: Clone + Send + Sync + 'static;
    /// A connection, which goes back to its pool when it is dropped.
    type Conn: Send + 'static;

    /// Its dialect.
    fn flavor(&self) -> Flavor;

    /// How many of the job's connections one of its connections is.
    fn counts(&self) -> usize;

    /// No values.
    fn arguments(&self) -> Self::Arguments;

    /// Adds the value of a key; an error where another kind of database made it.
    fn add_key(arguments: &mut Self::Arguments, value: &KeyValue) -> Result<(), BoxError>;

    /// Adds an integer.
    fn add_integer(arguments: &mut Self::Arguments, value: i64) -> Result<(), BoxError>;

    /// Adds a text.
    fn add_text(arguments: &mut Self::Arguments, value: &str) -> Result<(), BoxError>;

    /// A connection of the pool.
    fn acquire(&self) -> impl Future<Output = Result<Self::Conn, sqlx::Error>> + Send;

    /// Closes a connection instead of giving it back: a statement may still be under way on it.
    fn discard(conn: Self::Conn);

    /// Runs statements without values.
    fn batch(conn: &mut Self::Conn, sql: &'static str) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// Runs a statement; returns how many rows it changed.
    fn execute(conn: &mut Self::Conn, query: Query<Self>) -> impl Future<Output = Result<u64, sqlx::Error>> + Send;

    /// Rows of texts.
    fn texts(conn: &mut Self::Conn, query: Query<Self>) -> impl Future<Output = Result<Vec<Texts>, sqlx::Error>> + Send;
}

/// A row of texts.
pub(super) type Texts = Vec<Option<String>>;

/// Binds a value of the user's own to a placeholder.
#[diagnostic::on_unimplemented(
    message = "`{V}` is no value of a statement on `{Self}`",
    label = "sqlx cannot bind this there",
    note = "a value needs `sqlx::Encode` and `sqlx::Type` for every database concerned"
)]
pub trait Bind<V>: Source {
    /// Adds the value.
    fn bind(arguments: &mut Self::Arguments, value: V) -> Result<(), BoxError>;
}

/// Reads rows as `T`.
pub trait Rows<T>: Source {
    /// All rows of a query; the last `keys` columns are the key's.
    fn fetch(
        conn: &mut Self::Conn,
        query: Query<Self>,
        keys: usize,
    ) -> impl Future<Output = Result<Vec<Fetched<T>>, sqlx::Error>> + Send;

    /// Sends the rows of a query, but the first `pass`, so many at a time; ends early when nobody listens.
    fn stream(
        conn: &mut Self::Conn,
        query: Query<Self>,
        window: Window,
        into: &Sender<Vec<Result<T, sqlx::Error>>>,
    ) -> impl Future<Output = Result<Streamed, sqlx::Error>> + Send;
}

/// A statement with its values.
#[derive(Debug)]
pub struct Query<D: Source> {
    /// Built of checked and quoted names, placeholders, and the user's own SQL.
    pub sql: String,
    /// In the order of the placeholders.
    pub arguments: D::Arguments,
    /// Whether it comes again and again, so that it is worth being kept prepared.
    pub recurs: bool,
}

/// A row.
#[derive(Debug)]
pub struct Fetched<T> {
    /// The row as an item, or why it is none.
    pub item: Result<T, sqlx::Error>,
    /// The values of its key, or why they are none.
    pub key: Result<Vec<KeyValue>, KeyProblem>,
}

/// A key that no position can hold.
#[derive(Debug)]
pub struct KeyProblem {
    /// Number of the key column, from 0.
    pub column: usize,
    /// What is wrong with its value.
    pub reason: String,
}

/// Which part of a stream to send, and how.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// Rows to leave out at the beginning.
    pub pass: u64,
    /// Rows sent at a time.
    pub batch: usize,
}

/// How a stream ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Streamed {
    /// All rows were sent.
    All,
    /// There were only so many rows, fewer than were to be left out.
    TooShort(u64),
    /// Nobody listened any more; rows may still be under way on the connection.
    Unheard,
}
