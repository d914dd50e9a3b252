//! A database, as the repository sees it.

use crate::{
    error::{Fail, Outcome, Place},
    repository::lease::Timing,
    session::Session,
};
use async_trait::async_trait;
use batch_core::{
    Error, Locks, Request,
    repository::{Commit, CommitError, Launch},
};
use chrono::{DateTime, Utc};
use std::{fmt, sync::Arc, time::Duration};

/// What the repository needs of a handle: transactions of its own, the time, and where it is.
#[async_trait]
pub(crate) trait Store: fmt::Debug + Send + Sync + 'static {
    /// Begins a transaction of the repository's own, waiting for locks for at most `limit`.
    async fn begin(&self, limit: Duration) -> Outcome<Session>;

    /// Begins one whose commit need not be on the disk: a crash that takes it back does no harm.
    async fn begin_lightly(&self, limit: Duration) -> Outcome<Session> {
        self.begin(limit).await
    }

    /// Begins a transaction that only reads: it sees one state, and waits for no writer.
    async fn read(&self) -> Outcome<Session>;

    /// Writes counts, checkpoint, context, skip records and units in a transaction of the repository's own.
    async fn commit(&self, commit: &Commit) -> Result<Option<Request>, CommitError>;

    /// Now, as precise as it is stored.
    fn now(&self) -> DateTime<Utc>;

    /// How long a call waits for locks.
    fn wait(&self) -> Duration;

    /// How long a launch waits for locks.
    fn launch_wait(&self) -> Duration;

    /// Where the database is.
    fn place(&self) -> &Place;

    /// By what clock leases run.
    fn timing(&self) -> Timing<'_>;

    /// What to say to a launch that could not get its locks.
    async fn blocked(&self, launch: &Launch, fail: Fail) -> Error;

    /// Its named locks.
    fn locks(self: Arc<Self>) -> Arc<dyn Locks>;

    /// Notes that this handle runs `execution` under a lease of `ttl`, which was granted or renewed just now.
    fn holds(&self, execution: i64, ttl: Duration);

    /// Notes that it no longer does.
    fn released(&self, execution: i64);

    /// Whether a chunk transaction of this handle holds a lock that a renewal would wait for, and that protects as a lease does.
    fn is_locked_by_chunk(&self) -> bool {
        false
    }

    /// The same database on connections of its own, for another thread with a runtime of its own; `None` where connections belong to
    /// no runtime.
    fn apart(&self) -> Option<Arc<dyn Store>> {
        None
    }
}

impl dyn Store {
    /// What a public call returns, with the database's place.
    pub(crate) fn error(&self, doing: &'static str) -> impl Fn(Fail) -> Error + '_ {
        move |fail| match fail {
            Fail::Store(_) => self.place().of(fail.into_error(doing)),
            Fail::Refused(error) => error,
        }
    }
}
