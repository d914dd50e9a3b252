//! What comes back is what was written.

use super::support::{Brand, Db, Stored, brand, on_every_database, write};
use batch_sql::{SqlInsert, SqlUpdate, SqlUpsert};
use proptest::prelude::*;
use serde::{Serialize, Serializer};
use sqlx::SqliteConnection;
use std::cell::RefCell;

/// Bytes that serialise as such, where a `Vec<u8>` is a list.
#[derive(Debug, Clone)]
pub(super) struct Bytes(pub(super) Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

#[derive(Debug, Clone, Serialize)]
struct Row {
    id: i64,
    number: Option<i64>,
    float: Option<f64>,
    text: Option<String>,
    bytes: Option<Bytes>,
}

/// Texts that mean something to a format or a parser.
pub(super) fn hostile() -> impl Strategy<Value = String> {
    let pieces = [
        "\t", "\n", "\r", "\r\n", "\\", "\\N", "\\.", "\\x41", "'", "''", "\"", "`", "$1", "?", "{a,b}", "NULL", "null", "", " ",
        "🦀", "ß", "é", "\u{1}", "\u{7f}", "\u{feff}", "\u{2028}", "%s", ";--", "/*", "[1,2]", "true", "0",
    ];
    prop_oneof![
        proptest::collection::vec(proptest::sample::select(pieces.to_vec()), 0..8).prop_map(|parts| parts.concat()),
        "[^\u{0}]{0,20}",
    ]
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let float = prop_oneof![
        any::<f64>().prop_filter("finite", |f| f.is_finite()),
        Just(0.1),
        Just(-0.0),
        Just(f64::MAX),
        Just(f64::MIN_POSITIVE)
    ];
    let bytes = proptest::option::of(proptest::collection::vec(any::<u8>(), 0..20).prop_map(Bytes));
    let number = proptest::option::of(prop_oneof![any::<i64>(), Just(i64::MIN), Just(i64::MAX), Just(0)]);
    let row = (number, proptest::option::of(float), proptest::option::of(hostile()), bytes);
    proptest::collection::vec(row, 1..60).prop_map(|rows| {
        let row = |(id, (number, float, text, bytes))| Row { id, number, float, text, bytes };
        (0..).zip(rows).map(row).collect()
    })
}

async fn create(db: &mut impl Db) {
    let (float, text, bytes) = match brand(db) {
        Brand::Sqlite => ("REAL", "TEXT", "BLOB"),
        Brand::Postgres => ("DOUBLE PRECISION", "TEXT", "BYTEA"),
        Brand::MariaDb => ("DOUBLE", "LONGTEXT CHARACTER SET utf8mb4", "LONGBLOB"),
    };
    let columns = format!("id BIGINT PRIMARY KEY, number BIGINT, float_value {float}, text {text}, bytes {bytes}")
        .replace("float_value", "`float`");
    let columns = if brand(db) == Brand::MariaDb { columns } else { columns.replace('`', "\"") };
    db.sql(&format!("CREATE TABLE item ({columns})")).await;
}

async fn stored(db: &mut impl Db) -> Vec<Stored> {
    let sql = "SELECT id, number, `float`, text, bytes FROM item ORDER BY id";
    let sql = if brand(db) == Brand::MariaDb { sql.to_owned() } else { sql.replace('`', "\"") };
    db.values(&sql).await
}

fn same(stored: &[Stored], rows: &[Row]) -> bool {
    let bits = |float: &Option<f64>| float.map(|f| if f == 0.0 { 0 } else { f.to_bits() });
    stored.len() == rows.len()
        && stored.iter().zip(rows).all(|(s, r)| {
            s.0 == r.id
                && s.1 == r.number
                && bits(&s.2) == bits(&r.float)
                && s.3 == r.text
                && s.4.as_ref() == r.bytes.as_ref().map(|b| &b.0)
        })
}

async fn write_all_ways(db: &mut impl Db, chunk: &[Row], blank: &[Row]) {
    db.sql("DELETE FROM item").await;
    write(db, &mut SqlInsert::into("item"), chunk).await.unwrap();
    assert!(same(&stored(db).await, chunk), "insert: {chunk:?}");
    let mut upsert = SqlUpsert::into("item").key(["id"]);
    write(db, &mut upsert, blank).await.unwrap();
    write(db, &mut upsert, chunk).await.unwrap();
    assert!(same(&stored(db).await, chunk), "upsert: {chunk:?}");
    write(db, &mut upsert, blank).await.unwrap();
    write(db, &mut SqlUpdate::table("item").key(["id"]), chunk).await.unwrap();
    assert!(same(&stored(db).await, chunk), "update: {chunk:?}");
}

fn round_trip<D: Db>() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let db = RefCell::new(runtime.block_on(async {
        let mut db = D::fresh().await;
        create(&mut db).await;
        db
    }));
    proptest!(ProptestConfig::with_cases(60), |(chunk in rows())| {
        let blank: Vec<_> = chunk.iter().map(|r| Row { id: r.id, number: None, float: None, text: None, bytes: None }).collect();
        runtime.block_on(write_all_ways(&mut *db.borrow_mut(), &chunk, &blank));
    });
}

mod hostile_values_come_back_as_they_went_in {
    use super::*;

    #[test]
    fn sqlite() {
        round_trip::<SqliteConnection>();
    }

    #[test]
    fn postgres() {
        round_trip::<sqlx::PgConnection>();
    }

    #[test]
    fn mariadb() {
        round_trip::<sqlx::MySqlConnection>();
    }
}

on_every_database!(values_fit_the_columns_they_are_meant_for);

async fn values_fit_the_columns_they_are_meant_for(db: &mut impl Db) {
    #[derive(Serialize)]
    enum Colour {
        Red,
    }
    #[derive(Serialize)]
    struct Wrapped(i64);
    #[derive(Serialize)]
    struct All {
        a: u8,
        b: i64,
        c: f32,
        d: char,
        e: Colour,
        f: Wrapped,
        g: Option<Option<bool>>,
        h: (),
        i: chrono::NaiveDate,
        j: std::net::Ipv6Addr,
        k: &'static str,
        l: &'static str,
        m: chrono::DateTime<chrono::Utc>,
        n: i64,
    }
    let moment = if brand(db) == Brand::Postgres { "TIMESTAMPTZ" } else { "DATETIME(6)" };
    db.sql(&format!(
        "CREATE TABLE item (a SMALLINT, b BIGINT, c REAL, d VARCHAR(1), e VARCHAR(10), f INT, g BOOLEAN, h INT, i DATE, j VARCHAR(50),
         k VARCHAR(50), l DECIMAL(10, 2), m {moment}, n VARCHAR(10))"
    ))
    .await;
    let all = || All {
        a: 255,
        b: i64::MIN,
        c: 0.5,
        d: 'ß',
        e: Colour::Red,
        f: Wrapped(7),
        g: Some(Some(true)),
        h: (),
        i: "2026-02-28".parse().unwrap(),
        j: "::1".parse().unwrap(),
        k: "it's \"quoted\"",
        l: "12.50",
        m: "2026-02-28T23:59:59.123456+02:00".parse().unwrap(),
        n: 42,
    };
    let text = if brand(db) == Brand::MariaDb { "CHAR" } else { "TEXT" };
    let flag = "CASE WHEN g THEN 'yes' END";
    let casts = ["a", "b", "c", "d", "e", "f", flag, "h", "i", "j", "k", "l", "m", "n"]
        .map(|c| format!("COALESCE(CAST({c} AS {text}), 'NULL')"));
    let columns = casts.join(" || ' ' || ");
    let expected =
        r#"255 -9223372036854775808 0.5 ß Red 7 yes NULL 2026-02-28 ::1 it's "quoted" 12.50 2026-02-28 21:59:59.123456 42"#;
    for rows in [1, 50] {
        db.sql("DELETE FROM item").await;
        let chunk: Vec<_> = (0..rows).map(|_| all()).collect();
        write(db, &mut SqlInsert::into("item"), &chunk).await.unwrap();
        let stored = db.texts(&format!("SELECT DISTINCT {columns} FROM item")).await;
        let stored: Vec<_> = stored.into_iter().flatten().map(|row| plain(&row)).collect();
        assert_eq!(stored, [expected]);
    }
}

/// SQLite keeps the texts of times and the shortest form of numbers; PostgreSQL shows the session's zone.
fn plain(row: &str) -> String {
    row.replace("12.5 ", "12.50 ")
        .replace("2026-02-28T21:59:59.123456Z", "2026-02-28 21:59:59.123456")
        .replace("123456+00", "123456")
}
