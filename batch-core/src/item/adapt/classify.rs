//! Each item to one of several writers.

use super::{
    part::Keys,
    several::{self, Several},
};
use crate::{
    error::{FailedItems, RefusedItem, Result},
    item::{Chunk, Encoder, Undo, Writer},
};
use serde_json::Value;

/// A writer that hands each item to one of several; see [`classify`].
#[derive(Debug, Clone)]
pub struct Classify<F, P> {
    route: F,
    writers: P,
    /// Which writer got each item since the last flush: what a rollback has to be translated by.
    routes: Vec<usize>,
}

/// Writes each item with the writer that `route` names, by index from 0; `false` is 0 and `true` is 1.
///
/// The writers are a tuple of two to six, or a `Vec` of one type. Each gets its items in their order, and one call a chunk: items
/// that do not stand side by side are cloned for that, since a call costs more than they do. An index without a writer is an error
/// of the item, before anything is written. Saves an array of what the writers save; undone as the weakest of them is.
///
/// ```
/// use batch_core::item::{ListWriter, classify};
/// let (small, large) = (ListWriter::new(), ListWriter::new());
/// let writer = classify(|amount: &u64| *amount >= 1_000, (small, large));
/// # let _ = batch_core::item::Writer::<u64>::undo(&writer);
/// ```
pub fn classify<Item, R, F, P>(route: F, writers: P) -> Classify<F, P>
where
    F: Fn(&Item) -> R + Send + 'static,
    R: Into<usize>,
{
    Classify { route, writers, routes: Vec::new() }
}

#[deny(clippy::missing_trait_methods)]
impl<Item, Conn, R, F, P> Writer<Item, Conn> for Classify<F, P>
where
    Item: Clone + Send + Sync,
    Conn: Send,
    R: Into<usize>,
    F: Fn(&Item) -> R + Send + 'static,
    P: Several<Item, Conn>,
{
    async fn write(&mut self, conn: &mut Conn, items: Chunk<'_, Item>) -> Result<()> {
        let mut routes: Vec<usize> = items.iter().map(|item| (self.route)(item).into()).collect();
        let writers = self.writers.count();
        if let Some(lost) = routes.iter().find(|r| **r >= writers) {
            return Err(format!("an item was classified as {lost}, but there are {writers} writers").into());
        }
        let mut failed = FailedItems(Vec::new());
        write_routed(&mut self.writers, conn, items, &routes, &mut failed).await?;
        if failed.0.is_empty() {
            self.routes.append(&mut routes);
            return Ok(());
        }
        let written = routes.iter().enumerate().filter(|(i, _)| failed.0.iter().all(|(bad, _)| bad != i));
        self.routes.extend(written.map(|(_, route)| *route));
        failed.0.sort_by_key(|(index, _)| *index);
        Err(failed.into())
    }

    async fn open(&mut self, saved: Option<Value>) -> Result<()> {
        self.routes.clear();
        several::open(&mut self.writers, saved).await
    }

    fn rollback_to(&mut self, items: usize) {
        self.routes.truncate(items);
        for index in 0..self.writers.count() {
            let kept = self.routes.iter().filter(|r| **r == index).count();
            self.writers.rollback_one(index, kept);
        }
    }

    async fn flush(&mut self) -> Result<Value> {
        let saved = several::flush(&mut self.writers).await?;
        self.routes.clear();
        Ok(saved)
    }

    async fn finish(&mut self) -> Result<()> {
        several::finish(&mut self.writers).await
    }

    async fn close(&mut self) -> Result<()> {
        several::close(&mut self.writers).await
    }

    fn undo(&self) -> Undo {
        several::undo(&self.writers)
    }

    fn is_transactional(&self) -> bool {
        self.writers.all_transactional()
    }

    fn uses_connection(&self) -> bool {
        self.writers.any_uses_connection()
    }

    /// None, since no writer gets a chunk as it is.
    fn encoder(&self) -> Option<Encoder<Item>> {
        None
    }
}

/// One call for each writer that has items; items that a writer refuses by name are collected, any other error ends it.
async fn write_routed<Item, Conn, P>(
    writers: &mut P,
    conn: &mut Conn,
    items: Chunk<'_, Item>,
    routes: &[usize],
    failed: &mut FailedItems,
) -> Result<()>
where
    Item: Clone + Send + Sync,
    Conn: Send,
    P: Several<Item, Conn>,
{
    let Some(first) = routes.first() else { return Ok(()) };
    if routes.iter().all(|r| r == first) {
        let outcome = writers.write_one(*first, conn, items).await;
        return collect(outcome, failed, |i| i);
    }
    let keys = Keys::of(items);
    for writer in 0..writers.count() {
        let mine: Vec<usize> = (0..routes.len()).filter(|i| routes.get(*i) == Some(&writer)).collect();
        let (Some(first), Some(last)) = (mine.first(), mine.last()) else { continue };
        let part = keys.at(&mine);
        let outcome = if last - first + 1 == mine.len() {
            writers.write_one(writer, conn, part.chunk(items.items().get(*first..=*last).unwrap_or_default())).await
        } else {
            let own: Vec<Item> = mine.iter().filter_map(|i| items.get(*i)).cloned().collect();
            writers.write_one(writer, conn, part.chunk(&own)).await
        };
        collect(outcome, failed, |i| mine.get(i).copied().unwrap_or(usize::MAX))?;
    }
    Ok(())
}

/// Keeps the items that a writer names, under their index in the whole chunk.
fn collect(outcome: Result<()>, failed: &mut FailedItems, index: impl Fn(usize) -> usize) -> Result<()> {
    let Err(error) = outcome else { return Ok(()) };
    let error = match error.downcast::<RefusedItem>() {
        Ok(refused) => return Err(RefusedItem { index: index(refused.index), ..*refused }.into()),
        Err(error) => error,
    };
    let named = error.downcast::<FailedItems>()?;
    failed.0.extend(named.0.into_iter().map(|(i, error)| (index(i), error)));
    Ok(())
}

#[cfg(test)]
mod tests;
