//! From structs to rows.

use crate::fixture::Fixture;
use batch_core::{Chunk, Result, Transactions, Writer};
use batch_sql::{SqlInsert, SqlUpdate, SqlUpsert, SqlWriter, Sqlite};
use serde::Serialize;
use sqlx::SqliteConnection;

#[derive(Serialize, Clone)]
struct Item {
    id: i64,
    name: Option<String>,
    price: f64,
    sold: bool,
}

fn item(id: i64) -> Item {
    Item { id, name: (id % 3 != 0).then(|| format!("n{id}")), price: id as f64 / 4.0, sold: id % 2 == 0 }
}

const TABLE: &str = "CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT, price REAL, sold INTEGER)";

/// Writes one chunk and keeps it, without a checkpoint.
async fn write<T: Sync + 'static>(f: &Fixture, writer: &mut impl Writer<T, SqliteConnection>, items: &[T]) -> Result<()> {
    let mut tx = f.db.begin().await?;
    let outcome = writer.write(Sqlite::conn(&mut tx), Chunk::from(items)).await;
    if outcome.is_ok() {
        sqlx::raw_sql("COMMIT").execute(Sqlite::conn(&mut tx)).await?;
    }
    f.db.rollback(tx).await?;
    outcome
}

async fn refusal<T: Serialize + Sync + 'static>(f: &Fixture, item: T) -> String {
    write(f, &mut SqlInsert::into("item"), &[item]).await.unwrap_err().to_string()
}

#[tokio::test]
async fn every_chunk_length_inserts_every_row_once() {
    let f = Fixture::new().await;
    f.sql(TABLE).await;
    let mut writer = SqlInsert::into("item");
    let mut next = 0;
    for length in [0, 1, 2, 3, 63, 64, 65, 255, 256, 257, 1000, 3000] {
        let items: Vec<_> = (next..next + length).map(item).collect();
        next += length;
        write(&f, &mut writer, &items).await.unwrap();
    }
    let total = "SELECT count(*) = max(id) + 1 AND sum(price) = sum(id) / 4.0 AND sum(sold) = sum(id % 2 = 0)
        AND sum(name IS NULL) = sum(id % 3 = 0) AND min(name IS NULL OR name = 'n' || id) FROM item";
    assert_eq!(f.number(total).await, 1);
    assert_eq!(f.number("SELECT count(*) FROM item").await, next);
}

#[tokio::test]
async fn a_row_the_database_refuses_fails_the_call() {
    let f = Fixture::new().await;
    f.sql(TABLE).await;
    let error = write(&f, &mut SqlInsert::into("item"), &[item(1), item(2), item(1)]).await.unwrap_err();
    assert!(error.to_string().contains("UNIQUE"), "{error}");
    assert!(!f.db.is_transient(&error));
    let mut ignoring = SqlInsert::into("item").on_conflict_ignore();
    write(&f, &mut ignoring, &[item(1), item(2), item(1)]).await.unwrap();
    assert_eq!(f.number("SELECT count(*) FROM item").await, 2);
}

#[tokio::test]
async fn values_keep_their_type() {
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
        j: std::net::IpAddr,
        k: &'static str,
    }
    let f = Fixture::new().await;
    f.sql("CREATE TABLE item (a, b, c, d, e, f, g, h, i, j, k)").await;
    let all = All {
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
    };
    write(&f, &mut SqlInsert::into("item"), &[all]).await.unwrap();
    let row =
        f.text("SELECT json_array(a, b, c, d, e, f, g, h, i, j, k, typeof(b), typeof(c), typeof(d), typeof(g)) FROM item").await;
    let expected = r#"[255,-9223372036854775808,0.5,"ß","Red",7,1,null,"2026-02-28","::1","it's \"quoted\"","integer","real","text","integer"]"#;
    assert_eq!(row, expected);
}

#[tokio::test]
async fn flattened_structs_are_rows() {
    #[derive(Serialize)]
    struct Outer {
        id: i64,
        #[serde(flatten)]
        rest: Rest,
    }
    #[derive(Serialize)]
    struct Rest {
        name: &'static str,
    }
    let f = Fixture::new().await;
    f.sql(TABLE).await;
    write(&f, &mut SqlInsert::into("item"), &[Outer { id: 1, rest: Rest { name: "x" } }]).await.unwrap();
    assert_eq!(f.text("SELECT name FROM item").await, "x");
}

#[tokio::test]
async fn what_no_column_holds_is_refused_by_name() {
    #[derive(Serialize)]
    struct With<V> {
        id: i64,
        odd: V,
    }
    let f = Fixture::new().await;
    f.sql("CREATE TABLE item (id INTEGER, odd)").await;
    for (message, part) in [
        (refusal(&f, With { id: 1, odd: vec![1] }).await, "field `odd` is a list"),
        (refusal(&f, With { id: 1, odd: (1, 2) }).await, "field `odd` is a list, map or struct"),
        (refusal(&f, With { id: 1, odd: item(1) }).await, "field `odd` is a list, map or struct"),
        (refusal(&f, With { id: 1, odd: f64::NAN }).await, "field `odd` is not a number"),
        (refusal(&f, With { id: 1, odd: u64::MAX }).await, "field `odd` holds 18446744073709551615"),
        (refusal(&f, With { id: 1, odd: Ok::<i64, i64>(1) }).await, "field `odd` is an enum with data"),
        (refusal(&f, 5).await, "a number is not a row"),
        (refusal(&f, (1, 2)).await, "a tuple is not a row"),
        (refusal(&f, "text").await, "a text is not a row"),
    ] {
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(f.number("SELECT count(*) FROM item").await, 0);
}

#[tokio::test]
async fn rows_with_other_columns_than_the_first_are_refused() {
    #[derive(Serialize)]
    struct Sparse {
        id: i64,
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<&'static str>,
    }
    let f = Fixture::new().await;
    f.sql(TABLE).await;
    let items = [Sparse { id: 1, name: Some("a") }, Sparse { id: 2, name: None }];
    let error = write(&f, &mut SqlInsert::into("item"), &items).await.unwrap_err().to_string();
    assert!(error.contains("field `name` is missing"), "{error}");
    let items = [Sparse { id: 1, name: None }, Sparse { id: 2, name: Some("a") }];
    let error = write(&f, &mut SqlInsert::into("item"), &items).await.unwrap_err().to_string();
    assert!(error.contains("field `name` is not the column"), "{error}");
}

#[tokio::test]
async fn an_upsert_leaves_one_row_a_key() {
    let f = Fixture::new().await;
    f.sql(TABLE).await;
    let mut writer = SqlUpsert::into("item").key(["id"]);
    let items: Vec<_> = (0..100).map(item).collect();
    write(&f, &mut writer, &items).await.unwrap();
    let changed: Vec<_> = (50..150).map(|id| Item { price: 1.0, ..item(id) }).chain([Item { price: 2.0, ..item(50) }]).collect();
    write(&f, &mut writer, &changed).await.unwrap();
    assert_eq!(f.number("SELECT count(*) FROM item").await, 150);
    assert_eq!(f.number("SELECT sum(price) = 101 FROM item WHERE id >= 50").await, 1);
}

#[tokio::test]
async fn an_upsert_of_nothing_but_keys_leaves_rows_alone() {
    #[derive(Serialize)]
    struct Key {
        id: i64,
    }
    let f = Fixture::new().await;
    f.sql(TABLE).await;
    let mut writer = SqlUpsert::into("item").key(["id"]);
    write(&f, &mut writer, &[Key { id: 1 }, Key { id: 1 }]).await.unwrap();
    assert_eq!(f.number("SELECT count(*) FROM item").await, 1);
}

#[tokio::test]
async fn an_update_meets_exactly_one_row_each() {
    let f = Fixture::new().await;
    f.sql(TABLE).await;
    let items: Vec<_> = (0..100).map(item).collect();
    write(&f, &mut SqlInsert::into("item"), &items).await.unwrap();
    let mut writer = SqlUpdate::table("item").key(["id"]);
    let changed: Vec<_> = (0..100).map(|id| Item { price: 9.0, ..item(id) }).chain([Item { price: 8.0, ..item(5) }]).collect();
    write(&f, &mut writer, &changed).await.unwrap();
    assert_eq!(f.number("SELECT sum(price) = 99 * 9 + 8 FROM item").await, 1);

    let error = write(&f, &mut writer, &[item(1), item(1000)]).await.unwrap_err().to_string();
    assert!(error.contains("no row has the item's key"), "{error}");
    assert_eq!(f.number("SELECT price = 9 FROM item WHERE id = 1").await, 1);
    write(&f, &mut SqlUpdate::table("item").key(["id"]).allow_misses(), &[item(1), item(1000)]).await.unwrap();

    f.sql("CREATE TABLE twice (id INTEGER, name TEXT, price REAL, sold INTEGER); INSERT INTO twice (id) VALUES (1), (1)").await;
    let error = write(&f, &mut SqlUpdate::table("twice").key(["id"]), &[item(1)]).await.unwrap_err().to_string();
    assert!(error.contains("2 rows have the item's key"), "{error}");
}

#[tokio::test]
async fn a_writer_without_a_key_or_with_a_wrong_one_says_so() {
    let f = Fixture::new().await;
    f.sql(TABLE).await;
    let open = |mut writer: SqlUpsert<Item>| async move { Writer::<Item, SqliteConnection>::open(&mut writer, None).await };
    assert!(open(SqlUpsert::into("item")).await.unwrap_err().to_string().contains(".key([..])"));
    assert!(open(SqlUpsert::into("item").key(["a b"])).await.unwrap_err().to_string().contains("cannot name a column"));
    let error = write(&f, &mut SqlUpdate::table("item").key(["ean"]), &[item(1)]).await.unwrap_err();
    assert!(error.to_string().contains("key column `ean` is not a field"), "{error}");
}

#[tokio::test]
async fn a_statement_of_the_users_own_runs_for_each_item() {
    let f = Fixture::new().await;
    f.sql(TABLE).await;
    write(&f, &mut SqlInsert::into("item"), &[item(1), item(2)]).await.unwrap();
    let mut writer =
        SqlWriter::new("UPDATE item SET price = ? WHERE id = ?", |q, i: &Item| q.bind(i.price * 10.0).bind(i.id)).one_row();
    write(&f, &mut writer, &[item(1), item(2)]).await.unwrap();
    assert_eq!(f.number("SELECT sum(price) = 7.5 FROM item").await, 1);
    let error = write(&f, &mut writer, &[item(3)]).await.unwrap_err();
    assert!(error.to_string().contains("changed 0 rows"), "{error}");
}
