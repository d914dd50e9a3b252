//! Named locks: a row each, which its holder keeps alive.

use super::SqliteStore;
use crate::{
    error::{Fail, Outcome},
    session::Session,
    store::Store,
};
use async_trait::async_trait;
use batch_core::{Error, ErrorKind, HeldLock, Locks, Owner, repository::Living};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{runtime::Handle, sync::oneshot};

const FIND: &str = "SELECT token, owner, boot, until_uptime FROM @lock WHERE name = ?";
const TAKE: &str = "INSERT INTO @lock (name, token, owner, boot, until_uptime) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (name) DO UPDATE SET token = excluded.token, owner = excluded.owner, boot = excluded.boot,
    until_uptime = excluded.until_uptime";
const HELD: &str = "SELECT token FROM @lock WHERE name = ? AND token = ?";
const RENEW: &str = "UPDATE @lock SET until_uptime = ? WHERE name = ? AND token = ?";
const RELEASE: &str = "DELETE FROM @lock WHERE name = ? AND token = ?";

/// How long a holder counts as alive without a sign, where nobody can see its process.
const TTL: Duration = Duration::from_secs(30);
/// Between two looks of somebody who waits.
const POLL: Duration = Duration::from_millis(10);
/// A renewal that would wait for this handle's own chunk comes soon after it: meanwhile the chunk's lock on the file keeps others out.
const SOON: Duration = Duration::from_millis(50);

/// The locks of one database file.
#[derive(Debug)]
pub(super) struct SqliteLocks(pub(super) Arc<SqliteStore>);

#[async_trait]
impl Locks for SqliteLocks {
    async fn acquire(&self, name: &str, wait: Duration) -> Result<Box<dyn HeldLock>, Error> {
        let row = LockRow { store: self.0.clone(), name: name.to_owned(), owner: Owner::current() };
        let (living, begun) = (row.owner.hold(), Instant::now());
        loop {
            let Some(holder) = row.take().await.map_err(|f| row.error("taking the lock", f))? else {
                return Ok(Box::new(Held::new(row, living)));
            };
            let left = wait.saturating_sub(begun.elapsed());
            if left.is_zero() {
                let message = format!("the lock `{name}` is held by {holder}");
                return Err(Error::new(ErrorKind::AlreadyRunning, message).transient());
            }
            tokio::time::sleep(left.min(POLL)).await;
        }
    }
}

/// A lock's row, as one of those sees it who want it.
#[derive(Debug, Clone)]
struct LockRow {
    store: Arc<SqliteStore>,
    name: String,
    owner: Owner,
}

impl LockRow {
    /// Takes the lock; says who holds it where it is not free. Looks first without the file's lock.
    async fn take(&self) -> Outcome<Option<Owner>> {
        let mut session = self.store.read().await?;
        let holder = self.holder(&mut session).await;
        if let Some(holder) = session.end(holder).await? {
            return Ok(Some(holder));
        }
        let mut session = self.store.begin(self.store.wait).await?;
        let taken = self.take_in(&mut session).await;
        session.end(taken).await
    }

    async fn take_in(&self, session: &mut Session) -> Outcome<Option<Owner>> {
        if let Some(holder) = self.holder(session).await? {
            return Ok(Some(holder));
        }
        let query = session.query(TAKE).bind(&self.name).bind(&self.owner.token).bind(serde_json::json!(self.owner).to_string());
        session.execute(query.bind(&self.owner.boot).bind(self.until())).await?;
        Ok(None)
    }

    /// Who holds the lock: one that is not provably gone, and whose lease is not over. A file in WAL mode belongs to one machine, so that
    /// another boot is an earlier one.
    async fn holder(&self, session: &mut Session) -> Outcome<Option<Owner>> {
        let Some(row) = session.row(session.query(FIND).bind(&self.name)).await? else { return Ok(None) };
        let Ok(owner) = serde_json::from_str::<Owner>(row.get("owner")?) else { return Ok(None) };
        let over = row.get::<i64>("until_uptime")? <= micros(self.store.clock.uptime());
        let earlier = row.get::<&str>("boot")? != self.owner.boot;
        Ok(if over || earlier || owner.gone().is_some() { None } else { Some(owner) })
    }

    fn until(&self) -> i64 {
        micros(self.store.clock.uptime() + TTL)
    }

    async fn is_ours(&self) -> Outcome<bool> {
        let mut session = self.store.read().await?;
        let rows = session.rows(session.query(HELD).bind(&self.name).bind(&self.owner.token)).await.map_err(Fail::from);
        Ok(!session.end(rows).await?.is_empty())
    }

    /// Makes the lease longer; `false` where somebody else has the lock.
    async fn renew(&self) -> Outcome<bool> {
        let mut session = self.store.begin(self.store.wait).await?;
        let query = session.query(RENEW).bind(self.until()).bind(&self.name).bind(&self.owner.token);
        let renewed = session.execute(query).await.map_err(Fail::from);
        Ok(session.end(renewed).await? > 0)
    }

    async fn release(&self) {
        let released = async {
            let mut session = self.store.begin(self.store.wait).await?;
            let query = session.query(RELEASE).bind(&self.name).bind(&self.owner.token);
            let released = session.execute(query).await.map_err(Fail::from);
            session.end(released).await
        };
        if let Err(fail) = released.await {
            let error = self.error("releasing the lock", fail);
            tracing::warn!(error = error.report(), "a lock was not released; it is free when its lease is over");
        }
    }

    fn error(&self, doing: &'static str, fail: Fail) -> Error {
        (&*self.store as &dyn Store).error(doing)(fail).with("lock", &self.name)
    }
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

/// A lock that is held.
#[derive(Debug)]
struct Held {
    row: LockRow,
    /// Dropped, it ends the renewals.
    _done: oneshot::Sender<()>,
    released: bool,
    _living: Living,
}

impl Held {
    fn new(row: LockRow, living: Living) -> Self {
        let (done, ended) = oneshot::channel();
        tokio::spawn(keep(row.clone(), ended));
        Self { row, _done: done, released: false, _living: living }
    }
}

#[async_trait]
impl HeldLock for Held {
    async fn check(&mut self) -> Result<(), Error> {
        match self.row.is_ours().await {
            Ok(true) => Ok(()),
            Ok(false) => {
                let message = "the lock was lost: its lease was over, and somebody else took it";
                Err(Error::new(ErrorKind::Failed, message).transient().with("lock", &self.row.name))
            }
            Err(fail) => Err(self.row.error("checking the lock", fail).transient()),
        }
    }

    async fn release(mut self: Box<Self>) {
        self.released = true;
        self.row.release().await;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(runtime) = Handle::try_current().ok().filter(|_| !self.released) {
            let row = self.row.clone();
            runtime.spawn(async move { row.release().await });
        }
    }
}

/// Renews the lease until it is `ended`, or lost. A renewal under way is never cancelled.
async fn keep(row: LockRow, mut ended: oneshot::Receiver<()>) {
    let mut pause = TTL / 3;
    while tokio::time::timeout(pause, &mut ended).await.is_err() {
        if row.store.is_locked_by_chunk() {
            pause = SOON;
            continue;
        }
        pause = TTL / 3;
        match row.renew().await {
            Ok(true) => {}
            Ok(false) => return,
            Err(fail) => {
                let error = row.error("renewing the lock", fail);
                tracing::warn!(error = error.report(), "a lock could not be renewed");
            }
        }
    }
}
