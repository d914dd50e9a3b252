//! What the clones of a handle share.

use super::{
    Texts, holder,
    session::Session,
    slot::Slot,
    wait::{Pace, poll},
};
use crate::error::{Class, Fail, Outcome, class};
use batch_core::{Clock, Error, ErrorKind};
use chrono::{DateTime, SubsecRound, Utc};
use parking_lot::Mutex;
use sqlx::SqlitePool;
use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64},
    },
    time::Duration,
};

/// Connections, statements and the little state that transactions and repository share.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) path: PathBuf,
    pub(crate) pool: SqlitePool,
    /// Lends its connection to one chunk transaction at a time.
    pub(crate) writer: Slot,
    /// For launches, steps, leases and requests.
    pub(crate) control: Slot,
    /// For the explorer, and for looking at owners while the file is locked.
    pub(crate) reader: Slot,
    pub(crate) texts: Arc<Texts>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) wait: Duration,
    pub(crate) launch_wait: Duration,
    pub(crate) pace: Pace,
    /// When this handle last renewed the lease of an execution, by [`Clock::uptime`].
    pub(crate) renewed: Mutex<HashMap<i64, Duration>>,
    /// Whether a chunk transaction of this handle holds the file's write lock.
    pub(crate) chunk_open: AtomicBool,
    /// Statements of the repository so far; tests compare it.
    pub(crate) statements: Arc<AtomicU64>,
}

impl Store {
    /// Now, as precise as it is stored.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now().trunc_subsecs(6)
    }

    /// Begins a transaction of the repository's own, waiting for the write lock for at most `limit`.
    pub(crate) async fn begin(&self, limit: Duration) -> Outcome<Session> {
        let Some(mut lent) = self.control.lend(limit).await? else { return Err(self.busy().into()) };
        match poll(lent.conn(), "BEGIN IMMEDIATE", limit).await {
            Ok(()) => Ok(Session::new(lent, self)),
            Err(e) if class(&e) == Class::Busy => {
                lent.give_back();
                Err(self.busy().because(e).into())
            }
            Err(e) => Err(e.into()),
        }
    }

    /// Begins a transaction that only reads: it sees one state, and waits for no writer.
    pub(crate) async fn read(&self) -> Outcome<Session> {
        let Some(mut lent) = self.reader.lend(self.wait).await? else { return Err(self.busy().into()) };
        poll(lent.conn(), "BEGIN", self.wait).await?;
        Ok(Session::new(lent, self))
    }

    /// The error of somebody who waited too long for the write lock.
    pub(crate) fn busy(&self) -> Error {
        let error = Error::new(ErrorKind::Unavailable, "the database stayed locked for writing longer than the limit").transient();
        match holder::pid(&self.path) {
            Some(pid) if holder::is_stopped(pid) => error.with("locked by process, which is stopped,", pid),
            Some(pid) => error.with("locked by process", pid),
            None => error,
        }
    }

    /// What a public call returns, with the file's name.
    pub(crate) fn error(&self, doing: &'static str) -> impl Fn(Fail) -> Error + '_ {
        move |fail| match fail {
            Fail::Store(_) => fail.into_error(doing).with("file", self.path.display()),
            Fail::Refused(error) => error,
        }
    }
}
