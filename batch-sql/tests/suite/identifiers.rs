//! Hostile names reach no statement.

use crate::fixture::{Fixture, url};
use batch_core::{Chunk, Transactions, Writer};
use batch_sql::{SqlInsert, SqlUpdate, SqlUpsert, Sqlite, SqliteOptions};
use proptest::prelude::*;
use std::collections::BTreeMap;

const CANARY: &str = "CREATE TABLE canary (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO canary VALUES (1, 'alive')";

fn is_plain(name: &str) -> bool {
    name.len() <= 63
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z\"'`;\\-\\[\\](){}/*=? \u{0}-\u{1f}ÄßЖ]{0,80}",
        Just("canary\"; DROP TABLE canary; --".to_owned()),
        Just("canary (id) SELECT 2; --".to_owned()),
        Just("a".repeat(64)),
        Just("1a".to_owned()),
        Just(String::new()),
        ".*",
    ]
}

async fn attack(f: &Fixture, name: &str) {
    let mut tx = f.db.begin().await.unwrap();
    let row = [BTreeMap::from([("id".to_owned(), 1)])];
    let odd = [BTreeMap::from([("id".to_owned(), 1), (name.to_owned(), 2)])];
    let conn = Sqlite::conn(&mut tx);
    SqlInsert::into(name).write(conn, Chunk::from(&row[..])).await.unwrap_err();
    SqlInsert::into("canary").write(conn, Chunk::from(&odd[..])).await.unwrap_err();
    SqlUpsert::into("canary").key([name]).write(conn, Chunk::from(&odd[..])).await.unwrap_err();
    SqlUpdate::table("canary").key([name]).write(conn, Chunk::from(&odd[..])).await.unwrap_err();
    f.db.rollback(tx).await.unwrap();
    SqliteOptions::new().table_prefix(name).open(&url(&f.dir)).await.unwrap_err();
    assert_eq!(f.text("SELECT group_concat(id || v) FROM canary").await, "1alive");
}

#[test]
fn names_outside_the_allowed_form_are_refused_and_the_canary_lives() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let f = runtime.block_on(async {
        let f = Fixture::new().await;
        f.sql(CANARY).await;
        f
    });
    proptest!(ProptestConfig::with_cases(200), |(name in hostile())| {
        prop_assume!(!is_plain(&name));
        runtime.block_on(attack(&f, &name));
    });
}

#[tokio::test]
async fn words_of_sql_are_names_like_others() {
    let f = Fixture::new().await;
    f.sql("CREATE TABLE \"select\" (\"from\" INTEGER PRIMARY KEY, \"where\" INTEGER)").await;
    let row = [BTreeMap::from([("from", 1), ("where", 2)])];
    let mut tx = f.db.begin().await.unwrap();
    let conn = Sqlite::conn(&mut tx);
    SqlInsert::into("select").write(conn, Chunk::from(&row[..])).await.unwrap();
    SqlUpsert::into("select").key(["from"]).write(conn, Chunk::from(&row[..])).await.unwrap();
    SqlUpdate::table("select").key(["from"]).write(conn, Chunk::from(&row[..])).await.unwrap();
    f.db.rollback(tx).await.unwrap();
    SqliteOptions::new().table_prefix("sqlite_").open(&url(&f.dir)).await.unwrap_err();
}
