//! Hostile names reach no statement.

use super::support::{Db, on_every_database, write};
use batch_core::{Chunk, Writer};
use batch_sql::{SqlDelete, SqlInsert, SqlUpdate, SqlUpsert};
use proptest::prelude::*;
use std::{cell::RefCell, collections::BTreeMap};

fn is_plain(name: &str) -> bool {
    name.len() <= 63
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z\"'`;\\-\\[\\](){}/*=?. \u{0}-\u{1f}ÄßЖ]{0,80}",
        Just("canary\"; DROP TABLE canary; --".to_owned()),
        Just("canary`; DROP TABLE canary; --".to_owned()),
        Just("canary (id) SELECT 2; --".to_owned()),
        Just("public.canary\" (id) VALUES (2); --".to_owned()),
        Just("a.b.c".to_owned()),
        Just(".canary".to_owned()),
        Just("canary.".to_owned()),
        Just("a".repeat(64)),
        Just("1a".to_owned()),
        Just(String::new()),
        ".*",
    ]
}

type Row = BTreeMap<String, i64>;

async fn attack<D: Db>(db: &mut D, name: &str) {
    let row = [Row::from([("id".to_owned(), 1)])];
    let odd = [Row::from([("id".to_owned(), 1), (name.to_owned(), 2)])];
    db.sql("BEGIN").await;
    SqlInsert::into(name).write(db, Chunk::from(&row[..])).await.unwrap_err();
    SqlInsert::into("canary").write(db, Chunk::from(&odd[..])).await.unwrap_err();
    SqlUpsert::into(name).key(["id"]).write(db, Chunk::from(&row[..])).await.unwrap_err();
    SqlUpsert::into("canary").key([name]).write(db, Chunk::from(&odd[..])).await.unwrap_err();
    SqlUpdate::table("canary").key([name]).write(db, Chunk::from(&odd[..])).await.unwrap_err();
    SqlUpdate::table("canary").key(["id"]).write(db, Chunk::from(&odd[..])).await.unwrap_err();
    SqlDelete::from(name).key(["id"]).write(db, Chunk::from(&row[..])).await.unwrap_err();
    SqlDelete::from("canary").key([name]).write(db, Chunk::from(&odd[..])).await.unwrap_err();
    assert_eq!(db.texts("SELECT v FROM canary").await, [Some("alive".to_owned())]);
    db.sql("ROLLBACK").await;
}

fn attacks<D: Db>() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let db = RefCell::new(runtime.block_on(async {
        let mut db = D::fresh().await;
        db.sql("CREATE TABLE canary (id BIGINT PRIMARY KEY, v VARCHAR(10))").await;
        db.sql("INSERT INTO canary VALUES (1, 'alive')").await;
        db
    }));
    proptest!(ProptestConfig::with_cases(200), |(name in hostile())| {
        prop_assume!(!is_plain(&name));
        runtime.block_on(attack(&mut *db.borrow_mut(), &name));
    });
}

mod names_outside_the_allowed_form_are_refused_and_the_canary_lives {
    use super::attacks;

    #[test]
    fn sqlite() {
        attacks::<sqlx::SqliteConnection>();
    }

    #[test]
    fn postgres() {
        attacks::<sqlx::PgConnection>();
    }

    #[test]
    fn mariadb() {
        attacks::<sqlx::MySqlConnection>();
    }
}

on_every_database!(words_of_sql_are_names_like_others, a_table_of_another_schema_is_found);

async fn words_of_sql_are_names_like_others<D: Db>(db: &mut D) {
    let names = format!("CREATE TABLE {0}select{0} ({0}from{0} BIGINT PRIMARY KEY, {0}where{0} BIGINT)", D::BRAND.quote());
    db.sql(&names).await;
    every_writer(db, "select").await;
}

async fn a_table_of_another_schema_is_found<D: Db>(db: &mut D) {
    let (quote, name) = (D::BRAND.quote(), format!("other_{}", std::process::id()));
    let schema = match D::BRAND {
        super::support::Brand::Sqlite => format!("ATTACH ':memory:' AS {name}"),
        super::support::Brand::Postgres => format!("CREATE SCHEMA {name}"),
        super::support::Brand::MariaDb => format!("CREATE DATABASE {name}"),
    };
    db.sql(&schema).await;
    db.sql(&format!("CREATE TABLE {name}.item ({quote}from{quote} BIGINT PRIMARY KEY, {quote}where{quote} BIGINT)")).await;
    every_writer(db, &format!("{name}.item")).await;
}

async fn every_writer<D: Db>(db: &mut D, table: &str) {
    let rows = |value| (0..40).map(|id| BTreeMap::from([("from", id), ("where", value)])).collect::<Vec<_>>();
    let shown = table.split('.').map(|name| format!("{0}{name}{0}", D::BRAND.quote())).collect::<Vec<_>>().join(".");
    let values = format!("SELECT DISTINCT {0}where{0} FROM {shown}", D::BRAND.quote());
    write(db, &mut SqlInsert::into(table), &rows(1)).await.unwrap();
    assert_eq!(db.numbers(&values).await, [1]);
    write(db, &mut SqlUpsert::into(table).key(["from"]), &rows(2)).await.unwrap();
    assert_eq!(db.numbers(&values).await, [2]);
    write(db, &mut SqlUpdate::table(table).key(["from"]), &rows(3)).await.unwrap();
    assert_eq!(db.numbers(&values).await, [3]);
    write(db, &mut SqlDelete::from(table).key(["from"]), &rows(3)).await.unwrap();
    assert_eq!(db.numbers(&values).await, [] as [i64; 0]);
}
