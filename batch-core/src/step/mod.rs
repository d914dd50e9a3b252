//! The seam between a job and its steps: one erased call a step.

mod attempt;
mod ledger;
mod lock;
mod rewind;
mod run;
mod tasklet;
mod units;

use crate::{error::Error, listener::Listener};
use futures_util::future::BoxFuture;
use std::{sync::Arc, time::Duration};

pub(crate) use ledger::{adopt, copied};
pub(crate) use lock::take_lock;
pub(crate) use rewind::went_back;
pub use run::StepRun;
use run::patiently;
pub(crate) use run::{Decided, Listeners, caught, decide_commit, demand_ours, is_transient};
pub use tasklet::{Repeat, TaskletStep, WorkFn};
pub use units::{UnitFn, UnitStep};

/// A complete step. Made by [`Scope`](crate::Scope), never implemented by hand.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a complete step, needs a writer",
    label = "not a step yet",
    note = "a chunk step needs a writer of what its last processor yields: `s.chunk(1000, reader).map(f).writer(w)`"
)]
pub trait Step: sealed::Sealed + Send + 'static {
    /// Runs to the end of the step, or to where it stops.
    #[doc(hidden)]
    fn run<'a>(self: Box<Self>, run: &'a mut StepRun) -> BoxFuture<'a, Result<Ended, Error>>;

    /// The step's own listeners, given away once.
    #[doc(hidden)]
    fn listeners(&mut self) -> Vec<Arc<dyn Listener>>;

    /// How long the step may take in all.
    #[doc(hidden)]
    fn time_limit(&self) -> Option<Duration>;
}

/// How a step that did not fail ended.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// All its work is committed.
    Completed,
    /// It was asked to end, or read as much as it was allowed.
    Stopped,
    /// The database lost commits in a crash: the step is to be made again, and goes on from what is left.
    Rewound,
}

pub(crate) mod sealed {
    /// Keeps [`super::Step`] ours.
    pub trait Sealed {}
}
