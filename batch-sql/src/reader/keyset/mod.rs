//! Reads a table page by page, each page behind the last key of the one before.

mod builder;
mod columns;
mod own;
#[cfg(test)]
mod plans;
mod position;
mod predicate;

pub use own::Lowest;
pub use position::KeysetPosition;

use super::{
    fault, order,
    source::{Fetched, Query, SqlSource},
    task::Work,
    value::KeyValue,
};
use batch_core::{Reader, Result};
use columns::Columns;
use std::{collections::VecDeque, fmt, future::Future};

/// Reads rows in the order of a unique key, a page at a time; the default reader of tables.
///
/// ```
/// # use batch_sql::{Database, Keyset, desc};
/// # async fn example(db: &Database) {
/// #[derive(sqlx::FromRow)]
/// struct Order { id: i64, user_id: i64, cents: i64 }
///
/// // Any table with a primary key; columns, filter and page size may be left out.
/// let orders = Keyset::<Order, _>::table(db, "orders")
///     .columns(["id", "user_id", "cents"])
///     .filter("user_id = ? AND cents > ?").bind(7).bind(100)
///     .key(["id"])
///     .page_size(500);
///
/// // Any query; who writes it knows whether its key is unique.
/// let sums = Keyset::<(i64, i64), _>::query(db, "SELECT user_id, sum(cents) AS cents FROM orders GROUP BY user_id")
///     .key([desc("cents"), "user_id".into()])
///     .key_is_unique();
///
/// // A statement of one's own, whose one `?` is the last key.
/// let own = Keyset::new(db, "SELECT id, user_id, cents FROM orders WHERE id > ? ORDER BY id LIMIT 500", |o: &Order| o.id);
/// # }
/// ```
///
/// A connection of the pool is taken for each page and given back with it, so that a pool of one serves reader and writer in turn.
/// Memory is bounded by a page.
///
/// # The key
/// One or more columns, each ascending or descending, of any type that the database sorts (not ENUM, SET, BIT and JSON of MySQL, nor
/// its zero dates). No two rows may have the same key, and none NULL in it: rows would be left out. For a table the database's catalog
/// is asked when the step starts, and a key that is not known to be so is refused (`Configuration`); `key_is_unique` overrides that.
/// What it overrides is looked at as far as it is seen: NULL at the start, keys that are equal one after the other.
///
/// Each page is found by an index whose columns begin with the key's, in the same directions or all in the opposite ones.
///
/// # Changes meanwhile
/// Each page is a query of its own, which sees what is committed by then: rows that come ahead of the position are read, rows that come
/// behind it, or behind the last page fetched, are not. So new rows are met by a key that grows.
///
/// # Errors
/// A row that is no `T` is a [`BadRecord`](batch_core::BadRecord) with its key as the raw text; the reader stands after it. A connection
/// that cannot be had or is lost, and a lock that is not, are [`Transient`](batch_core::Transient): the page is asked for again.
///
/// # Restart
/// The position holds the key of the last row, exactly, and the columns of the key; a reader with another key refuses it
/// (`NeedsOperator`).
pub struct Keyset<T, D, P = Columns<D>> {
    source: D,
    paging: P,
    page: VecDeque<Record<T>>,
    position: KeysetPosition,
    /// No rows come behind those of the page.
    is_last: bool,
    fetching: Work<Vec<Fetched<T>>>,
}

/// A row and its key.
#[derive(Debug)]
pub struct Record<T> {
    item: Result<T, sqlx::Error>,
    key: Vec<KeyValue>,
}

/// How pages are asked for. Not nameable outside.
pub trait Paging<T, D: SqlSource<T>>: Send + Sync + 'static {
    /// Checks everything that can be known before the first page.
    fn prepare(&mut self, source: &D) -> impl Future<Output = Result<()>> + Send;

    /// The key, in words.
    fn order(&self) -> String;

    /// What is read, in words.
    fn name(&self) -> String;

    /// The query of the page behind `after`, and how many key columns its rows end with.
    fn page(&self, source: &D, after: Option<&[KeyValue]>) -> Result<(Query<D>, usize)>;

    /// The rows with their keys, and whether they are the last.
    fn cut(&self, rows: Vec<Fetched<T>>, after: Option<&[KeyValue]>) -> Result<(VecDeque<Record<T>>, bool)>;
}

impl<T, D, P> Keyset<T, D, P>
where
    T: Send + 'static,
    D: SqlSource<T>,
    P: Paging<T, D>,
{
    fn with(source: &D, paging: P) -> Self {
        Self {
            source: source.clone(),
            paging,
            page: VecDeque::new(),
            position: KeysetPosition::default(),
            is_last: false,
            fetching: Work::default(),
        }
    }

    /// The next row of the page.
    fn next(&mut self) -> Option<Result<T>> {
        let Record { item, key } = self.page.pop_front()?;
        let item = item.map_err(|error| fault::bad_record(error, order::place(&self.position.order, &key)));
        self.position.after = Some(key);
        Some(item)
    }

    async fn turn_page(&mut self) -> Result<()> {
        let (source, paging, after) = (&self.source, &self.paging, self.position.after.as_deref());
        let rows = self
            .fetching
            .outcome(|| {
                let (query, keys) = paging.page(source, after)?;
                Ok(fetch(source.clone(), query, keys, paging.name()))
            })
            .await?;
        (self.page, self.is_last) = self.paging.cut(rows, self.position.after.as_deref())?;
        Ok(())
    }
}

async fn fetch<T: Send + 'static, D: SqlSource<T>>(
    source: D,
    query: Query<D>,
    keys: usize,
    name: String,
) -> Result<Vec<Fetched<T>>> {
    let rows = async { D::fetch(&mut source.acquire().await?, query, keys).await };
    rows.await.map_err(|error| fault::reading(&name, error))
}

impl<T, D, P> Reader for Keyset<T, D, P>
where
    T: Send + 'static,
    D: SqlSource<T>,
    P: Paging<T, D>,
{
    type Item = T;
    type Position = KeysetPosition;

    async fn open(&mut self, resume: Option<KeysetPosition>) -> Result<()> {
        self.paging.prepare(&self.source).await?;
        let start = KeysetPosition { order: self.paging.order(), after: None };
        self.position = resume.map_or(Ok(start.clone()), |saved| start.admit(saved))?;
        (self.page, self.is_last, self.fetching) = (VecDeque::new(), false, Work::default());
        Ok(())
    }

    async fn read(&mut self) -> Result<Option<T>> {
        loop {
            if let Some(item) = self.next() {
                return item.map(Some);
            }
            if self.is_last {
                return Ok(None);
            }
            self.turn_page().await?;
        }
    }

    fn position(&self) -> KeysetPosition {
        self.position.clone()
    }

    async fn close(&mut self) -> Result<()> {
        self.page.clear();
        self.fetching.settle().await;
        Ok(())
    }
}

impl<T, D, P: fmt::Debug> fmt::Debug for Keyset<T, D, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyset").field("paging", &self.paging).field("position", &self.position).finish_non_exhaustive()
    }
}
