//! A database keeps rows and the ledger of their step together, for a repository elsewhere.

use super::{
    Fixture,
    story::{refusal, repository},
};
use crate::{
    error::ErrorKind,
    repository::CommitError,
    transaction::{Ledger, LedgerGuard, LedgerKey, LedgerState, Transactions},
};
use futures_util::future::join;

/// The step that the stories are about.
fn key() -> LedgerKey {
    LedgerKey { repository: "elsewhere".to_owned(), instance: 1, step: "load".to_owned() }
}

fn guard(key: LedgerKey, state: &LedgerState) -> LedgerGuard {
    LedgerGuard { key, epoch: state.epoch, commit_no: state.commit_no }
}

async fn claim<F: Fixture>(f: &F, holder: i64) -> LedgerState {
    f.database().claim(&key(), holder).await.unwrap()
}

/// Commits a row under `guard`, with an entry that names it.
async fn commit<F: Fixture>(f: &F, guard: &LedgerGuard, row: i64) -> Result<(), CommitError> {
    let database = f.database();
    let mut tx = database.begin().await.unwrap();
    f.put(F::Database::conn(&mut tx), row).await.unwrap();
    database.commit_with_ledger(tx, guard, &row.to_string()).await
}

fn is_not_owner(outcome: &Result<(), CommitError>) -> bool {
    matches!(outcome, Err(CommitError::NotOwner))
}

/// What stays where a rollback undoes rows; a handle that undoes none has nothing to show.
async fn expect_rows<F: Fixture>(f: &F, keys: &[i64]) {
    if f.database().undoes_writes() {
        assert_eq!(f.keys().await, keys);
    }
}

/// It is the same for every handle, and not empty.
pub async fn a_repository_keeps_its_id<F: Fixture>(f: &F) {
    let id = repository(f).id().await.unwrap();
    assert!(!id.is_empty());
    assert_eq!(repository(f).id().await.unwrap(), id);
    assert_eq!(f.other().repository().id().await.unwrap(), id);
}

/// A number of commits and no entry.
pub async fn a_first_claim_finds_nothing<F: Fixture>(f: &F) {
    let first = claim(f, 1).await;
    assert_eq!((first.commit_no, &first.entry), (0, &None));
    let second = claim(f, 1).await;
    assert_eq!((second.commit_no, second.entry), (0, None));
    assert!(second.epoch > first.epoch);
}

/// The entry and the number of the last one, whoever claims.
pub async fn a_claim_finds_the_last_commit<F: Fixture>(f: &F) {
    let mut held = guard(key(), &claim(f, 1).await);
    for row in [1, 2] {
        commit(f, &held, row).await.unwrap();
        held.commit_no += 1;
    }
    let found = f.other().claim(&key(), 2).await.unwrap();
    assert_eq!((found.commit_no, found.entry.as_deref()), (2, Some("2")));
    assert!(found.epoch > held.epoch);
    commit(f, &guard(key(), &found), 3).await.unwrap();
    expect_rows(f, &[1, 2, 3]).await;
}

/// Who was claimed from commits nothing more: neither rows nor entry.
pub async fn a_commit_of_an_old_epoch_leaves_nothing<F: Fixture>(f: &F) {
    let old = guard(key(), &claim(f, 1).await);
    let new = guard(key(), &claim(f, 2).await);
    assert!(is_not_owner(&commit(f, &old, 1).await));
    expect_rows(f, &[]).await;
    commit(f, &new, 2).await.unwrap();
    expect_rows(f, &[2]).await;
    assert_eq!(claim(f, 2).await.entry.as_deref(), Some("2"));
}

/// The same commit sent twice counts once; one too many does not either.
pub async fn a_commit_under_a_wrong_number_leaves_nothing<F: Fixture>(f: &F) {
    let held = guard(key(), &claim(f, 1).await);
    let ahead = LedgerGuard { commit_no: held.commit_no + 1, ..held.clone() };
    assert!(is_not_owner(&commit(f, &ahead, 1).await));
    commit(f, &held, 2).await.unwrap();
    assert!(is_not_owner(&commit(f, &held, 3).await));
    expect_rows(f, &[2]).await;
    let found = claim(f, 1).await;
    assert_eq!((found.commit_no, found.entry.as_deref()), (1, Some("2")));
}

/// Either the claim waits for the commit and finds it, or the commit finds the claim and leaves nothing.
pub async fn a_claim_and_a_commit_in_flight_agree<F: Fixture>(f: &F) {
    for row in 1..=10 {
        let before = claim(f, 1).await;
        let held = guard(key(), &before);
        let other = f.other();
        let mine = key();
        let (committed, found) = join(commit(f, &held, row), other.claim(&mine, 1)).await;
        let found = found.unwrap();
        assert!(found.epoch > before.epoch);
        match committed {
            Ok(()) => assert_eq!((found.commit_no, found.entry), (before.commit_no + 1, Some(row.to_string()))),
            Err(CommitError::NotOwner) => assert_eq!((found.commit_no, found.entry), (before.commit_no, before.entry)),
            // Waiting for the claim may end in a deadlock or a time-out; nothing was committed then.
            Err(other) => assert!(matches!(&other, CommitError::Refused(e) if f.database().is_transient(e)), "{other}"),
        }
    }
}

/// A process that was taken over and wakes up late cannot fence its successor.
pub async fn an_earlier_step_execution_cannot_claim<F: Fixture>(f: &F) {
    let new = guard(key(), &claim(f, 7).await);
    assert_eq!(refusal(&f.database().claim(&key(), 6).await), Some(ErrorKind::NotOwner));
    commit(f, &new, 1).await.unwrap();
    assert_eq!(claim(f, 7).await.commit_no, 1);
}

/// A transaction that is rolled back, and one that is given up, change neither.
pub async fn rows_and_entry_are_rolled_back_together<F: Fixture>(f: &F) {
    let held = guard(key(), &claim(f, 1).await);
    let database = f.database();
    for gives_up in [false, true] {
        let mut tx = database.begin().await.unwrap();
        f.put(F::Database::conn(&mut tx), 1).await.unwrap();
        if gives_up {
            database.abandon(tx).await;
        } else {
            database.rollback(tx).await.unwrap();
        }
        expect_rows(f, &[]).await;
    }
    commit(f, &held, 1).await.unwrap();
    let found = claim(f, 1).await;
    assert_eq!((found.commit_no, found.entry.as_deref()), (1, Some("1")));
    expect_rows(f, &[1]).await;
}

/// Of another repository, of another instance, of another step; what one does the others do not see.
pub async fn ledgers_of_other_steps_are_apart<F: Fixture>(f: &F) {
    let held = guard(key(), &claim(f, 5).await);
    let others = [
        LedgerKey { repository: "another".to_owned(), ..key() },
        LedgerKey { instance: 2, ..key() },
        LedgerKey { step: "Load".to_owned(), ..key() },
        LedgerKey { step: "load 🚀 '\"\\".to_owned(), ..key() },
    ];
    for (row, other) in (10..).zip(others) {
        let state = f.database().claim(&other, 1).await.unwrap();
        assert_eq!((state.commit_no, &state.entry), (0, &None), "{other:?}");
        commit(f, &guard(other, &state), row).await.unwrap();
    }
    commit(f, &held, 1).await.unwrap();
    assert_eq!(claim(f, 5).await.commit_no, 1);
}

/// Megabytes of any text: a chunk's skip records may keep the raw records.
pub async fn an_entry_may_be_long<F: Fixture>(f: &F) {
    let held = guard(key(), &claim(f, 1).await);
    let entry = format!("{{\"\u{65e5}\u{672c} 🚀 '\\\"\": \"{}\"}}", "x".repeat(3_000_000));
    let database = f.database();
    let tx = database.begin().await.unwrap();
    database.commit_with_ledger(tx, &held, &entry).await.unwrap();
    assert!(claim(f, 1).await.entry.as_deref() == Some(&entry), "the entry comes back as it was");
}
