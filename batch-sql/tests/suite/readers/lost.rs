//! Connections are lost, servers go and come back: no row is lost, none comes twice.

use super::support::{Brand, Db, Item, brand, items, on_every_server};
use crate::servers::fixture::Speaks;
use batch_core::{BoxError, Reader, Transient, caused_by};
use batch_sql::{Keyset, MySqlKind, PostgresKind, SqlCursor};
use batch_testkit::{Options, Server};
use sqlx::{mysql::MySqlPoolOptions, postgres::PgPoolOptions};
use std::time::Duration;

/// Ends all sessions but the one that asks.
async fn cut(db: &impl Db) {
    match brand(db) {
        Brand::Sqlite => {}
        Brand::Postgres => db.run(PostgresKind::END_OTHERS).await,
        Brand::MariaDb => db.run(MySqlKind::END_OTHERS).await,
    }
}

pub(super) fn is_cut(error: &BoxError) -> bool {
    caused_by::<Transient>(error, |_| true)
}

/// Reads on through transient errors; each is followed by the same row as without.
async fn ids<R: Reader<Item = Item>>(reader: &mut R) -> Vec<i64> {
    let (mut ids, mut failures) = (Vec::new(), 0);
    loop {
        match reader.read().await {
            Ok(Some(item)) => ids.push(item.id),
            Ok(None) => return ids,
            Err(e) if is_cut(&e) && failures < 20 => failures += 1,
            Err(e) => panic!("{e:?}"),
        }
    }
}

on_every_server!(a_page_is_asked_for_again_on_another_connection);
async fn a_page_is_asked_for_again_on_another_connection(db: &impl Db) {
    items(db, 6).await;
    let mut reader = Keyset::<Item, _>::table(db, "item").key(["id"]).page_size(2);
    reader.open(None).await.unwrap();
    assert_eq!(reader.read().await.unwrap().unwrap().id, 1);
    cut(db).await;
    assert_eq!(ids(&mut reader).await, [2, 3, 4, 5, 6]);
}

on_every_server!(a_cursor_is_opened_again_behind_what_was_read);
async fn a_cursor_is_opened_again_behind_what_was_read(db: &impl Db) {
    items(db, 3000).await;
    // Wide rows, so that the server cannot have sent all before it is cut off.
    let sql = "SELECT id, concat(name, repeat('x', 20000)) AS name FROM item WHERE id % 7 <> 0 ORDER BY id";
    let sql = if brand(db) == Brand::Sqlite { "SELECT id, name FROM item WHERE id % 7 <> 0 ORDER BY id" } else { sql };
    let mut reader = SqlCursor::<Item, _>::query(db, sql).batch_size(10);
    reader.open(None).await.unwrap();
    assert_eq!(reader.read().await.unwrap().unwrap().id, 1);
    cut(db).await;
    assert_eq!(ids(&mut reader).await, (2..=3000).filter(|id| id % 7 != 0).collect::<Vec<_>>());
}

/// The server is killed between two pages, and what is read meanwhile fails as transient; then it comes back.
async fn outlives(server: &Server, db: &impl Db) {
    items(db, 6).await;
    let mut reader = Keyset::<Item, _>::table(db, "item").key(["id"]).page_size(2);
    reader.open(None).await.unwrap();
    assert_eq!(reader.read().await.unwrap().unwrap().id, 1);
    assert_eq!(reader.read().await.unwrap().unwrap().id, 2);
    server.stop_immediate();
    let error = reader.read().await.unwrap_err();
    assert!(is_cut(&error), "{error:?}");
    server.start_again();
    assert_eq!(ids(&mut reader).await, [3, 4, 5, 6]);
}

#[tokio::test]
async fn a_postgres_that_restarts_between_two_pages_loses_nothing() {
    let server = Server::start(Options::postgres());
    let url = server.database().await.url();
    let pool = PgPoolOptions::new().acquire_timeout(Duration::from_millis(300)).connect(&url).await.unwrap();
    outlives(&server, &pool).await;
}

#[tokio::test]
async fn a_mariadb_that_restarts_between_two_pages_loses_nothing() {
    let server = Server::start(Options::mariadb());
    let url = server.database().await.url();
    let pool = MySqlPoolOptions::new().acquire_timeout(Duration::from_millis(300)).connect(&url).await.unwrap();
    outlives(&server, &pool).await;
}
