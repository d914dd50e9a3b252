//! A tuple of writers is a writer: each item goes to all of them.

use super::{
    part::Keys,
    several::{self, Several},
};
use crate::{
    error::{BoxError, FailedItems, RefusedItem, Result},
    item::{Chunk, Encoder, Undo, Writer},
};
use serde_json::Value;
use std::future::Future;

macro_rules! tuple {
    ($($part:ident $index:tt),+) => {
        #[diagnostic::do_not_recommend]
        impl<Item, Conn, $($part),+> Several<Item, Conn> for ($($part,)+)
        where
            Item: Sync,
            Conn: Send,
            $($part: Writer<Item, Conn>,)+
        {
            fn count(&self) -> usize {
                [$($index),+].len()
            }

            async fn write_one(&mut self, index: usize, conn: &mut Conn, items: Chunk<'_, Item>) -> Result<()> {
                match index {
                    $($index => self.$index.write(conn, items).await,)+
                    _ => Ok(()),
                }
            }

            async fn open_one(&mut self, index: usize, saved: Option<Value>) -> Result<()> {
                match index {
                    $($index => self.$index.open(saved).await,)+
                    _ => Ok(()),
                }
            }

            fn rollback_one(&mut self, index: usize, items: usize) {
                match index {
                    $($index => self.$index.rollback_to(items),)+
                    _ => {}
                }
            }

            async fn flush_one(&mut self, index: usize) -> Result<Value> {
                match index {
                    $($index => self.$index.flush().await,)+
                    _ => Ok(Value::Null),
                }
            }

            async fn finish_one(&mut self, index: usize) -> Result<()> {
                match index {
                    $($index => self.$index.finish().await,)+
                    _ => Ok(()),
                }
            }

            async fn close_one(&mut self, index: usize) -> Result<()> {
                match index {
                    $($index => self.$index.close().await,)+
                    _ => Ok(()),
                }
            }

            fn undo_one(&self, index: usize) -> Undo {
                match index {
                    $($index => self.$index.undo(),)+
                    _ => Undo::Idempotent,
                }
            }

            fn all_transactional(&self) -> bool {
                $(self.$index.is_transactional())&&+
            }

            fn any_uses_connection(&self) -> bool {
                $(self.$index.uses_connection())||+
            }
        }

        /// Each item goes to every writer, in their order. Saves an array of what they save; undone as the weakest of them is.
        ///
        /// [`FailedItems`] of the first writer are kept from the others and reported; of a later one they are an ordinary error,
        /// since the writers before it have them already. So a writer that names failed items goes first.
        #[diagnostic::do_not_recommend]
        #[deny(clippy::missing_trait_methods)]
        impl<Item, Conn, $($part),+> Writer<Item, Conn> for ($($part,)+)
        where
            Item: Sync,
            Conn: Send,
            $($part: Writer<Item, Conn>,)+
        {
            fn write(&mut self, conn: &mut Conn, items: Chunk<'_, Item>) -> impl Future<Output = Result<()>> + Send {
                write_all(self, conn, items)
            }

            fn open(&mut self, saved: Option<Value>) -> impl Future<Output = Result<()>> + Send {
                several::open(self, saved)
            }

            fn rollback_to(&mut self, items: usize) {
                $(self.$index.rollback_to(items);)+
            }

            fn flush(&mut self) -> impl Future<Output = Result<Value>> + Send {
                several::flush(self)
            }

            fn finish(&mut self) -> impl Future<Output = Result<()>> + Send {
                several::finish(self)
            }

            fn close(&mut self) -> impl Future<Output = Result<()>> + Send {
                several::close(self)
            }

            fn undo(&self) -> Undo {
                several::undo(self)
            }

            fn is_transactional(&self) -> bool {
                self.all_transactional()
            }

            fn uses_connection(&self) -> bool {
                self.any_uses_connection()
            }

            /// The first one's that has any; the others do not take what it made for theirs.
            fn encoder(&self) -> Option<Encoder<Item>> {
                None$(.or_else(|| self.$index.encoder()))+
            }
        }
    };
}

tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);
tuple!(A 0, B 1, C 2, D 3, E 4);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5);

async fn write_all<Item, Conn, P>(parts: &mut P, conn: &mut Conn, items: Chunk<'_, Item>) -> Result<()>
where
    Item: Sync,
    Conn: Send,
    P: Several<Item, Conn>,
{
    let failed = match parts.write_one(0, conn, items).await {
        Ok(()) => return write_rest(parts, conn, items).await,
        Err(e) => e.downcast::<FailedItems>()?,
    };
    let keys = Keys::of(items);
    let good: Vec<usize> = (0..items.len()).filter(|i| failed.0.iter().all(|(bad, _)| bad != i)).collect();
    for run in good.chunk_by(|a, b| a + 1 == *b) {
        let (Some(first), Some(last)) = (run.first(), run.last()) else { continue };
        let Some(slice) = items.items().get(*first..=*last) else { continue };
        write_rest(parts, conn, keys.at(run).chunk(slice)).await.map_err(unnamed)?;
    }
    Err(failed)
}

/// Writes to all but the first.
async fn write_rest<Item, Conn, P>(parts: &mut P, conn: &mut Conn, items: Chunk<'_, Item>) -> Result<()>
where
    Item: Sync,
    Conn: Send,
    P: Several<Item, Conn>,
{
    for index in 1..parts.count() {
        parts.write_one(index, conn, items).await.map_err(ordinary)?;
    }
    Ok(())
}

/// The same error without the item's place, which is one in a part of the call.
fn unnamed(error: BoxError) -> BoxError {
    match error.downcast::<RefusedItem>() {
        Ok(refused) => refused.error,
        Err(other) => other,
    }
}

/// The same error without the promise that the other items are written.
fn ordinary(error: BoxError) -> BoxError {
    match error.downcast::<FailedItems>() {
        Ok(failed) => failed.to_string().into(),
        Err(other) => other,
    }
}

#[cfg(test)]
mod tests;
