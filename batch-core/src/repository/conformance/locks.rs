//! Locks by name.

use super::{Fixture, story::refusal};
use crate::{
    error::{Error, ErrorKind},
    repository::{HeldLock, Locks},
    transaction::Transactions,
};
use futures_util::future::{join, join_all};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

/// Longer than any of these stories.
const LONG: Duration = Duration::from_secs(60);

fn locks<F: Fixture>(f: &F) -> Arc<dyn Locks> {
    f.database().repository().locks()
}

/// The locks as another process has them.
fn others<F: Fixture>(f: &F) -> Arc<dyn Locks> {
    f.other().repository().locks()
}

async fn held(locks: &dyn Locks, name: &str) -> Box<dyn HeldLock> {
    locks.acquire(name, Duration::ZERO).await.unwrap()
}

async fn is_free(locks: &dyn Locks, name: &str) -> bool {
    match locks.acquire(name, Duration::ZERO).await {
        Ok(held) => {
            held.release().await;
            true
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::AlreadyRunning, "{}", error.report());
            false
        }
    }
}

/// Refused to all others, this process's own other handles among them, transiently and by name.
pub async fn a_lock_has_one_holder<F: Fixture>(f: &F) {
    let mut lock = held(&*locks(f), "user 1").await;
    for locks in [locks(f), others(f)] {
        let refused: Result<_, Error> = locks.acquire("user 1", Duration::ZERO).await;
        let error = refused.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyRunning);
        assert!(error.is_transient() && error.report().contains("`user 1`"), "{}", error.report());
    }
    lock.check().await.unwrap();
    lock.release().await;
}

/// The next one has it at once, whoever that is.
pub async fn a_lock_that_was_released_is_free<F: Fixture>(f: &F) {
    for _ in 0..3 {
        held(&*locks(f), "user 1").await.release().await;
        held(&*others(f), "user 1").await.release().await;
    }
}

/// At the latest when its connection is noticed to be gone.
pub async fn a_lock_that_was_dropped_is_free<F: Fixture>(f: &F) {
    drop(held(&*locks(f), "user 1").await);
    others(f).acquire("user 1", LONG).await.unwrap().release().await;
}

/// Their holders do not hear of each other.
pub async fn locks_of_other_names_are_free<F: Fixture>(f: &F) {
    let first = held(&*locks(f), "user 1").await;
    let second = held(&*others(f), "user 2").await;
    assert!(is_free(&*locks(f), "user").await);
    assert!(!is_free(&*locks(f), "user 2").await);
    second.release().await;
    first.release().await;
}

/// Case, accents, spaces and length tell them apart; quotes are nothing special.
pub async fn names_that_differ_in_anything_are_different_locks<F: Fixture>(f: &F) {
    let long = "x".repeat(1_000);
    let names = ["a", "A", "á", "a ", "", "'\"`\\;--", "日本語 🚀"].map(str::to_owned);
    let names: Vec<String> = names.into_iter().chain([format!("{long}a"), format!("{long}b")]).collect();
    let mut all = Vec::new();
    for name in &names {
        all.push(held(&*locks(f), name).await);
    }
    for name in &names {
        assert!(!is_free(&*others(f), name).await, "{name}");
    }
    join_all(all.into_iter().map(|lock| lock.release())).await;
    for name in &names {
        assert!(is_free(&*others(f), name).await, "{name}");
    }
}

/// Who waits gets it when it is released.
pub async fn a_lock_is_waited_for<F: Fixture>(f: &F) {
    let first = held(&*locks(f), "user 1").await;
    let others = others(f);
    let (second, ()) = join(others.acquire("user 1", LONG), first.release()).await;
    let second = second.unwrap();
    assert!(!is_free(&*locks(f), "user 1").await);
    second.release().await;
}

/// The holder keeps it meanwhile.
pub async fn a_wait_ends_at_its_limit<F: Fixture>(f: &F) {
    let mut first = held(&*locks(f), "user 1").await;
    let refused = others(f).acquire("user 1", Duration::from_millis(50)).await;
    assert_eq!(refusal(&refused), Some(ErrorKind::AlreadyRunning));
    first.check().await.unwrap();
    first.release().await;
}

/// Of eight that wait for it, each has it once, alone.
pub async fn of_many_that_wait_each_gets_it_alone<F: Fixture>(f: &F) {
    let (inside, entered) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let (first, second) = (locks(f), others(f));
    let contenders = (0..8).map(|n| if n % 2 == 0 { &first } else { &second }).map(async |locks| {
        let lock = locks.acquire("user 1", LONG).await.unwrap();
        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
        entered.fetch_add(1, Ordering::SeqCst);
        tokio::task::yield_now().await;
        inside.fetch_sub(1, Ordering::SeqCst);
        lock.release().await;
    });
    join_all(contenders).await;
    assert_eq!(entered.into_inner(), 8);
}

/// It is neither taken, checked nor released by the transaction that is open, and waits for none.
pub async fn a_lock_is_checked_while_a_transaction_is_open<F: Fixture>(f: &F) {
    let mut lock = held(&*locks(f), "user 1").await;
    let mut tx = f.database().begin().await.unwrap();
    f.put(F::Database::conn(&mut tx), 1).await.unwrap();
    lock.check().await.unwrap();
    f.database().rollback(tx).await.unwrap();
    lock.check().await.unwrap();
    lock.release().await;
}
