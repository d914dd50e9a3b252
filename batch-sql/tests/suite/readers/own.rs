//! Pages by a statement of the user's own.

use super::support::{Brand, Db, Item, brand, items, mistake, on_every_server, read_all};
use batch_core::{ErrorKind, Reader, item::reader_conformance};
use batch_sql::Keyset;

const PAGE: &str = "SELECT id, name FROM item WHERE id % 7 <> 0 AND id > ? ORDER BY id LIMIT 4";

on_every_server!(a_statement_of_ones_own_behaves_as_a_reader);
async fn a_statement_of_ones_own_behaves_as_a_reader(db: &impl Db) {
    items(db, 10).await;
    reader_conformance(|| Keyset::new(db, PAGE, |item: &Item| item.id)).await;
}

on_every_server!(a_key_of_any_type_starts_where_it_is_told);
async fn a_key_of_any_type_starts_where_it_is_told(db: &impl Db) {
    items(db, 20).await;
    let sql = "SELECT id, name FROM item WHERE id % 7 <> 0 AND name > ? ORDER BY name LIMIT 4";
    let rows = read_all(Keyset::behind(db, sql, String::new(), |item: &Item| item.name.clone())).await;
    assert_eq!(rows.len(), 18);
    let downwards = "SELECT id, name FROM item WHERE id % 7 <> 0 AND id < ? ORDER BY id DESC LIMIT 4";
    let rows = read_all(Keyset::behind(db, downwards, i64::MAX, |item: &Item| item.id)).await;
    assert_eq!(rows.len(), 18);
}

on_every_server!(a_statement_that_does_not_get_ahead_is_found);
async fn a_statement_that_does_not_get_ahead_is_found(db: &impl Db) {
    items(db, 6).await;
    let mut reader = Keyset::new(db, "SELECT id, name FROM item WHERE id >= ? ORDER BY id LIMIT 1", |item: &Item| item.id);
    reader.open(None).await.unwrap();
    reader.read().await.unwrap();
    let error = reader.read().await.unwrap_err();
    assert!(error.to_string().contains("does not go on behind the key"), "{error}");
}

on_every_server!(a_statement_needs_exactly_one_placeholder);
async fn a_statement_needs_exactly_one_placeholder(db: &impl Db) {
    for (sql, count) in [("SELECT 1 AS id, '?' AS name", 0), ("SELECT id, name FROM item WHERE id > ? AND id < ?", 2)] {
        let said = mistake(Keyset::new(db, sql, |item: &Item| item.id)).await;
        assert!(said.contains(&format!("has {count} `?` instead of the key's alone")), "{said}");
    }
}

on_every_server!(rows_before_one_that_is_no_item_are_read);
async fn rows_before_one_that_is_no_item_are_read(db: &impl Db) {
    items(db, 8).await;
    let mut reader = Keyset::new(db, "SELECT id, name FROM item WHERE id > ? ORDER BY id LIMIT 100", |item: &Item| item.id);
    reader.open(None).await.unwrap();
    for id in 1..=6 {
        assert_eq!(reader.read().await.unwrap().unwrap().id, id);
    }
    let error = reader.read().await.unwrap_err().downcast::<batch_core::Error>().unwrap();
    assert_eq!(error.kind(), ErrorKind::Failed);
    assert!(error.to_string().contains("Keyset::query can leave such rows out"), "{error}");
}

on_every_server!(an_operator_of_question_marks_is_doubled);
async fn an_operator_of_question_marks_is_doubled(db: &impl Db) {
    if brand(db) != Brand::Postgres {
        return;
    }
    db.run("CREATE TABLE tagged (id BIGINT PRIMARY KEY, tags JSONB)").await;
    db.run(r#"INSERT INTO tagged VALUES (1, '{"a": 1}'), (2, '{"b": 1}'), (3, '{"a": 2}')"#).await;
    let reader = Keyset::<(i64,), _>::table(db, "tagged").columns(["id"]).filter("tags ?? ?").bind("a").key(["id"]);
    assert_eq!(read_all(reader).await, [Some((1,)), Some((3,))]);
}
