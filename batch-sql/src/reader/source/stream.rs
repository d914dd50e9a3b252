//! One query, its rows sent as they come.

use super::{
    Query, Streamed, Window,
    driver::{Driver, Statement},
    pooled::{Pooled, statement},
};
use futures_util::TryStreamExt;
use sqlx::{FromRow, pool::PoolConnection};
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::mpsc::Sender;

/// One query, its rows taken from the connection as they are wanted.
pub(super) async fn plain<P: Pooled, T>(
    conn: &mut PoolConnection<P::Driver>,
    query: Query<P>,
    window: Window,
    into: &Sender<Vec<Result<T, sqlx::Error>>>,
) -> Result<Streamed, sqlx::Error>
where
    T: for<'r> FromRow<'r, <P::Driver as sqlx::Database>::Row> + Send,
{
    let mut rows = P::Driver::rows(conn, statement(query));
    let mut seen = 0;
    let mut batch = Vec::with_capacity(window.batch);
    while let Some(row) = rows.try_next().await? {
        seen += 1;
        if seen <= window.pass {
            continue;
        }
        batch.push(T::from_row(&row));
        if batch.len() == window.batch && into.send(std::mem::replace(&mut batch, Vec::with_capacity(window.batch))).await.is_err()
        {
            return Ok(Streamed::Unheard);
        }
    }
    if seen < window.pass {
        return Ok(Streamed::TooShort(seen));
    }
    let heard = batch.is_empty() || into.send(batch).await.is_ok();
    Ok(if heard { Streamed::All } else { Streamed::Unheard })
}

/// A cursor WITH HOLD: the server keeps the rows, and no transaction with a snapshot stays open.
pub(super) async fn held<P: Pooled, T>(
    conn: &mut PoolConnection<P::Driver>,
    query: Query<P>,
    window: Window,
    into: &Sender<Vec<Result<T, sqlx::Error>>>,
) -> Result<Streamed, sqlx::Error>
where
    T: for<'r> FromRow<'r, <P::Driver as sqlx::Database>::Row> + Send,
{
    // A connection keeps statements prepared by their text: those of another cursor would have other columns.
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let name = format!("batch_cursor_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let bare = |sql: String| Statement { sql, arguments: Default::default(), recurs: false };
    let declare = format!("DECLARE {name} NO SCROLL CURSOR WITH HOLD FOR {}", query.sql);
    P::Driver::execute(conn, Statement { sql: declare, arguments: query.arguments, recurs: false }).await?;
    let passed = match window.pass {
        0 => 0,
        pass => P::Driver::execute(conn, bare(format!("MOVE {pass} FROM {name}"))).await?,
    };
    let mut ended = if passed < window.pass { Streamed::TooShort(passed) } else { Streamed::Unheard };
    while ended == Streamed::Unheard {
        let rows = P::Driver::rows(conn, bare(format!("FETCH {} FROM {name}", window.batch)));
        let batch: Vec<_> = rows.map_ok(|row| T::from_row(&row)).try_collect().await?;
        let last = batch.len() < window.batch;
        let heard = batch.is_empty() || into.send(batch).await.is_ok();
        match (heard, last) {
            (false, _) => break,
            (true, true) => ended = Streamed::All,
            (true, false) => {}
        }
    }
    P::Driver::execute(conn, bare(format!("CLOSE {name}"))).await?;
    Ok(ended)
}
