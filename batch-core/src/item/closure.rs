//! Closures as processors.

use super::Processor;
use crate::error::Result;
use std::future::Future;

/// Passes items through.
#[derive(Debug, Clone, Copy, Default)]
pub struct Identity;

impl<I: Send + Sync + 'static> Processor<I> for Identity {
    type Out = I;

    #[inline]
    async fn process(&self, item: I) -> Result<Option<I>> {
        Ok(Some(item))
    }

    const IS_SYNC: bool = true;

    #[inline]
    fn process_now(&self, item: I) -> Result<Option<I>> {
        Ok(Some(item))
    }
}

/// A synchronous closure; see [`map`] and [`filter_map`].
#[derive(Debug, Clone, Copy)]
pub struct Map<F>(pub(crate) F);

impl<I, O, F> Processor<I> for Map<F>
where
    I: Send + 'static,
    O: Send + Sync + 'static,
    F: Fn(I) -> Result<Option<O>> + Send + Sync + 'static,
{
    type Out = O;

    #[inline]
    async fn process(&self, item: I) -> Result<Option<O>> {
        (self.0)(item)
    }

    const IS_SYNC: bool = true;

    #[inline]
    fn process_now(&self, item: I) -> Result<Option<O>> {
        (self.0)(item)
    }
}

/// An asynchronous closure, cloned for each item so that its future may own what it captured.
#[derive(Debug, Clone, Copy)]
pub struct Then<F>(pub(crate) F);

impl<I, O, F, Fut> Processor<I> for Then<F>
where
    I: Send + 'static,
    O: Send + Sync + 'static,
    F: FnOnce(I) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Result<O>> + Send,
{
    type Out = O;

    async fn process(&self, item: I) -> Result<Option<O>> {
        self.0.clone()(item).await.map(Some)
    }
}

/// One processor after the other.
#[derive(Debug, Clone, Copy)]
pub struct Chain<A, B>(pub(crate) A, pub(crate) B);

impl<I: Send + 'static, A: Processor<I>, B: Processor<A::Out>> Processor<I> for Chain<A, B> {
    type Out = B::Out;

    #[inline]
    async fn process(&self, item: I) -> Result<Option<B::Out>> {
        match self.0.process(item).await? {
            Some(item) => self.1.process(item).await,
            None => Ok(None),
        }
    }

    const IS_SYNC: bool = A::IS_SYNC && B::IS_SYNC;

    #[inline]
    fn process_now(&self, item: I) -> Result<Option<B::Out>> {
        match self.0.process_now(item)? {
            Some(item) => self.1.process_now(item),
            None => Ok(None),
        }
    }
}

/// A processor from a closure that turns each item into another.
pub fn map<I, O>(
    f: impl Fn(I) -> Result<O> + Send + Sync + 'static,
) -> Map<impl Fn(I) -> Result<Option<O>> + Send + Sync + 'static> {
    Map(move |item| f(item).map(Some))
}

/// A processor from a closure that turns each item into another or filters it.
pub fn filter_map<I, O, F: Fn(I) -> Result<Option<O>> + Send + Sync + 'static>(f: F) -> Map<F> {
    Map(f)
}
