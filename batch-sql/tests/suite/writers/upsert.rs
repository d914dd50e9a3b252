//! New rows, or new values for those there.

use super::support::{Brand, Db, Item, brand, expected, item, item_table, items, on_every_database, refusal, rows, write};
use batch_sql::SqlUpsert;
use serde::Serialize;

on_every_database!(
    an_upsert_leaves_one_row_a_key,
    the_last_item_of_a_key_stays,
    a_part_of_the_key_that_is_null_makes_a_row_of_its_own,
    an_upsert_of_nothing_but_keys_leaves_rows_alone,
    a_row_of_another_key_is_not_overwritten,
    columns_that_are_no_key_are_refused,
    the_statement_is_shown,
);

async fn an_upsert_leaves_one_row_a_key(db: &mut impl Db) {
    item_table(db).await;
    let mut writer = SqlUpsert::into("item").key(["id"]);
    write(db, &mut writer, &items(0..100)).await.unwrap();
    let changed: Vec<_> = (50..150).map(|id| Item { price: 1.0, name: None, ..item(id) }).collect();
    write(db, &mut writer, &changed).await.unwrap();
    assert_eq!(rows(db).await, expected(items(0..50).iter().chain(&changed)));
}

async fn the_last_item_of_a_key_stays(db: &mut impl Db) {
    item_table(db).await;
    let mut writer = SqlUpsert::into("item").key(["id"]);
    write(db, &mut writer, &items([1, 2])).await.unwrap();
    let chunk: Vec<_> =
        [(2, 5.0), (1, 6.0), (2, 7.0), (3, 8.0), (3, 9.0), (2, 10.0)].map(|(id, price)| Item { price, ..item(id) }).into();
    write(db, &mut writer, &chunk).await.unwrap();
    assert_eq!(rows(db).await, expected(&[chunk[1].clone(), chunk[5].clone(), chunk[4].clone()]));
}

async fn a_part_of_the_key_that_is_null_makes_a_row_of_its_own(db: &mut impl Db) {
    #[derive(Serialize)]
    struct Place {
        country: Option<&'static str>,
        town: &'static str,
        people: i64,
    }
    db.sql("CREATE TABLE place (country VARCHAR(10), town VARCHAR(10), people BIGINT, UNIQUE (country, town))").await;
    let place = |country, people| Place { country, town: "x", people };
    let chunk = [place(None, 1), place(Some("de"), 2), place(None, 3), place(Some("de"), 4)];
    write(db, &mut SqlUpsert::into("place").key(["country", "town"]), &chunk).await.unwrap();
    assert_eq!(db.numbers("SELECT people FROM place ORDER BY people").await, [1, 3, 4]);
}

async fn an_upsert_of_nothing_but_keys_leaves_rows_alone(db: &mut impl Db) {
    #[derive(Serialize)]
    struct Key {
        id: i64,
    }
    item_table(db).await;
    db.sql("INSERT INTO item (id, name) VALUES (1, 'kept')").await;
    let mut writer = SqlUpsert::into("item").key(["id"]);
    write(db, &mut writer, &[Key { id: 1 }, Key { id: 2 }, Key { id: 2 }]).await.unwrap();
    assert_eq!(db.texts("SELECT name FROM item ORDER BY id").await, [Some("kept".to_owned()), None]);
}

async fn a_row_of_another_key_is_not_overwritten(db: &mut impl Db) {
    item_table(db).await;
    db.sql("CREATE UNIQUE INDEX by_name ON item (name)").await;
    let mut writer = SqlUpsert::into("item").key(["id"]);
    write(db, &mut writer, &items([1, 2])).await.unwrap();
    write(db, &mut writer, &[Item { price: 7.0, ..item(1) }]).await.unwrap();
    let error = refusal(db, &mut writer, &[item(4), Item { id: 9, ..item(1) }]).await;
    assert!(error.to_lowercase().contains("unique"), "{error}");
    assert_eq!(rows(db).await, expected(&[Item { price: 7.0, ..item(1) }, item(2)]));
}

async fn columns_that_are_no_key_are_refused(db: &mut impl Db) {
    item_table(db).await;
    for key in [vec!["name"], vec!["id", "name"]] {
        let mut writer = match key[..] {
            [one] => SqlUpsert::into("item").key([one]),
            _ => SqlUpsert::into("item").key(["id", "name"]),
        };
        let error = refusal(db, &mut writer, &[item(1)]).await.to_lowercase();
        assert!(error.contains("unique"), "{error}");
    }
}

async fn the_statement_is_shown(db: &mut impl Db) {
    item_table(db).await;
    let mut writer = SqlUpsert::into("item").key(["id"]);
    write(db, &mut writer, &items(0..100)).await.unwrap();
    let kind = match brand(db) {
        Brand::Sqlite => "INSERT VALUES ON CONFLICT",
        Brand::Postgres => "INSERT UNNEST ON CONFLICT",
        Brand::MariaDb => "INSERT VALUES ON DUPLICATE KEY",
    };
    assert_eq!(format!("{writer:?}"), format!(r#"SqlUpsert {{ table: "item", key: ["id"], statement: "{kind}" }}"#));
}
