//! One query, read to its end.

use super::support::{Brand, Db, Item, brand, items, mistake, on_every_server, read_all, rest, saved};
use batch_core::{Error, ErrorKind, Reader, item::reader_conformance};
use batch_sql::{SqlCursor, Sqlite};

const ALL: &str = "SELECT id, name FROM item ORDER BY id";

on_every_server!(a_cursor_behaves_as_a_reader, 8);
async fn a_cursor_behaves_as_a_reader(db: &impl Db) {
    items(db, 9).await;
    for batch in [1, 4, 9, 100] {
        reader_conformance(|| SqlCursor::<Item, _>::query(db, ALL).batch_size(batch)).await;
    }
}

on_every_server!(a_cursor_reads_every_row_in_order);
async fn a_cursor_reads_every_row_in_order(db: &impl Db) {
    items(db, 3000).await;
    let sql = "SELECT id, name FROM item WHERE id % 7 <> ? AND name <> 'why?' ORDER BY id DESC -- ?";
    let ids: Vec<_> =
        read_all(SqlCursor::<Item, _>::query(db, sql).bind(0_i64)).await.into_iter().map(|row| row.unwrap().id).collect();
    assert_eq!(ids, (1..=3000).rev().filter(|id| id % 7 != 0).collect::<Vec<_>>());
}

on_every_server!(a_query_without_an_order_is_refused);
async fn a_query_without_an_order_is_refused(db: &impl Db) {
    let said = mistake(SqlCursor::<Item, _>::query(db, "SELECT id, name FROM item -- ORDER BY id")).await;
    assert!(said.contains("has no ORDER BY"), "{said}");
    let said = mistake(SqlCursor::<Item, _>::query(db, "SELECT id, name FROM item WHERE id > ? ORDER BY id")).await;
    assert!(said.contains("1 values stand as ? in the SQL, but 0 are bound"), "{said}");
}

on_every_server!(a_restart_needs_the_rows_that_were_read);
async fn a_restart_needs_the_rows_that_were_read(db: &impl Db) {
    items(db, 6).await;
    let mut reader = SqlCursor::<Item, _>::query(db, ALL);
    reader.open(None).await.unwrap();
    rest(&mut reader).await;
    reader.close().await.unwrap();
    db.run("DELETE FROM item WHERE id > 4").await;
    let mut restarted = SqlCursor::<Item, _>::query(db, ALL);
    restarted.open(Some(saved(&reader))).await.unwrap();
    let error = restarted.read().await.unwrap_err().downcast::<Error>().unwrap();
    assert_eq!(error.kind(), ErrorKind::NeedsOperator);
    assert!(error.to_string().contains("the query has 4 rows now, but 6 were committed"), "{error}");
}

on_every_server!(the_connection_is_kept_until_the_end_and_then_free, 1);
async fn the_connection_is_kept_until_the_end_and_then_free(db: &impl Db) {
    items(db, 3000).await;
    let make = || SqlCursor::<Item, _>::query(db, "SELECT id, name FROM item WHERE id % 7 <> 0 ORDER BY id").batch_size(10);
    let mut reader = make();
    reader.open(None).await.unwrap();
    reader.read().await.unwrap();
    assert!(!db.has_free().await, "the reader lost its connection");
    // Closed in the middle, and dropped in the middle.
    reader.close().await.unwrap();
    assert!(db.has_free().await);
    reader.open(None).await.unwrap();
    reader.read().await.unwrap();
    drop(reader);
    assert!(db.has_free().await);
    assert_eq!(read_all(make()).await.len(), 2572);
    assert!(db.has_free().await);
}

on_every_server!(no_snapshot_stays_open_on_postgres);
async fn no_snapshot_stays_open_on_postgres(db: &impl Db) {
    if brand(db) != Brand::Postgres {
        return;
    }
    items(db, 3000).await;
    let mut reader = SqlCursor::<Item, _>::query(db, ALL).batch_size(10);
    reader.open(None).await.unwrap();
    reader.read().await.unwrap();
    let busy = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
        AND (backend_xmin IS NOT NULL OR state LIKE 'idle in transaction%')";
    assert_eq!(db.numbers(busy).await, [0]);
}

#[tokio::test]
async fn a_connection_of_the_jobs_own_handle_counts() {
    let folder = tempfile::tempdir().unwrap();
    let db = Sqlite::open(&format!("sqlite://{}", folder.path().join("job.db").display())).await.unwrap();
    assert_eq!(SqlCursor::<Item, _>::query(&db, ALL).connections(), 1);
    assert_eq!(SqlCursor::<Item, _>::query(db.pool(), ALL).connections(), 0);
}
