//! Items and writers that are wrong.

use super::support::{Brand, Db, Item, brand, item, item_table, items, on_every_database, refusal, rows, write};
use batch_core::{Error, ErrorKind, Writer, caused_by};
use batch_sql::{SqlDelete, SqlInsert, SqlUpdate, SqlUpsert};
use serde::Serialize;
use sqlx::SqliteConnection;

on_every_database!(
    what_no_column_holds_is_refused_by_name,
    a_field_that_is_no_column_is_named_with_those_there,
    a_table_that_is_not_there_is_named,
    a_mistake_is_told_as_long_as_it_is_there,
    a_writer_with_a_wrong_key_says_so,
    a_bad_item_is_found_by_halves,
);

#[derive(Serialize)]
struct With<V> {
    id: i64,
    odd: V,
}

async fn refused<D: Db, T: Serialize + Sync + 'static>(db: &mut D, item: T) -> String {
    refusal(db, &mut SqlInsert::into("item"), &[item]).await
}

async fn what_no_column_holds_is_refused_by_name(db: &mut impl Db) {
    db.sql("CREATE TABLE item (id BIGINT, odd DOUBLE PRECISION)").await;
    for (message, part) in [
        (refused(db, With { id: 1, odd: vec![1] }).await, "field `odd` is a list"),
        (refused(db, With { id: 1, odd: (1, 2) }).await, "field `odd` is a list, map or struct"),
        (refused(db, With { id: 1, odd: item(1) }).await, "field `odd` is a list, map or struct"),
        (refused(db, With { id: 1, odd: f64::NAN }).await, "field `odd` is not a number"),
        (refused(db, With { id: 1, odd: u64::MAX }).await, "field `odd` holds 18446744073709551615"),
        (refused(db, With { id: 1, odd: Ok::<i64, i64>(1) }).await, "field `odd` is an enum with data"),
        (refused(db, 5).await, "a number is not a row"),
        (refused(db, (1, 2)).await, "a tuple is not a row"),
        (refused(db, "text").await, "a text is not a row"),
    ] {
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(db.numbers("SELECT count(*) FROM item").await, [0]);
}

/// Whether no item is at fault, so that none may be skipped for it.
fn is_mistake(error: &batch_core::BoxError) -> bool {
    caused_by::<Error>(error, |e| e.kind() == ErrorKind::Configuration)
}

async fn a_field_that_is_no_column_is_named_with_those_there(db: &mut impl Db) {
    item_table(db).await;
    let error = write(db, &mut SqlInsert::into("item"), &[With { id: 1, odd: 2 }]).await.unwrap_err();
    assert_eq!(error.to_string(), "column `odd` is not in table `item`; its columns are id, name, price, sold");
    assert!(is_mistake(&error));
    let error = write(db, &mut SqlUpdate::table("item").key(["id"]), &[With { id: 1, odd: 2 }]).await.unwrap_err();
    assert!(is_mistake(&error), "{error}");
}

async fn a_table_that_is_not_there_is_named(db: &mut impl Db) {
    for table in ["absent", "absent.item"] {
        let error = write(db, &mut SqlInsert::into(table), &[item(1)]).await.unwrap_err();
        assert!(error.to_string().contains(&format!("there is no table `{table}`")), "{error}");
        assert!(is_mistake(&error));
    }
}

async fn a_mistake_is_told_as_long_as_it_is_there(db: &mut impl Db) {
    let mut writer = SqlInsert::into("item");
    for _ in 0..2 {
        let error = refusal(db, &mut writer, &items(0..40)).await;
        assert!(error.contains("there is no table `item`"), "{error}");
    }
    item_table(db).await;
    write(db, &mut writer, &items(0..40)).await.unwrap();
    let mut writer = SqlInsert::into("item");
    for _ in 0..2 {
        let error = refusal(db, &mut writer, &[With { id: 1, odd: 2 }]).await;
        assert!(error.contains("column `odd` is not in table `item`"), "{error}");
    }
}

#[tokio::test]
async fn a_writer_learns_anew_on_another_database() {
    let mut sqlite = SqliteConnection::fresh().await;
    let mut postgres = sqlx::PgConnection::fresh().await;
    let mut mariadb = sqlx::MySqlConnection::fresh().await;
    item_table(&mut sqlite).await;
    item_table(&mut postgres).await;
    item_table(&mut mariadb).await;
    let mut writer = SqlInsert::into("item");
    for chunk in [items(0..40), items(40..45)] {
        write(&mut sqlite, &mut writer, &chunk).await.unwrap();
        write(&mut postgres, &mut writer, &chunk).await.unwrap();
        write(&mut mariadb, &mut writer, &chunk).await.unwrap();
    }
    assert_eq!(rows(&mut sqlite).await, rows(&mut postgres).await);
    assert_eq!(rows(&mut sqlite).await, rows(&mut mariadb).await);
}

async fn a_writer_with_a_wrong_key_says_so(db: &mut impl Db) {
    item_table(db).await;
    let error = refusal(db, &mut SqlUpdate::table("item").key(["ean"]), &[item(1)]).await;
    assert!(error.contains("key column `ean` is not a field"), "{error}");
    let error = refusal(db, &mut SqlDelete::from("item").key(["ean"]), &[item(1)]).await;
    assert!(error.contains("key column `ean` is not a field"), "{error}");
    let error = refusal(db, &mut SqlDelete::from("item"), &[item(1)]).await;
    assert!(error.contains("SqlDelete::from(table).key([..])"), "{error}");
    let error = refusal(db, &mut SqlUpdate::table("item").key(["id", "name", "price", "sold"]), &[item(1)]).await;
    assert!(error.contains("nothing to update"), "{error}");
}

#[tokio::test]
async fn opening_checks_the_names_that_were_given() {
    let open = |mut writer: SqlUpsert<Item>| async move {
        Writer::<Item, SqliteConnection>::open(&mut writer, None).await.unwrap_err().to_string()
    };
    assert!(open(SqlUpsert::into("item")).await.contains("SqlUpsert::into(table).key([..])"));
    assert!(open(SqlUpsert::into("item").key(["a b"])).await.contains("cannot name a column"));
    assert!(open(SqlUpsert::into("a b").key(["id"])).await.contains("cannot name a table"));
    assert!(open(SqlUpsert::into("a.b.c").key(["id"])).await.contains("`schema.table`"));
}

/// As the engine does it: every part that is refused is rolled back to the savepoint and written again in two halves.
async fn a_bad_item_is_found_by_halves(db: &mut impl Db) {
    item_table(db).await;
    db.sql("CREATE UNIQUE INDEX by_name ON item (name)").await;
    let mut chunk = items(0..100);
    chunk[41].name = Some("n1".to_owned());
    if brand(db) != Brand::Sqlite {
        chunk[77].name = Some("x".repeat(101));
    }
    let mut writer = SqlInsert::into("item");
    let (mut todo, mut bad) = (vec![(0, 100)], Vec::new());
    while let Some((from, to)) = todo.pop() {
        if write(db, &mut writer, &chunk[from..to]).await.is_ok() {
            continue;
        }
        if to - from == 1 {
            bad.push(from);
        } else {
            let middle = from + (to - from) / 2;
            todo.extend([(middle, to), (from, middle)]);
        }
    }
    assert_eq!(bad, if brand(db) == Brand::Sqlite { vec![41] } else { vec![41, 77] });
    assert_eq!(rows(db).await.len(), 100 - bad.len());
}
