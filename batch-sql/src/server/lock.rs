//! Named locks: the server's own, each on a connection that is kept while it is held.

use super::{Kind, live::ServerLive, store::ServerStore};
use crate::{
    error::{self, Class, class},
    slot::Lent,
    sql::{Flavor, Link, Statement},
};
use async_trait::async_trait;
use batch_core::{Error, ErrorKind, HeldLock, Locks};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// Between two looks of somebody who waits. The server is not left to wait, so that no statement has to be cancelled.
const POLL: Duration = Duration::from_millis(25);

/// What is said to a server about a lock; each takes the lock's name.
struct Words {
    /// Keeps the connection open while nothing is said on it, and has the server notice when this machine is gone.
    set_up: &'static str,
    take: &'static str,
    is_ours: &'static str,
    holder: &'static str,
    release: &'static str,
}

/// Advisory locks are those of a database, and have numbers.
macro_rules! postgres {
    ($before:literal, $after:literal) => {
        concat!($before, "hashtextextended('batch lock ' || coalesce(?, current_schema(), '') || ' ' || ?, 0)", $after)
    };
}
const POSTGRES: Words = Words {
    set_up: "SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3",
    take: postgres!("SELECT pg_try_advisory_lock(", ") AS found"),
    is_ours: postgres!(
        "SELECT count(*) AS found FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND pid = pg_backend_pid() \
         AND (classid::bigint << 32 | objid::bigint) = ",
        ""
    ),
    holder: postgres!(
        "SELECT pid::bigint AS found FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND granted \
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
         AND (classid::bigint << 32 | objid::bigint) = ",
        ""
    ),
    release: postgres!("SELECT pg_advisory_unlock(", ") AS found"),
};

/// Names are the server's, of 64 characters at most, and their case does not matter; a database's name has another character set.
macro_rules! mysql {
    ($before:literal, $after:literal) => {
        concat!($before, "MD5(CONCAT('batch lock ', MD5(DATABASE()), MD5(?)))", $after)
    };
}
const MYSQL: Words = Words {
    set_up: "SET SESSION wait_timeout = 31536000",
    take: mysql!("SELECT GET_LOCK(", ", 0) AS found"),
    is_ours: mysql!("SELECT IS_USED_LOCK(", ") = CONNECTION_ID() AS found"),
    holder: mysql!("SELECT IS_USED_LOCK(", ") AS found"),
    release: mysql!("SELECT RELEASE_LOCK(", ") AS found"),
};

/// The locks of one database.
#[derive(Debug)]
pub(super) struct ServerLocks<K: Kind>(pub(super) Arc<ServerStore<K>>);

#[async_trait]
impl<K: Kind> Locks for ServerLocks<K> {
    async fn acquire(&self, name: &str, wait: Duration) -> Result<Box<dyn HeldLock>, Error> {
        let failed = |e| self.0.place.of(error::store("taking the lock", e)).with("lock", name);
        let begun = Instant::now();
        let mut held = Held::connect(&self.0, name).await.map_err(failed)?;
        while held.ask(|words| words.take).await.map_err(failed)? != Some(1) {
            let left = wait.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return Err(held.refusal().await);
            }
            tokio::time::sleep(left.min(POLL)).await;
        }
        Ok(Box::new(held))
    }
}

/// A lock and its connection; dropped, it takes the connection with it, and the server frees the lock.
struct Held<K: Kind> {
    store: Arc<ServerStore<K>>,
    lent: Lent<ServerLive<K>>,
    name: String,
}

impl<K: Kind> Held<K> {
    /// Borrows a connection. One that lay idle may have been closed by the server: another is opened then.
    async fn connect(store: &Arc<ServerStore<K>>, name: &str) -> Result<Self, sqlx::Error> {
        loop {
            let Some(mut lent) = store.locks.lend(store.wait).await? else { return Err(sqlx::Error::PoolTimedOut) };
            match lent.conn().script(words(store.texts.flavor()).set_up.into()).await {
                Ok(_) => return Ok(Self { store: store.clone(), lent, name: name.to_owned() }),
                Err(e) if lent.was_kept() && class(&e) == Class::Lost => drop(lent),
                Err(e) => return Err(e),
            }
        }
    }

    /// The answer to a question about the lock; `None` where it is NULL or no row.
    async fn ask(&mut self, question: impl Fn(&Words) -> &'static str) -> Result<Option<i64>, sqlx::Error> {
        let texts = &self.store.texts;
        let mut statement = Statement::new(texts.get(question(words(texts.flavor()))));
        if texts.flavor() == Flavor::Postgres {
            statement = statement.bind(texts.schema());
        }
        // As JSON, since PostgreSQL has no NUL in a text.
        let name = serde_json::json!(self.name);
        let answer = self.lent.conn().run(statement.bind(format!("{} {name}", texts.prefix()))).await?;
        answer.rows.first().map_or(Ok(None), |row| row.get("found"))
    }

    /// The error of somebody who did not get the lock.
    async fn refusal(mut self) -> Error {
        let holder = self.ask(|words| words.holder).await;
        let who = match holder {
            Ok(Some(number)) => format!("connection {number} of the server"),
            _ => "somebody else".to_owned(),
        };
        let error = Error::new(ErrorKind::AlreadyRunning, format!("the lock `{}` is held by {who}", self.name)).transient();
        match holder {
            Ok(_) => self.lent.give_back(),
            Err(_) => self.lent.close().await,
        }
        error
    }
}

fn words(flavor: Flavor) -> &'static Words {
    if flavor == Flavor::Postgres { &POSTGRES } else { &MYSQL }
}

#[async_trait]
impl<K: Kind> HeldLock for Held<K> {
    async fn check(&mut self) -> Result<(), Error> {
        let lost = match self.ask(|words| words.is_ours).await {
            Ok(Some(1)) => return Ok(()),
            Ok(_) => Error::new(ErrorKind::Failed, "the lock was lost: the server gave it away"),
            Err(e) => self.store.place.of(error::store("checking the lock", e)),
        };
        Err(lost.transient().with("lock", &self.name))
    }

    async fn release(mut self: Box<Self>) {
        match self.ask(|words| words.release).await {
            Ok(Some(1)) => self.lent.give_back(),
            // The server frees what is left when the connection ends.
            _ => self.lent.close().await,
        }
    }
}

impl<K: Kind> std::fmt::Debug for Held<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Held").field("name", &self.name).finish_non_exhaustive()
    }
}
