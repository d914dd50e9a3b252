//! One flight: a chunk written as a whole in a transaction of its own, which is left open.

use crate::{
    chunk::{batch::Batch, isolate::call, sink::give_up},
    clock::Clock,
    error::BoxError,
    item::Writer,
    transaction::Transactions,
};
use std::{sync::Arc, time::Duration};

/// What all flights of a step share.
pub(super) struct Route<T> {
    pub(super) transactions: Arc<T>,
    pub(super) origin: Arc<str>,
    pub(super) limit: Option<Duration>,
    pub(super) clock: Arc<dyn Clock>,
}

/// A chunk that was written, or could not be; its open transaction with it.
pub(super) struct Landed<W, T: Transactions, Out> {
    pub(super) batch: Batch<Out>,
    pub(super) open: Option<Open<W, T>>,
}

/// An open transaction with all rows of a chunk.
pub(super) struct Open<W, T: Transactions> {
    pub(super) tx: T::Tx,
    pub(super) writer: W,
    /// When the flight and its transaction began and when all was written, as the clock's time since boot.
    pub(super) began: Duration,
    pub(super) opened: Duration,
    pub(super) written: Duration,
}

/// Writes the chunk. What goes wrong is only noted: it is done again when its turn comes, and judged then.
pub(super) async fn fly<W, T, Out>(mut writer: W, batch: Batch<Out>, route: Arc<Route<T>>) -> Landed<W, T, Out>
where
    Out: Send + Sync + 'static,
    W: Writer<Out, T::Conn>,
    T: Transactions,
{
    match open(&mut writer, &batch, &route).await {
        Ok((tx, [began, opened, written])) => Landed { batch, open: Some(Open { tx, writer, began, opened, written }) },
        Err(error) => {
            tracing::debug!(%error, first = batch.first, "a chunk in flight failed");
            Landed { batch, open: None }
        }
    }
}

async fn open<W, T, Out>(writer: &mut W, batch: &Batch<Out>, route: &Route<T>) -> Result<(T::Tx, [Duration; 3]), BoxError>
where
    Out: Send + Sync + 'static,
    W: Writer<Out, T::Conn>,
    T: Transactions,
{
    let Route { transactions, origin, limit, clock } = route;
    let began = clock.uptime();
    crate::failpoint!("chunk.beginning");
    let mut tx = transactions.begin().await?;
    let opened = clock.uptime();
    crate::failpoint!("chunk.begun");
    let items = batch.chunk(0, batch.outs.len(), origin);
    let (error, busy) = match call(writer, T::conn(&mut tx), items, *limit).await {
        Ok(Ok(())) => return Ok((tx, [began, opened, clock.uptime()])),
        Ok(Err(error)) => (error, false),
        Err(error) => (error, true),
    };
    give_up(&**transactions, tx, busy).await;
    Err(error)
}
