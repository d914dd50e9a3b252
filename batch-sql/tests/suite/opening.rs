//! Opening, and what it says when it cannot.

use crate::fixture::{Fixture, url};
use batch_core::{ErrorKind, Transactions};
use batch_sql::{Sqlite, SqliteOptions};
use std::fs;

async fn refused(url: &str) -> (ErrorKind, String) {
    let error = Sqlite::open(url).await.unwrap_err();
    (error.kind(), error.report())
}

#[tokio::test]
async fn both_spellings_create_a_missing_file() {
    let dir = tempfile::tempdir().unwrap();
    for (spelling, file) in [("sqlite://", "a.db"), ("sqlite:", "b.db")] {
        let path = dir.path().join(file);
        Sqlite::open(&format!("{spelling}{}", path.display())).await.unwrap();
        assert!(path.exists());
    }
    let (kind, report) = refused(&format!("sqlite://{}/c.db?mode=rw", dir.path().display())).await;
    assert_eq!(kind, ErrorKind::Unavailable, "{report}");
    assert!(report.contains("c.db"), "{report}");
}

#[tokio::test]
async fn a_wrong_url_says_what_is_known() {
    for (url, part) in [
        ("oracle://scott:tiger@db/x", "unknown database \"oracle\"; known are: sqlite"),
        ("products.db", "named by a URL; known are: sqlite"),
        ("sqlite:", "names no file"),
        ("sqlite://?mode=rwc", "names no file"),
        ("sqlite::memory:", "in-memory"),
        ("sqlite://x.db?mode=memory", "in-memory"),
        ("sqlite://x.db?mode=ro", "read-only"),
        ("sqlite://x.db?immutable=1", "read-only"),
        ("sqlite://x.db?cache=shared", "shared cache"),
        ("sqlite://x.db?mode=odd", "cannot be read"),
    ] {
        let (kind, report) = refused(url).await;
        assert_eq!(kind, ErrorKind::Configuration, "{report}");
        assert!(report.contains(part), "{report}");
        assert!(!report.contains("tiger"), "{report}");
    }
}

#[tokio::test]
async fn a_path_that_cannot_hold_a_database_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| format!("sqlite://{}", dir.path().join(name).display());
    fs::create_dir(dir.path().join("folder")).unwrap();
    fs::write(dir.path().join("text.csv"), "id;name\n".repeat(1_000)).unwrap();
    for (url, kind, part) in [
        (at("none/x.db"), ErrorKind::Configuration, "does not exist; create it first"),
        (at("folder"), ErrorKind::Configuration, "is a folder"),
        (at("text.csv"), ErrorKind::Configuration, "is not an SQLite database, or is encrypted"),
        ("sqlite:///proc/x.db".to_owned(), ErrorKind::Unavailable, "/proc/x.db"),
    ] {
        let (found, report) = refused(&url).await;
        assert_eq!(found, kind, "{report}");
        assert!(report.contains(part) && report.contains("file "), "{report}");
    }
}

#[tokio::test]
async fn a_damaged_file_needs_an_operator() {
    let f = Fixture::new().await;
    f.sql("PRAGMA wal_checkpoint(TRUNCATE)").await;
    f.db.close().await;
    let mut bytes = fs::read(f.path()).unwrap();
    bytes[100..4096].fill(0xa5);
    fs::write(f.path(), bytes).unwrap();
    let (kind, report) = refused(&url(&f.dir)).await;
    assert_eq!(kind, ErrorKind::NeedsOperator, "{report}");
    assert!(report.contains("damaged") && report.contains("test.db"), "{report}");
}

#[tokio::test]
async fn commits_reach_the_disk_unless_asked_otherwise() {
    let f = Fixture::with(|_| SqliteOptions::new()).await;
    let mut tx = f.db.begin().await.unwrap();
    let pragma = |sql: &'static str| sqlx::query_scalar::<_, i64>(sql);
    assert_eq!(pragma("PRAGMA synchronous").fetch_one(Sqlite::conn(&mut tx)).await.unwrap(), 2);
    assert_eq!(pragma("PRAGMA foreign_keys").fetch_one(Sqlite::conn(&mut tx)).await.unwrap(), 1);
    assert_eq!(pragma("PRAGMA mmap_size").fetch_optional(Sqlite::conn(&mut tx)).await.unwrap().unwrap_or(0), 0);
    f.db.rollback(tx).await.unwrap();
    assert_eq!(f.text("PRAGMA journal_mode").await, "wal");
    let f = Fixture::new().await;
    assert_eq!(f.number("PRAGMA synchronous").await, 1);
}

#[tokio::test]
async fn a_closed_handle_opens_its_own_connections_again() {
    let f = Fixture::new().await;
    f.db.close().await;
    let tx = f.db.begin().await.unwrap();
    f.db.rollback(tx).await.unwrap();
    assert!(f.repository.explorer().job_names().await.unwrap().is_empty());
}
