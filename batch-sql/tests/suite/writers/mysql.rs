//! Engines, packets and times.

use super::support::{Db, expected, item, item_table, items, refusal, rows, write};
use batch_core::{Error, ErrorKind, caused_by};
use batch_sql::{SqlInsert, SqlUpdate, SqlUpsert};
use serde::Serialize;
use sqlx::MySqlConnection;

#[derive(Serialize, Clone)]
struct Text {
    id: i64,
    v: String,
}

fn text(id: i64, v: impl Into<String>) -> Text {
    Text { id, v: v.into() }
}

#[tokio::test]
async fn a_table_that_cannot_roll_back_is_refused() {
    let mut db = MySqlConnection::fresh().await;
    item_table(&mut db).await;
    for engine in ["MyISAM", "Aria", "MEMORY"] {
        db.sql(&format!("ALTER TABLE item ENGINE = {engine}")).await;
        let error = write(&mut db, &mut SqlInsert::into("item"), &[item(1)]).await.unwrap_err();
        assert!(error.to_string().contains(&format!("table `item` has the engine {engine}, which cannot roll back")), "{error}");
        assert!(caused_by::<Error>(&error, |e| e.kind() == ErrorKind::Configuration));
    }
    assert_eq!(rows(&mut db).await, [] as [String; 0]);
    db.sql("CREATE VIEW seen AS SELECT * FROM item").await;
    let error = refusal(&mut db, &mut SqlInsert::into("seen"), &[item(1)]).await;
    assert!(error.contains("`seen` is a VIEW"), "{error}");
    db.sql("ALTER TABLE item ENGINE = InnoDB").await;
    write(&mut db, &mut SqlInsert::into("item"), &[item(1)]).await.unwrap();
}

#[tokio::test]
async fn a_session_that_would_cut_values_is_refused() {
    let mut db = MySqlConnection::fresh().await;
    item_table(&mut db).await;
    db.sql("SET sql_mode = ''").await;
    let error = refusal(&mut db, &mut SqlInsert::into("item"), &[item(1)]).await;
    assert!(error.contains("STRICT_TRANS_TABLES"), "{error}");
}

#[tokio::test]
async fn rows_beyond_the_packet_go_in_several_statements() {
    let mut db = MySqlConnection::fresh().await;
    db.sql("CREATE TABLE item (id BIGINT PRIMARY KEY, v LONGTEXT)").await;
    let third = usize::try_from(db.numbers("SELECT CAST(@@max_allowed_packet / 3 AS SIGNED)").await[0]).unwrap();
    let chunk: Vec<_> = (0..5).map(|id| text(id, "x".repeat(third))).collect();
    write(&mut db, &mut SqlInsert::into("item"), &chunk).await.unwrap();
    assert_eq!(db.numbers("SELECT count(*) FROM item").await, [5]);
    let chunk: Vec<_> = (0..5).map(|id| text(id, "y".repeat(third))).collect();
    write(&mut db, &mut SqlUpdate::table("item").key(["id"]), &chunk).await.unwrap();
    assert_eq!(db.numbers("SELECT count(*) FROM item WHERE v LIKE 'y%'").await, [5]);

    for error in [
        refusal(&mut db, &mut SqlInsert::into("item"), &[text(5, "a"), text(6, "x".repeat(third * 3 + 9))]).await,
        refusal(&mut db, &mut SqlUpdate::table("item").key(["id"]), &[text(1, "a"), text(2, "x".repeat(third * 3 + 9))]).await,
    ] {
        assert!(error.contains("max_allowed_packet"), "{error}");
    }
}

#[tokio::test]
async fn times_with_a_zone_are_kept_in_utc() {
    let mut db = MySqlConnection::fresh().await;
    for (kind, given, expected) in [
        ("DATETIME(6)", "2026-01-01T10:00:00Z", "2026-01-01 10:00:00.000000"),
        ("DATETIME(6)", "2026-01-01T00:30:00.123456789+02:00", "2025-12-31 22:30:00.123456"),
        ("DATETIME", "2026-01-01T10:00:00", "2026-01-01 10:00:00"),
        ("TIMESTAMP(3)", "2026-01-01T10:00:00.5-01:00", "2026-01-01 11:00:00.500"),
        ("VARCHAR(40)", "2026-01-01T10:00:00Z", "2026-01-01T10:00:00Z"),
        ("DATE", "2026-02-28", "2026-02-28"),
        ("DECIMAL(10, 3)", "12.5", "12.500"),
        ("ENUM('a', 'b')", "b", "b"),
        ("UUID", "123e4567-e89b-12d3-a456-426655440000", "123e4567-e89b-12d3-a456-426655440000"),
        ("JSON", "{\"a\": 1}", "{\"a\": 1}"),
        ("BIGINT UNSIGNED", "18446744073709551615", "18446744073709551615"),
        ("YEAR", "2026", "2026"),
    ] {
        db.sql("DROP TABLE IF EXISTS item").await;
        db.sql(&format!("CREATE TABLE item (id BIGINT PRIMARY KEY, v {kind} NULL)")).await;
        write(&mut db, &mut SqlInsert::into("item"), &[text(1, given), text(2, given)])
            .await
            .unwrap_or_else(|e| panic!("{kind}: {e}"));
        db.sql("INSERT INTO item (id) VALUES (3), (4)").await;
        write(&mut db, &mut SqlUpdate::table("item").key(["id"]), &[text(3, given), text(4, given)]).await.unwrap();
        write(&mut db, &mut SqlUpsert::into("item").key(["id"]), &[text(4, given), text(5, given)]).await.unwrap();
        assert_eq!(db.texts("SELECT CAST(v AS CHAR) FROM item").await, vec![Some(expected.to_owned()); 5], "{kind}");
    }
    db.sql("DROP TABLE item").await;
    db.sql("CREATE TABLE item (id BIGINT PRIMARY KEY, v TIMESTAMP NULL)").await;
    db.sql("SET time_zone = '+05:00'").await;
    let error = refusal(&mut db, &mut SqlInsert::into("item"), &[text(1, "2026-01-01T10:00:00Z")]).await;
    assert!(error.contains("field `v` holds a time with a zone"), "{error}");
}

#[tokio::test]
async fn an_infinite_number_is_the_items_error() {
    #[derive(Serialize)]
    struct Number {
        v: f64,
    }
    let mut db = MySqlConnection::fresh().await;
    db.sql("CREATE TABLE item (v DOUBLE)").await;
    let error = refusal(&mut db, &mut SqlInsert::into("item"), &[Number { v: 1.0 }, Number { v: f64::INFINITY }]).await;
    assert!(error.contains("field `v` is infinite"), "{error}");
}

#[tokio::test]
async fn keys_are_the_same_when_the_server_says_so() {
    #[derive(Serialize)]
    struct Named {
        name: &'static str,
        v: i64,
    }
    let mut db = MySqlConnection::fresh().await;
    db.sql("CREATE TABLE item (name VARCHAR(20) CHARACTER SET latin1 PRIMARY KEY, v BIGINT)").await;
    let chunk = [("a", 1), ("b", 2), ("A", 3)].map(|(name, v)| Named { name, v });
    write(&mut db, &mut SqlUpsert::into("item").key(["name"]), &chunk).await.unwrap();
    assert_eq!(db.numbers("SELECT v FROM item ORDER BY v").await, [2, 3]);
    let chunk = [("B", 5), ("a", 6), ("b", 7)].map(|(name, v)| Named { name, v });
    write(&mut db, &mut SqlUpdate::table("item").key(["name"]), &chunk).await.unwrap();
    assert_eq!(db.numbers("SELECT v FROM item ORDER BY v").await, [6, 7]);
}

#[tokio::test]
async fn an_update_uses_the_index_of_its_key() {
    let mut db = MySqlConnection::fresh().await;
    item_table(&mut db).await;
    write(&mut db, &mut SqlInsert::into("item"), &items(0..2000)).await.unwrap();
    db.sql("ANALYZE TABLE item").await;
    let mut writer = SqlUpdate::table("item").key(["id"]);
    write(&mut db, &mut writer, &items(0..320)).await.unwrap();
    // The catalog was read the first time.
    db.sql("FLUSH STATUS").await;
    write(&mut db, &mut writer, &items(0..320)).await.unwrap();
    let scanned = "SELECT variable_value FROM information_schema.session_status WHERE variable_name = 'Handler_read_rnd_next'";
    let scanned = db.texts(scanned).await;
    assert_eq!(scanned, [Some("0".to_owned())]);
    assert_eq!(rows(&mut db).await, expected(&items(0..2000)));
}
