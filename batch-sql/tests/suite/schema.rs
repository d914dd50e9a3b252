//! Versions of the repository's tables.

use crate::fixture::{Fixture, launch, owner, url};
use batch_core::{ErrorKind, Transactions};
use batch_sql::{Sqlite, SqliteOptions};

#[tokio::test]
async fn newer_tables_are_refused() {
    let f = Fixture::new().await;
    f.sql("INSERT INTO batch_schema_version VALUES (99, 'then')").await;
    let error = Sqlite::open(&url(&f.dir)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NeedsOperator);
    assert!(error.report().contains("version 99, this program knows 3"), "{}", error.report());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn several_may_open_a_new_file_at_once() {
    for _ in 0..10 {
        let dir = tempfile::tempdir().unwrap();
        let opened: Vec<_> = (0..6)
            .map(|_| {
                let url = url(&dir);
                tokio::spawn(async move { Sqlite::open(&url).await })
            })
            .collect();
        for db in opened {
            let db = db.await.unwrap().unwrap();
            let versions: i64 = sqlx::query_scalar("SELECT count(*) FROM batch_schema_version").fetch_one(db.pool()).await.unwrap();
            assert_eq!(versions, 3);
        }
    }
}

#[tokio::test]
async fn repositories_with_other_prefixes_do_not_meet() {
    let f = Fixture::new().await;
    f.launch(&owner()).await.unwrap();
    let other = SqliteOptions::new().table_prefix("Nightly_").open(&url(&f.dir)).await.unwrap();
    assert!(other.repository().explorer().job_names().await.unwrap().is_empty());
    other.repository().launch(&launch("import", &owner())).await.unwrap();
    assert_eq!(f.number("SELECT count(*) FROM \"Nightly_execution\"").await, 1);
    assert_eq!(f.number("SELECT count(*) FROM batch_execution").await, 1);
}

#[tokio::test]
async fn tables_of_somebody_else_are_not_touched() {
    let dir = tempfile::tempdir().unwrap();
    let pool = sqlx::SqlitePool::connect(&url(&dir)).await.unwrap();
    sqlx::raw_sql("CREATE TABLE batch_instance (mine)").execute(&pool).await.unwrap();
    let error = Sqlite::open(&url(&dir)).await.unwrap_err();
    assert!(error.report().contains("already exists"), "{}", error.report());
    let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema").fetch_one(&pool).await.unwrap();
    assert_eq!(tables, 1);
}
