//! One writer at a time, and nobody starves.

use crate::fixture::{Fixture, launch, owner};
use batch_core::{ErrorKind, Request, Transactions};
use batch_sql::{Sqlite, SqliteOptions};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chunks_leave_others_a_gap() {
    let f = Fixture::new().await;
    f.sql("CREATE TABLE t (v)").await;
    let id = f.launch(&owner()).await.unwrap().execution.id;
    let done = Arc::new(AtomicBool::new(false));
    let (db, seen) = (f.db.clone(), done.clone());
    let chunks = tokio::spawn(async move {
        while !seen.load(Ordering::Relaxed) {
            let mut tx = db.begin().await.unwrap();
            let slow = "INSERT INTO t WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) SELECT sum(i) FROM n";
            sqlx::raw_sql(slow).execute(Sqlite::conn(&mut tx)).await.unwrap();
            db.rollback(tx).await.unwrap();
        }
    });
    let other = f.other().await.repository();
    let mut worst = Duration::ZERO;
    for _ in 0..5 {
        let asked = Instant::now();
        other.request(id, Some(Request::Stop)).await.unwrap();
        worst = worst.max(asked.elapsed());
    }
    done.store(true, Ordering::Relaxed);
    chunks.await.unwrap();
    assert!(worst < Duration::from_secs(3), "another process waited {worst:?}");
}

#[tokio::test]
async fn a_launch_that_meets_a_holder_without_gaps_names_it() {
    let f = Fixture::with(|o| o.launch_wait(Duration::from_millis(30))).await;
    let holder = f.other().await;
    let me = owner();
    let first = f.launch(&me).await.unwrap();
    let tx = holder.begin().await.unwrap();
    for job in ["import", "other"] {
        let error = f.repository.launch(&launch(job, &owner())).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyRunning);
        let report = error.report();
        for part in
            ["keeps the database locked", &format!("process {}", std::process::id()), &format!("execution {}", first.execution.id)]
        {
            assert!(report.contains(part), "{report}");
        }
    }
    holder.rollback(tx).await.unwrap();
    f.repository.launch(&launch("other", &owner())).await.unwrap();
}

#[tokio::test]
async fn a_lock_of_no_owner_known_makes_the_store_unavailable() {
    let limit = Duration::from_millis(30);
    let f = Fixture::with(|o| o.launch_wait(limit).wait(limit)).await;
    let holder = f.other().await;
    let tx = holder.begin().await.unwrap();
    let error = f.launch(&owner()).await.unwrap_err();
    assert_eq!((error.kind(), error.is_transient()), (ErrorKind::Unavailable, true));
    assert!(error.report().contains(&format!("locked by process {}", std::process::id())), "{}", error.report());
    let error = f.db.begin().await.map(drop).unwrap_err();
    assert!(f.db.is_transient(&error), "{error}");
    assert_eq!(f.repository.request(1, None).await.unwrap_err().kind(), ErrorKind::Unavailable);
    holder.rollback(tx).await.unwrap();
    let tx = f.db.begin().await.unwrap();
    f.db.rollback(tx).await.unwrap();
}

#[tokio::test]
async fn a_step_that_begins_a_chunk_inside_a_chunk_is_told_after_the_limit() {
    let f = Fixture::with(|o: SqliteOptions| o.wait(Duration::from_millis(20))).await;
    let tx = f.db.begin().await.unwrap();
    let error = f.db.begin().await.map(drop).unwrap_err();
    assert!(error.to_string().contains("locked for writing longer than the limit"), "{error}");
    f.db.rollback(tx).await.unwrap();
}
