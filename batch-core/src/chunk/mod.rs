//! The chunk step: read, process, write and commit so many items at a time.

mod batch;
mod builder;
mod connections;
mod durability;
mod feed;
mod flight;
mod hooks;
mod isolate;
mod pace;
mod pipeline;
mod process;
mod run;
mod sink;
mod source;
mod waits;

use crate::{
    error::Error,
    item::{Processor, Reader, Writer},
    listener::Listener,
    policy::{Completion, Retry, Skip},
    step::{Ended, Step, StepRun, sealed::Sealed},
    transaction::Transactions,
};
use flight::Fork;
use futures_util::future::BoxFuture;
use hooks::{InputHooks, OutputHooks};
use std::{fmt, sync::Arc, time::Duration};

pub use builder::{BeforeWriter, NoWriter};
pub use durability::Durability;
use run::{failed, over_limit};

/// A step that reads, processes, writes and commits in chunks. Made by [`Scope::chunk`](crate::Scope::chunk).
///
/// Before `.writer(..)` come the processors, each call composing with the one before; after it the policies.
#[must_use = "a chunk step does nothing until it is returned to `Job::step`"]
pub struct ChunkStep<R: Reader, P: Processor<R::Item>, W, T> {
    reader: R,
    processor: P,
    writer: W,
    transactions: Arc<T>,
    completion: Completion,
    options: Options,
    fork: Option<Fork<W>>,
    input_hooks: InputHooks<R::Item>,
    output_hooks: OutputHooks<P::Out>,
}

/// What has a default.
struct Options {
    skip: Skip,
    retry: Option<Retry>,
    durability: Durability,
    ahead: usize,
    workers: usize,
    concurrent: usize,
    item_limit: Option<Duration>,
    chunk_limit: Option<Duration>,
    step_limit: Option<Duration>,
    listeners: Vec<Arc<dyn Listener>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            skip: Skip::NONE,
            retry: None,
            durability: Durability::Chunk,
            ahead: 1,
            workers: 1,
            concurrent: 1,
            item_limit: None,
            chunk_limit: None,
            step_limit: None,
            listeners: Vec::new(),
        }
    }
}

impl<R: Reader, P: Processor<R::Item>, W, T> fmt::Debug for ChunkStep<R, P, W, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChunkStep").field("completion", &self.completion).field("skip", &self.options.skip).finish_non_exhaustive()
    }
}

impl<R: Reader, P: Processor<R::Item>, W, T> Sealed for ChunkStep<R, P, W, T> {}

#[diagnostic::do_not_recommend]
impl<R, P, W, T> Step for ChunkStep<R, P, W, T>
where
    R: Reader,
    P: Processor<R::Item>,
    W: Writer<P::Out, T::Conn>,
    T: Transactions,
{
    fn run<'a>(self: Box<Self>, run: &'a mut StepRun) -> BoxFuture<'a, Result<Ended, Error>> {
        Box::pin(run::run(*self, run))
    }

    fn listeners(&mut self) -> Vec<Arc<dyn Listener>> {
        std::mem::take(&mut self.options.listeners)
    }

    fn time_limit(&self) -> Option<Duration> {
        self.options.step_limit
    }
}
