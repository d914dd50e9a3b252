//! Rows that go.

use super::support::{Brand, Db, brand, expected, item, item_table, items, on_every_database, refusal, rows, write};
use batch_sql::{SqlDelete, SqlInsert};
use serde::Serialize;

on_every_database!(
    rows_of_the_items_keys_go,
    a_key_that_is_not_there_is_an_error_unless_allowed,
    a_key_that_comes_twice_is_a_miss,
    several_rows_of_a_key_are_an_error,
    a_key_of_several_columns_is_compared_as_a_whole,
    the_statement_is_shown,
);

async fn filled(db: &mut impl Db) {
    item_table(db).await;
    write(db, &mut SqlInsert::into("item"), &items(0..500)).await.unwrap();
}

async fn rows_of_the_items_keys_go(db: &mut impl Db) {
    filled(db).await;
    let mut writer = SqlDelete::from("item").key(["id"]);
    write(db, &mut writer, &items([7])).await.unwrap();
    write(db, &mut writer, &items(10..400)).await.unwrap();
    assert_eq!(rows(db).await, expected(&items((0..7).chain(8..10).chain(400..500))));
}

async fn a_key_that_is_not_there_is_an_error_unless_allowed(db: &mut impl Db) {
    filled(db).await;
    for chunk in [items([1000]), items((0..50).chain([1000]))] {
        let error = refusal(db, &mut SqlDelete::from("item").key(["id"]), &chunk).await;
        assert!(error.contains("no row has the"), "{error}");
        assert_eq!(rows(db).await, expected(&items(0..500)));
    }
    write(db, &mut SqlDelete::from("item").key(["id"]).allow_misses(), &items([1000, 3, 3, 1001])).await.unwrap();
    assert_eq!(rows(db).await, expected(&items((0..3).chain(4..500))));
}

async fn a_key_that_comes_twice_is_a_miss(db: &mut impl Db) {
    filled(db).await;
    let error = refusal(db, &mut SqlDelete::from("item").key(["id"]), &items([1, 2, 1])).await;
    assert!(error.contains("no row has the"), "{error}");
}

#[derive(Serialize)]
struct Named {
    name: &'static str,
}

async fn several_rows_of_a_key_are_an_error(db: &mut impl Db) {
    filled(db).await;
    db.sql("UPDATE item SET name = 'same' WHERE id < 2").await;
    let before = rows(db).await;
    for chunk in [vec![Named { name: "same" }], vec![Named { name: "same" }, Named { name: "absent" }]] {
        for allow in [false, true] {
            let writer = SqlDelete::from("item").key(["name"]);
            let error = refusal(db, &mut if allow { writer.allow_misses() } else { writer }, &chunk).await;
            assert!(error.contains("must be unique"), "{error}");
            assert_eq!(rows(db).await, before);
        }
    }
}

async fn a_key_of_several_columns_is_compared_as_a_whole(db: &mut impl Db) {
    filled(db).await;
    db.sql("CREATE UNIQUE INDEX by_both ON item (name, price)").await;
    write(db, &mut SqlDelete::from("item").key(["price", "name"]), &items([1, 2, 4, 5])).await.unwrap();
    assert_eq!(rows(db).await, expected(&items([0, 3].into_iter().chain(6..500))));
    let error =
        refusal(db, &mut SqlDelete::from("item").key(["price", "name"]), &[super::support::Item { price: 9.0, ..item(7) }]).await;
    assert!(error.contains("no row has the item's key"), "{error}");
}

async fn the_statement_is_shown(db: &mut impl Db) {
    filled(db).await;
    let mut writer = SqlDelete::from("item").key(["id"]);
    write(db, &mut writer, &items(0..50)).await.unwrap();
    let kind = match brand(db) {
        Brand::Sqlite => "DELETE IN",
        Brand::Postgres => "DELETE UNNEST",
        Brand::MariaDb => "DELETE IN",
    };
    assert_eq!(format!("{writer:?}"), format!(r#"SqlDelete {{ table: "item", key: ["id"], statement: "{kind}" }}"#));
}
