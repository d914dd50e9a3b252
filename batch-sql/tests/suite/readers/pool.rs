//! A pool of one serves reader and writer in turn.

use super::support::{Db, items, on_every_server};
use batch_core::Reader;
use batch_sql::Keyset;

on_every_server!(no_connection_is_kept_between_pages, 1);
async fn no_connection_is_kept_between_pages(db: &impl Db) {
    items(db, 40).await;
    db.run("CREATE TABLE copied (id BIGINT NOT NULL PRIMARY KEY)").await;
    let mut reader = Keyset::<(i64,), _>::table(db, "item").columns(["id"]).key(["id"]).page_size(3);
    assert_eq!(reader.connections(), 0);
    reader.open(None).await.unwrap();
    while let Some((id,)) = reader.read().await.unwrap() {
        // Fails after 2 s where the reader keeps the one connection.
        db.run(&format!("INSERT INTO copied VALUES ({id})")).await;
    }
    reader.close().await.unwrap();
    assert_eq!(db.numbers("SELECT count(*) FROM copied").await, [40]);
}

on_every_server!(a_reader_that_waits_for_a_connection_may_be_dropped, 1);
async fn a_reader_that_waits_for_a_connection_may_be_dropped(db: &impl Db) {
    items(db, 4).await;
    let mut reader = Keyset::<(i64,), _>::table(db, "item").columns(["id"]).key(["id"]);
    reader.open(None).await.unwrap();
    for _ in 0..3 {
        let dropped = tokio::time::timeout(std::time::Duration::ZERO, reader.read()).await;
        assert!(dropped.is_err() || dropped.unwrap().unwrap().is_some());
    }
    reader.close().await.unwrap();
    assert!(db.has_free().await);
}
