//! What writers made of writers have in common.

use crate::{
    error::{BoxError, Error, ErrorKind, Result},
    item::{Chunk, Undo, Writer},
};
use serde_json::Value;
use std::future::Future;

/// Writers by index: a tuple of up to six, or a list of one type.
///
/// Sealed. An index that is too large does nothing.
pub trait Several<Item, Conn>: Send + 'static {
    /// How many.
    fn count(&self) -> usize;
    /// [`Writer::write`] of one.
    fn write_one(&mut self, index: usize, conn: &mut Conn, items: Chunk<'_, Item>) -> impl Future<Output = Result<()>> + Send;
    /// [`Writer::open`] of one.
    fn open_one(&mut self, index: usize, saved: Option<Value>) -> impl Future<Output = Result<()>> + Send;
    /// [`Writer::rollback_to`] of one.
    fn rollback_one(&mut self, index: usize, items: usize);
    /// [`Writer::flush`] of one.
    fn flush_one(&mut self, index: usize) -> impl Future<Output = Result<Value>> + Send;
    /// [`Writer::finish`] of one.
    fn finish_one(&mut self, index: usize) -> impl Future<Output = Result<()>> + Send;
    /// [`Writer::close`] of one.
    fn close_one(&mut self, index: usize) -> impl Future<Output = Result<()>> + Send;
    /// [`Writer::undo`] of one.
    fn undo_one(&self, index: usize) -> Undo;
    /// [`Writer::is_transactional`] of each.
    fn all_transactional(&self) -> bool;
    /// [`Writer::uses_connection`] of one or more.
    fn any_uses_connection(&self) -> bool;
}

impl<Item, Conn, W> Several<Item, Conn> for Vec<W>
where
    Item: Sync,
    Conn: Send,
    W: Writer<Item, Conn>,
{
    fn count(&self) -> usize {
        self.len()
    }

    async fn write_one(&mut self, index: usize, conn: &mut Conn, items: Chunk<'_, Item>) -> Result<()> {
        match self.get_mut(index) {
            Some(writer) => writer.write(conn, items).await,
            None => Ok(()),
        }
    }

    async fn open_one(&mut self, index: usize, saved: Option<Value>) -> Result<()> {
        match self.get_mut(index) {
            Some(writer) => writer.open(saved).await,
            None => Ok(()),
        }
    }

    fn rollback_one(&mut self, index: usize, items: usize) {
        if let Some(writer) = self.get_mut(index) {
            writer.rollback_to(items);
        }
    }

    async fn flush_one(&mut self, index: usize) -> Result<Value> {
        match self.get_mut(index) {
            Some(writer) => writer.flush().await,
            None => Ok(Value::Null),
        }
    }

    async fn finish_one(&mut self, index: usize) -> Result<()> {
        match self.get_mut(index) {
            Some(writer) => writer.finish().await,
            None => Ok(()),
        }
    }

    async fn close_one(&mut self, index: usize) -> Result<()> {
        match self.get_mut(index) {
            Some(writer) => writer.close().await,
            None => Ok(()),
        }
    }

    fn undo_one(&self, index: usize) -> Undo {
        self.get(index).map_or(Undo::Idempotent, |writer| writer.undo())
    }

    fn all_transactional(&self) -> bool {
        self.iter().all(W::is_transactional)
    }

    fn any_uses_connection(&self) -> bool {
        self.iter().any(W::uses_connection)
    }
}

/// Opens each with its own part of what [`flush`] returned; a part that is null is as none, since a checkpoint cannot tell them apart.
pub(super) async fn open<Item, Conn, P: Several<Item, Conn>>(parts: &mut P, saved: Option<Value>) -> Result<()> {
    let saved = match saved {
        None | Some(Value::Null) => vec![Value::Null; parts.count()],
        Some(Value::Array(saved)) if saved.len() == parts.count() => saved,
        Some(other) => return Err(other_writers(&other, parts.count())),
    };
    for (index, saved) in saved.into_iter().enumerate() {
        parts.open_one(index, Some(saved).filter(|s| !s.is_null())).await?;
    }
    Ok(())
}

fn other_writers(saved: &Value, writers: usize) -> BoxError {
    let message = match saved.as_array() {
        Some(saved) => format!("the checkpoint is of {} writers, the step has {writers}", saved.len()),
        None => format!("the checkpoint is of one writer, the step has {writers}"),
    };
    Error::new(ErrorKind::NeedsOperator, message).into()
}

/// Flushes each, in order; an array of what they save.
pub(super) async fn flush<Item, Conn, P: Several<Item, Conn>>(parts: &mut P) -> Result<Value> {
    let mut saved = Vec::with_capacity(parts.count());
    for index in 0..parts.count() {
        saved.push(parts.flush_one(index).await?);
    }
    Ok(Value::Array(saved))
}

/// Finishes each, in order, up to the first error: a restart finishes all of them again.
pub(super) async fn finish<Item, Conn, P: Several<Item, Conn>>(parts: &mut P) -> Result<()> {
    for index in 0..parts.count() {
        parts.finish_one(index).await?;
    }
    Ok(())
}

/// Closes all, whatever fails; the first error.
pub(super) async fn close<Item, Conn, P: Several<Item, Conn>>(parts: &mut P) -> Result<()> {
    let mut outcome = Ok(());
    for index in 0..parts.count() {
        let closed = parts.close_one(index).await;
        outcome = outcome.and(closed);
    }
    outcome
}

/// The weakest: one that only the transaction undoes makes the whole so.
pub(super) fn undo<Item, Conn, P: Several<Item, Conn>>(parts: &P) -> Undo {
    (0..parts.count()).map(|index| parts.undo_one(index)).min().unwrap_or(Undo::Idempotent)
}
