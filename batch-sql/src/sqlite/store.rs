//! What the clones of a handle share.

use super::{
    holder,
    live::SqliteLive,
    lock::SqliteLocks,
    wait::{Pace, poll},
};
use crate::{
    error::{Class, Fail, Outcome, Place, class},
    repository::{checkpoint, lease::Timing, owners},
    session::Session,
    slot::{Lent, Slot},
    sql::Texts,
    store::Store,
};
use async_trait::async_trait;
use batch_core::{
    Clock, Error, ErrorKind, Locks, Request,
    repository::{Commit, CommitError, Launch},
};
use chrono::{DateTime, SubsecRound, Utc};
use parking_lot::Mutex;
use sqlx::SqlitePool;
use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

/// Connections, statements and the little state that transactions and repository share.
#[derive(Debug)]
pub(crate) struct SqliteStore {
    pub(crate) path: PathBuf,
    pub(crate) place: Place,
    pub(crate) pool: SqlitePool,
    /// Lends its connection to one chunk transaction at a time.
    pub(crate) writer: Slot<SqliteLive>,
    /// Whether chunks wait for the disk though the options do not ask for it.
    pub(crate) durable: Arc<AtomicBool>,
    /// For launches, steps, leases and requests.
    pub(crate) control: Slot<SqliteLive>,
    /// For the explorer, and for looking at owners while the file is locked.
    pub(crate) reader: Slot<SqliteLive>,
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

impl SqliteStore {
    /// The error of somebody who waited too long for the write lock.
    pub(crate) fn busy(&self) -> Error {
        let error = Error::new(ErrorKind::Unavailable, "the database stayed locked for writing longer than the limit").transient();
        match holder::pid(&self.path) {
            Some(pid) if holder::is_stopped(pid) => error.with("locked by process, which is stopped,", pid),
            Some(pid) => error.with("locked by process", pid),
            None => error,
        }
    }

    fn session(&self, lent: Lent<SqliteLive>) -> Session {
        Session::new(lent, self.texts.clone(), self.statements.clone())
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn begin(&self, limit: Duration) -> Outcome<Session> {
        let Some(mut lent) = self.control.lend(limit).await? else { return Err(self.busy().into()) };
        match poll(lent.conn(), "BEGIN IMMEDIATE", limit).await {
            Ok(()) => Ok(self.session(lent)),
            Err(e) if class(&e) == Class::Busy => {
                lent.give_back();
                Err(self.busy().because(e).into())
            }
            Err(e) => Err(e.into()),
        }
    }

    async fn read(&self) -> Outcome<Session> {
        let Some(mut lent) = self.reader.lend(self.wait).await? else { return Err(self.busy().into()) };
        poll(lent.conn(), "BEGIN", self.wait).await?;
        Ok(self.session(lent))
    }

    async fn commit(&self, commit: &Commit) -> Result<Option<Request>, CommitError> {
        let mut session = self.begin(self.wait).await.map_err(checkpoint::not_begun)?;
        match checkpoint::write(&mut session, commit).await {
            Ok(request) => {
                session.end(Ok(request)).await.map_err(|fail| CommitError::Unknown(fail.into_error("committing").into()))
            }
            Err(refusal) => {
                session.undo().await;
                Err(refusal)
            }
        }
    }

    fn now(&self) -> DateTime<Utc> {
        self.clock.now().trunc_subsecs(6)
    }

    fn wait(&self) -> Duration {
        self.wait
    }

    fn launch_wait(&self) -> Duration {
        self.launch_wait
    }

    fn place(&self) -> &Place {
        &self.place
    }

    fn timing(&self) -> Timing<'_> {
        Timing::Boot(&*self.clock)
    }

    /// In WAL mode owners are read without the lock.
    async fn blocked(&self, launch: &Launch, fail: Fail) -> Error {
        let busy = match fail {
            Fail::Refused(busy) => busy,
            Fail::Store(e) if class(&e) == Class::Busy => self.busy().because(e),
            Fail::Store(_) => return (self as &dyn Store).error("launching the job")(fail),
        };
        let pid = holder::pid(&self.path);
        let Some((execution, owner)) = owners::blocking(self, launch, pid).await else { return busy };
        let stopped = if holder::is_stopped(owner.pid) { ", which is stopped: continue it (SIGCONT) or kill it" } else { "" };
        owners::locked_out(launch, execution, &owner, stopped).because(busy)
    }

    fn locks(self: Arc<Self>) -> Arc<dyn Locks> {
        Arc::new(SqliteLocks(self))
    }

    fn holds(&self, execution: i64, _: Duration) {
        self.renewed.lock().insert(execution, self.clock.uptime());
    }

    fn released(&self, execution: i64) {
        self.renewed.lock().remove(&execution);
    }

    fn is_locked_by_chunk(&self) -> bool {
        self.chunk_open.load(Ordering::Relaxed)
    }
}
