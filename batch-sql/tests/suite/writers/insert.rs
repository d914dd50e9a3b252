//! New rows.

use super::support::{Brand, Db, Item, brand, expected, item, item_table, items, on_every_database, refusal, rows, write};
use batch_sql::SqlInsert;
use serde::Serialize;

on_every_database!(
    every_chunk_length_inserts_every_row_once,
    a_row_the_database_refuses_fails_the_call,
    rows_whose_key_is_taken_can_be_left_alone,
    flattened_structs_are_rows,
    rows_with_other_columns_than_the_first_are_refused,
    a_first_item_that_is_refused_does_not_decide_the_columns,
    columns_that_are_left_out_get_their_defaults,
    the_statement_is_shown,
    a_clone_writes_too,
);

async fn every_chunk_length_inserts_every_row_once(db: &mut impl Db) {
    item_table(db).await;
    let mut writer = SqlInsert::into("item");
    let mut all = Vec::new();
    for length in [0, 1, 2, 3, 31, 32, 33, 63, 64, 65, 255, 256, 257, 1000, 1000, 3000] {
        let next = all.len() as i64;
        let chunk = items(next..next + length);
        write(db, &mut writer, &chunk).await.unwrap();
        all.extend(chunk);
    }
    assert_eq!(rows(db).await, expected(&all));
}

async fn a_row_the_database_refuses_fails_the_call(db: &mut impl Db) {
    item_table(db).await;
    for chunk in [items([1, 2, 1]), items((0..100).chain([50]))] {
        let error = refusal(db, &mut SqlInsert::into("item"), &chunk).await;
        assert!(["UNIQUE", "duplicate key", "Duplicate entry"].iter().any(|words| error.contains(words)), "{error}");
        assert_eq!(rows(db).await, [] as [String; 0]);
    }
}

async fn rows_whose_key_is_taken_can_be_left_alone(db: &mut impl Db) {
    item_table(db).await;
    db.sql("CREATE UNIQUE INDEX by_name ON item (name)").await;
    let mut writer = SqlInsert::into("item").on_conflict_ignore();
    write(db, &mut writer, &items([1, 2, 3])).await.unwrap();
    let same_name = Item { id: 9, ..item(1) };
    let chunk = [Item { price: 9.0, ..item(2) }, item(4), Item { price: 9.0, ..item(4) }, same_name, item(6)];
    write(db, &mut writer, &chunk).await.unwrap();
    assert_eq!(rows(db).await, expected(&items([1, 2, 3, 4, 6])));
    // What is wrong for another reason is an error still.
    let long = Item { name: Some("x".repeat(101)), ..item(7) };
    if brand(db) != Brand::Sqlite {
        let error = refusal(db, &mut writer, &[long]).await;
        assert!(error.contains("too long"), "{error}");
    }
}

async fn flattened_structs_are_rows(db: &mut impl Db) {
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
    item_table(db).await;
    write(db, &mut SqlInsert::into("item"), &[Outer { id: 1, rest: Rest { name: "x" } }]).await.unwrap();
    assert_eq!(db.texts("SELECT name FROM item").await, [Some("x".to_owned())]);
}

async fn rows_with_other_columns_than_the_first_are_refused(db: &mut impl Db) {
    #[derive(Serialize)]
    struct Sparse {
        id: i64,
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<&'static str>,
    }
    item_table(db).await;
    let error = refusal(db, &mut SqlInsert::into("item"), &[Sparse { id: 1, name: Some("a") }, Sparse { id: 2, name: None }]).await;
    assert!(error.contains("field `name` is missing"), "{error}");
    let error = refusal(db, &mut SqlInsert::into("item"), &[Sparse { id: 1, name: None }, Sparse { id: 2, name: Some("a") }]).await;
    assert!(error.contains("field `name` is not the column"), "{error}");
}

async fn a_first_item_that_is_refused_does_not_decide_the_columns(db: &mut impl Db) {
    #[derive(Serialize)]
    struct Sparse {
        id: Option<i64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<&'static str>,
    }
    item_table(db).await;
    let mut writer = SqlInsert::into("item");
    refusal(db, &mut writer, &[Sparse { id: None, name: None }]).await;
    write(db, &mut writer, &[Sparse { id: Some(1), name: Some("a") }]).await.unwrap();
    assert_eq!(db.texts("SELECT name FROM item").await, [Some("a".to_owned())]);
}

async fn columns_that_are_left_out_get_their_defaults(db: &mut impl Db) {
    #[derive(Serialize)]
    struct Some {
        price: f64,
        id: i64,
    }
    db.sql("CREATE TABLE item (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR(100) DEFAULT 'none', price DOUBLE PRECISION)").await;
    let chunk: Vec<_> = (0..40).map(|id| Some { id, price: 1.0 }).collect();
    write(db, &mut SqlInsert::into("item"), &chunk).await.unwrap();
    assert_eq!(db.texts("SELECT DISTINCT name FROM item").await, [Option::Some("none".to_owned())]);
}

async fn the_statement_is_shown(db: &mut impl Db) {
    item_table(db).await;
    let mut writer = SqlInsert::into("item");
    assert_eq!(format!("{writer:?}"), r#"SqlInsert { table: "item", statement: "not chosen yet" }"#);
    write(db, &mut writer, &items(0..100)).await.unwrap();
    let kind = if brand(db) == Brand::Postgres { "COPY BINARY" } else { "INSERT VALUES" };
    assert_eq!(format!("{writer:?}"), format!(r#"SqlInsert {{ table: "item", statement: "{kind}" }}"#));
}

async fn a_clone_writes_too(db: &mut impl Db) {
    item_table(db).await;
    let mut first = SqlInsert::into("item");
    write(db, &mut first, &items(0..40)).await.unwrap();
    write(db, &mut first.clone(), &items(40..80)).await.unwrap();
    write(db, &mut first, &items(80..85)).await.unwrap();
    assert_eq!(rows(db).await, expected(&items(0..85)));
}
