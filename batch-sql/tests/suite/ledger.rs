//! The ledger of steps whose repository is elsewhere.

use crate::fixture::Fixture;
use batch_core::{
    Ledger, Transactions,
    repository::CommitError,
    transaction::{LedgerGuard, LedgerKey},
};
use batch_sql::Sqlite;

fn key() -> LedgerKey {
    LedgerKey { repository: "elsewhere".into(), instance: 1, step: "load".into() }
}

/// 1 is NORMAL, which a power cut may undo; 2 is FULL.
async fn synchronous(db: &Sqlite) -> i64 {
    let mut tx = db.begin().await.unwrap();
    let level = sqlx::query_scalar("PRAGMA synchronous").fetch_one(Sqlite::conn(&mut tx)).await.unwrap();
    // The next transaction gets another connection.
    db.abandon(tx).await;
    level
}

#[tokio::test]
async fn commits_with_a_ledger_wait_for_the_disk_whatever_the_options_say() {
    let f = Fixture::new().await;
    assert_eq!(synchronous(&f.db).await, 1);
    f.db.rollback(f.db.begin().await.unwrap()).await.unwrap();
    f.db.claim(&key(), 1).await.unwrap();
    assert_eq!(synchronous(&f.db).await, 2, "of the connection that was there");
    assert_eq!(synchronous(&f.db).await, 2, "of one that is opened later");
}

#[tokio::test]
async fn a_commit_of_the_users_own_is_found() {
    let f = Fixture::new().await;
    f.sql("CREATE TABLE t (id INTEGER)").await;
    for ends in ["COMMIT", "ROLLBACK", "COMMIT; BEGIN"] {
        let state = f.db.claim(&key(), 1).await.unwrap();
        let guard = LedgerGuard { key: key(), epoch: state.epoch, commit_no: state.commit_no };
        let mut tx = f.db.begin().await.unwrap();
        sqlx::raw_sql(ends).execute(Sqlite::conn(&mut tx)).await.unwrap();
        let refused = f.db.commit_with_ledger(tx, &guard, "{}").await.unwrap_err();
        assert!(matches!(&refused, CommitError::Refused(e) if !f.db.is_transient(e)), "{refused}");
        assert!(refused.to_string().contains("ran COMMIT or ROLLBACK"), "{refused}");
        assert_eq!(f.db.claim(&key(), 1).await.unwrap().commit_no, 0);
    }
}
