//! Named locks inside one process.

use crate::{
    error::{Error, ErrorKind},
    repository::{HeldLock, Locks, Owner},
};
use async_trait::async_trait;
use parking_lot::Mutex;
use std::{collections::HashSet, sync::Arc, time::Duration};
use tokio::sync::Notify;

/// The names that are taken; clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct LocalLocks(Arc<Taken>);

#[derive(Debug, Default)]
struct Taken {
    names: Mutex<HashSet<String>>,
    freed: Notify,
}

#[async_trait]
impl Locks for LocalLocks {
    async fn acquire(&self, name: &str, wait: Duration) -> Result<Box<dyn HeldLock>, Error> {
        let held = if wait.is_zero() { self.take(name) } else { tokio::time::timeout(wait, self.wait_for(name)).await.ok() };
        held.map(|held| Box::new(held) as Box<dyn HeldLock>).ok_or_else(|| {
            let message = format!("the lock `{name}` is held by this one, {}", Owner::current());
            Error::new(ErrorKind::AlreadyRunning, message).transient()
        })
    }
}

impl LocalLocks {
    fn take(&self, name: &str) -> Option<Held> {
        let taken = self.0.names.lock().insert(name.to_owned());
        taken.then(|| Held { name: name.to_owned(), locks: self.0.clone() })
    }

    async fn wait_for(&self, name: &str) -> Held {
        loop {
            // Listens before it looks, so that a release in between is heard.
            let mut freed = std::pin::pin!(self.0.freed.notified());
            freed.as_mut().enable();
            if let Some(held) = self.take(name) {
                return held;
            }
            freed.await;
        }
    }
}

/// A lock that is free again when this is dropped.
#[derive(Debug)]
struct Held {
    name: String,
    locks: Arc<Taken>,
}

#[async_trait]
impl HeldLock for Held {
    async fn check(&mut self) -> Result<(), Error> {
        Ok(())
    }

    async fn release(self: Box<Self>) {}
}

impl Drop for Held {
    fn drop(&mut self) {
        self.locks.names.lock().remove(&self.name);
        self.locks.freed.notify_waiters();
    }
}
