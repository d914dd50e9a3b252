//! The query of a cursor while it runs.

use crate::reader::{
    bound::Bound,
    source::{Query, SqlSource, Streamed, Window},
    statement::Statement,
};
use batch_core::Result;
use std::marker::PhantomData;
use tokio::{
    sync::mpsc::{self, Receiver, Sender},
    task::JoinHandle,
};

/// The query on a task of its own, so that a `read` that is dropped loses no row.
pub(super) struct Running<T> {
    pub(super) rows: Receiver<Vec<Result<T, sqlx::Error>>>,
    pub(super) task: JoinHandle<Result<Streamed, sqlx::Error>>,
}

impl<T> Drop for Running<T> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub(super) fn run<T: Send + 'static, D: SqlSource<T>>(source: &D, sql: &str, bound: &Bound<D>, window: Window) -> Running<T> {
    let (into, rows) = mpsc::channel(1);
    let mut statement = Statement::with(source, bound);
    statement.push_own(sql);
    let task = tokio::spawn(stream(source.clone(), statement.once(), window, into));
    Running { rows, task }
}

async fn stream<T: Send + 'static, D: SqlSource<T>>(
    source: D,
    query: Query<D>,
    window: Window,
    into: Sender<Vec<Result<T, sqlx::Error>>>,
) -> Result<Streamed, sqlx::Error> {
    let mut kept = Kept::<T, D>(Some(source.acquire().await?), PhantomData);
    let Some(conn) = &mut kept.0 else { return Ok(Streamed::Unheard) };
    let outcome = D::stream(conn, query, window, &into).await;
    if outcome.as_ref().is_ok_and(|streamed| *streamed != Streamed::Unheard) {
        drop(kept.0.take());
    }
    outcome
}

/// A connection that is closed where its rows were not read to the end: the rest may be long, and stands in the way of its next use.
struct Kept<T, D: SqlSource<T>>(Option<D::Conn>, PhantomData<fn() -> T>);

impl<T, D: SqlSource<T>> Drop for Kept<T, D> {
    fn drop(&mut self) {
        if let Some(conn) = self.0.take() {
            D::discard(conn);
        }
    }
}
