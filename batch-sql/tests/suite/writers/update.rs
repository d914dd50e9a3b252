//! New values for rows that are there.

use super::support::{Brand, Db, Item, brand, expected, item, item_table, items, on_every_database, refusal, rows, write};
use batch_sql::{SqlInsert, SqlUpdate};
use serde::Serialize;

on_every_database!(
    an_update_meets_exactly_one_row_each,
    the_last_item_of_a_key_stays,
    a_row_that_has_the_values_already_is_met,
    a_key_that_is_not_there_is_an_error_unless_allowed,
    several_rows_of_a_key_are_an_error,
    a_row_too_many_does_not_make_up_for_a_miss,
    a_key_of_several_columns_is_compared_as_a_whole,
    null_is_no_key,
    the_statement_is_shown,
);

fn changed(ids: impl IntoIterator<Item = i64>) -> Vec<Item> {
    ids.into_iter().map(|id| Item { price: 9.0, name: (id % 2 == 0).then(|| format!("new {id}")), ..item(id) }).collect()
}

async fn filled(db: &mut impl Db, ids: impl IntoIterator<Item = i64>) {
    item_table(db).await;
    write(db, &mut SqlInsert::into("item"), &items(ids)).await.unwrap();
}

async fn an_update_meets_exactly_one_row_each(db: &mut impl Db) {
    filled(db, 0..500).await;
    let mut writer = SqlUpdate::table("item").key(["id"]);
    let mut all = items(0..500);
    for (from, to) in [(0, 1), (1, 101), (100, 400), (499, 500)] {
        let chunk = changed(from..to);
        write(db, &mut writer, &chunk).await.unwrap();
        all.retain(|item| !(from..to).contains(&item.id));
        all.extend(chunk);
        assert_eq!(rows(db).await, expected(&all));
    }
}

async fn the_last_item_of_a_key_stays(db: &mut impl Db) {
    filled(db, 1..4).await;
    let chunk: Vec<_> = [(2, 5.0), (1, 6.0), (2, 7.0), (2, 10.0)].map(|(id, price)| Item { price, ..item(id) }).into();
    write(db, &mut SqlUpdate::table("item").key(["id"]), &chunk).await.unwrap();
    assert_eq!(rows(db).await, expected(&[chunk[1].clone(), chunk[3].clone(), item(3)]));
}

async fn a_row_that_has_the_values_already_is_met(db: &mut impl Db) {
    filled(db, 0..50).await;
    write(db, &mut SqlUpdate::table("item").key(["id"]), &items(0..50)).await.unwrap();
    assert_eq!(rows(db).await, expected(&items(0..50)));
}

async fn a_key_that_is_not_there_is_an_error_unless_allowed(db: &mut impl Db) {
    filled(db, 0..50).await;
    let mut writer = SqlUpdate::table("item").key(["id"]);
    for chunk in [changed([1000]), changed((0..50).chain([1000]))] {
        let error = refusal(db, &mut writer, &chunk).await;
        assert!(error.contains("no row has the"), "{error}");
        assert_eq!(rows(db).await, expected(&items(0..50)));
    }
    let mut writer = SqlUpdate::table("item").key(["id"]).allow_misses();
    write(db, &mut writer, &changed([1000, 3, 1001, 4])).await.unwrap();
    let mut all = items(0..50);
    all.splice(3..5, changed([3, 4]));
    assert_eq!(rows(db).await, expected(&all));
}

async fn several_rows_of_a_key_are_an_error(db: &mut impl Db) {
    filled(db, [1, 2, 4]).await;
    db.sql("UPDATE item SET name = 'same' WHERE id < 4").await;
    for chunk in [vec![price("same")], vec![price("n4"), price("same")]] {
        for allow in [false, true] {
            let writer = SqlUpdate::table("item").key(["name"]);
            let error = refusal(db, &mut if allow { writer.allow_misses() } else { writer }, &chunk).await;
            assert!(error.contains("must be unique"), "{error}");
        }
    }
}

#[derive(Serialize)]
struct Price {
    name: Option<&'static str>,
    price: f64,
}

fn price(name: &'static str) -> Price {
    Price { name: Some(name), price: 1.0 }
}

async fn a_row_too_many_does_not_make_up_for_a_miss(db: &mut impl Db) {
    filled(db, [1, 2, 4]).await;
    db.sql("UPDATE item SET name = 'same' WHERE id < 4").await;
    let before = rows(db).await;
    refusal(db, &mut SqlUpdate::table("item").key(["name"]), &[price("same"), price("absent")]).await;
    assert_eq!(rows(db).await, before);
}

async fn a_key_of_several_columns_is_compared_as_a_whole(db: &mut impl Db) {
    #[derive(Serialize)]
    struct Place {
        people: i64,
        town: &'static str,
        country: &'static str,
    }
    db.sql("CREATE TABLE place (country VARCHAR(10), town VARCHAR(10), people BIGINT, PRIMARY KEY (country, town))").await;
    db.sql("INSERT INTO place VALUES ('de', 'a', 1), ('de', 'b', 2), ('fr', 'a', 3), ('fr', 'b', 4)").await;
    let place = |country, town, people| Place { people, town, country };
    let mut writer = SqlUpdate::table("place").key(["country", "town"]);
    write(db, &mut writer, &[place("fr", "a", 30), place("de", "b", 20)]).await.unwrap();
    assert_eq!(db.numbers("SELECT people FROM place ORDER BY country, town").await, [1, 20, 30, 4]);
}

async fn null_is_no_key(db: &mut impl Db) {
    filled(db, [3, 6]).await;
    let error = refusal(db, &mut SqlUpdate::table("item").key(["name"]), &[Price { name: None, price: 1.0 }]).await;
    assert!(error.contains("no row has the item's key"), "{error}");
}

async fn the_statement_is_shown(db: &mut impl Db) {
    filled(db, 0..50).await;
    let mut writer = SqlUpdate::table("item").key(["id"]);
    write(db, &mut writer, &items(0..50)).await.unwrap();
    let kind = match brand(db) {
        Brand::Sqlite => "UPDATE VALUES",
        Brand::Postgres => "UPDATE UNNEST",
        Brand::MariaDb => "UPDATE CASE",
    };
    assert_eq!(format!("{writer:?}"), format!(r#"SqlUpdate {{ table: "item", key: ["id"], statement: "{kind}" }}"#));
    if brand(db) == Brand::MariaDb {
        db.sql("UPDATE item SET name = id").await;
        let mut writer = SqlUpdate::table("item").key(["name"]);
        write(db, &mut writer, &[Item { name: Some("7".into()), ..item(7) }]).await.unwrap();
        assert!(format!("{writer:?}").contains("UPDATE for each row"), "{writer:?}");
    }
}
