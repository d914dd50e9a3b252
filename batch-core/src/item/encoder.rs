//! What makes the items of a chunk ready to be sent, before their transaction begins.

use crate::error::panicked;
use std::{
    any::Any,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

/// A writer's own way to make items ready to be sent; see [`Writer::encoder`](crate::Writer::encoder).
pub struct Encoder<Item>(Arc<Encode<Item>>);

type Encode<Item> = dyn Fn(&[Item]) -> Option<Encoded> + Send + Sync;

/// What an encoder made of a whole chunk; [`Chunk::encoded`](crate::Chunk::encoded) lends it to the writer.
pub(crate) struct Encoded(Box<dyn Any + Send + Sync>);

impl<Item> Encoder<Item> {
    /// `encode` gets all items of a chunk. Where it returns `None`, or panics, the writer gets the items alone, and reports what is wrong.
    pub fn new<E: Any + Send + Sync>(encode: impl Fn(&[Item]) -> Option<E> + Send + Sync + 'static) -> Self {
        Self(Arc::new(move |items| encode(items).map(|encoded| Encoded(Box::new(encoded)))))
    }

    pub(crate) fn encode(&self, items: &[Item]) -> Option<Encoded> {
        catch_unwind(AssertUnwindSafe(|| (self.0)(items))).unwrap_or_else(|panic| {
            tracing::debug!(error = %panicked("the encoder", panic.as_ref()), "a chunk was not encoded");
            None
        })
    }
}

impl<Item> Clone for Encoder<Item> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<Item> fmt::Debug for Encoder<Item> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoder").finish_non_exhaustive()
    }
}

impl Encoded {
    pub(crate) fn get<E: Any>(&self) -> Option<&E> {
        self.0.downcast_ref()
    }
}

impl fmt::Debug for Encoded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoded").finish_non_exhaustive()
    }
}
