//! What the clones of a handle share.

use super::{Kind, kind::Begin, live::ServerLive, lock::ServerLocks, open::CONTROL, transactions::ServerTx};
use crate::{
    error::{Class, Fail, Outcome, Place, class, is_elsewhere},
    repository::{checkpoint, lease::Timing, owners},
    session::Session,
    slot::{Lent, Slot},
    sql::{Link, Texts},
    store::Store,
};
use async_trait::async_trait;
use batch_core::{
    Clock, Error, ErrorKind, Locks, Request,
    repository::{Commit, CommitError, Launch},
};
use chrono::{DateTime, SubsecRound, Utc};
use parking_lot::Mutex;
use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

/// Connections, statements and the little state that transactions and repository share.
pub(crate) struct ServerStore<K: Kind> {
    pub(crate) pool: sqlx::Pool<K::Db>,
    /// Lends a connection to each chunk transaction.
    pub(crate) chunks: Slot<ServerLive<K>>,
    pub(crate) chunks_at_once: usize,
    /// For launches, steps, requests and the explorer.
    pub(crate) control: Slot<ServerLive<K>>,
    /// Lends a connection to each named lock while it is held; they are not counted.
    pub(crate) locks: Slot<ServerLive<K>>,
    pub(crate) connect: K::Connect,
    pub(crate) texts: Arc<Texts>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) wait: Duration,
    pub(crate) launch_wait: Duration,
    pub(crate) idle: Duration,
    /// How long the leases of the executions last that this handle runs.
    pub(crate) leases: Arc<Mutex<HashMap<i64, Duration>>>,
    /// Statements of the repository so far; tests compare it.
    pub(crate) statements: Arc<AtomicU64>,
    pub(crate) place: Place,
    /// Cleared where connections turn out not to keep statements, as behind a pooler that lends a server's for a transaction each.
    pub(crate) prepares: Arc<AtomicBool>,
}

impl<K: Kind> ServerStore<K> {
    /// What a transaction begins with that waits so long for locks.
    pub(crate) fn beginning(&self, lock: Duration) -> Begin {
        let shortest = self.leases.lock().values().min().map(|ttl| *ttl * 2 / 3);
        Begin {
            flavor: self.texts.flavor(),
            chunk: false,
            snapshot: false,
            lock,
            idle: shortest.map_or(self.idle, |idle| idle.min(self.idle)),
            synchronous: None,
        }
    }

    /// Borrows a connection and begins a chunk's transaction on it. One that lay idle may have been closed by the server: another is opened then.
    pub(crate) async fn begin_chunk(&self, begin: &Begin) -> Outcome<Lent<ServerLive<K>>> {
        let text: Arc<str> = K::begin(begin).into();
        loop {
            let mut lent = self.lend(&self.chunks, self.wait).await?;
            let prepares = self.prepares(&lent);
            let text = if prepares { format!("{text}; {}", checkpoint::prepare(&self.texts)).into() } else { text.clone() };
            match lent.conn().script(text).await {
                Ok(_) => {
                    lent.live_mut().prepared |= prepares;
                    return Ok(lent);
                }
                Err(e) if lent.was_kept() && class(&e) == Class::Lost => drop(lent),
                Err(e) if prepares && is_elsewhere(&e) => self.prepares.store(false, Ordering::Relaxed),
                Err(e) => return Err(e.into()),
            }
        }
    }

    pub(super) async fn lend(&self, slot: &Slot<ServerLive<K>>, limit: Duration) -> Outcome<Lent<ServerLive<K>>> {
        slot.lend(limit).await?.ok_or_else(|| self.no_connection().into())
    }

    /// Whether a connection is still to prepare the statement of chunks' commits.
    pub(super) fn prepares(&self, lent: &Lent<ServerLive<K>>) -> bool {
        !lent.live().prepared && self.prepares.load(Ordering::Relaxed)
    }

    fn no_connection(&self) -> Error {
        let message = "no connection became free within the limit: as many transactions are open as the handle has connections for";
        self.place.of(Error::new(ErrorKind::Unavailable, message).transient())
    }

    async fn session(&self, begin: Begin, limit: Duration) -> Outcome<Session> {
        let lent = self.lend(&self.control, limit).await?;
        Ok(Session::late(lent, self.texts.clone(), self.statements.clone(), &K::begin(&begin)))
    }

    /// Ends the connection that the server knows by `number`, with whatever runs on it.
    pub(crate) async fn kill(&self, number: i64) -> Result<(), sqlx::Error> {
        let Some(mut lent) = self.control.lend(self.wait).await? else { return Ok(()) };
        K::kill(lent.conn(), number, self.wait).await?;
        lent.give_back();
        Ok(())
    }
}

#[async_trait]
impl<K: Kind> Store for ServerStore<K> {
    async fn begin(&self, limit: Duration) -> Outcome<Session> {
        // A step's end makes the chunks durable that were committed without waiting for the disk.
        self.session(Begin { synchronous: Some(true), ..self.beginning(limit) }, limit).await
    }

    async fn begin_lightly(&self, limit: Duration) -> Outcome<Session> {
        self.session(Begin { synchronous: Some(false), ..self.beginning(limit) }, limit).await
    }

    async fn read(&self) -> Outcome<Session> {
        self.session(Begin { snapshot: true, ..self.beginning(self.wait) }, self.wait).await
    }

    async fn commit(&self, commit: &Commit) -> Result<Option<Request>, CommitError> {
        let begin = Begin { synchronous: Some(true), ..self.beginning(self.wait) };
        let lent = self.lend(&self.control, self.wait).await.map_err(checkpoint::not_begun)?;
        self.end(ServerTx::late(lent, begin), commit).await
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
        Timing::Server
    }

    async fn blocked(&self, launch: &Launch, fail: Fail) -> Error {
        let is_busy = matches!(&fail, Fail::Store(e) if class(e) == Class::Busy);
        let error = (self as &dyn Store).error("launching the job")(fail);
        if !is_busy {
            return error;
        }
        match owners::blocking(self, launch, None).await {
            Some((execution, owner)) => owners::locked_out(launch, execution, &owner, "").because(error),
            None => error,
        }
    }

    fn locks(self: Arc<Self>) -> Arc<dyn Locks> {
        Arc::new(ServerLocks(self))
    }

    fn holds(&self, execution: i64, ttl: Duration) {
        self.leases.lock().insert(execution, ttl);
    }

    fn released(&self, execution: i64) {
        self.leases.lock().remove(&execution);
    }

    /// Connections belong to the runtime that opened them.
    fn apart(&self) -> Option<Arc<dyn Store>> {
        Some(Arc::new(Self {
            pool: self.pool.clone(),
            chunks: Slot::new(self.connect.clone(), 1),
            chunks_at_once: 1,
            control: Slot::new(self.connect.clone(), CONTROL),
            locks: Slot::new(self.connect.clone(), Slot::<ServerLive<K>>::MANY),
            connect: self.connect.clone(),
            texts: self.texts.clone(),
            clock: self.clock.clone(),
            wait: self.wait,
            launch_wait: self.launch_wait,
            idle: self.idle,
            leases: self.leases.clone(),
            statements: self.statements.clone(),
            place: self.place.clone(),
            prepares: self.prepares.clone(),
        }))
    }
}

impl<K: Kind> fmt::Debug for ServerStore<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple(K::NAME).field(&self.place.name).finish()
    }
}
