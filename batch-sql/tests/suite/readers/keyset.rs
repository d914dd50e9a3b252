//! Tables and queries, page by page.

use super::support::{Brand, Db, Item, brand, items, mistake, on_every_server, read_all, rest, saved};
use batch_core::{BadRecord, ErrorKind, Reader, item::reader_conformance};
use batch_sql::{Keyset, asc, desc};

fn table<D: Db>(db: &D) -> Keyset<Item, D> {
    Keyset::table(db, "item").key(["id"])
}

on_every_server!(behaves_as_a_reader);
async fn behaves_as_a_reader(db: &impl Db) {
    items(db, 9).await;
    for page in [1, 4, 9, 100] {
        reader_conformance(|| table(db).page_size(page)).await;
    }
    reader_conformance(|| table(db).key([desc("id")]).page_size(2)).await;
}

on_every_server!(reads_every_row_in_order);
async fn reads_every_row_in_order(db: &impl Db) {
    items(db, 2500).await;
    let rows = read_all(table(db)).await;
    let expected = (1..=2500).map(|id| (id % 7 != 0).then(|| Item { id, name: format!("n{id}") }));
    assert_eq!(rows, expected.collect::<Vec<_>>());
}

on_every_server!(a_row_that_is_no_item_is_passed_and_named_by_its_key);
async fn a_row_that_is_no_item_is_passed_and_named_by_its_key(db: &impl Db) {
    items(db, 8).await;
    let mut reader = table(db).page_size(7);
    let mut chunk = Vec::new();
    reader.open(None).await.unwrap();
    let error = reader.read_chunk(100, &mut chunk).await.unwrap_err();
    assert_eq!(chunk.len(), 6);
    let bad = error.downcast::<BadRecord>().unwrap();
    assert_eq!((bad.raw.as_deref(), bad.column.as_deref()), (Some("id 7"), Some("name")));

    let mut restarted = table(db);
    restarted.open(Some(saved(&reader))).await.unwrap();
    assert_eq!(rest(&mut restarted).await, [Some(Item { id: 8, name: "n8".into() })]);
}

on_every_server!(filter_and_columns_choose_what_is_read);
async fn filter_and_columns_choose_what_is_read(db: &impl Db) {
    items(db, 30).await;
    let reader = Keyset::<(i64,), _>::table(db, "item")
        .columns(["id"])
        .filter("name = ? OR id > ? AND name <> 'what?' -- ?")
        .bind("n3")
        .bind(28_i64)
        .key(["id"])
        .page_size(2);
    assert_eq!(read_all(reader).await, [3, 29, 30].map(|id| Some((id,))));
}

on_every_server!(a_query_is_read_by_its_key);
async fn a_query_is_read_by_its_key(db: &impl Db) {
    items(db, 30).await;
    let query = "SELECT CAST(id % 3 AS SIGNED) AS third, CAST(count(*) AS SIGNED) AS n, CAST(max(id) AS SIGNED) AS last
        FROM item WHERE id > ? GROUP BY id % 3 -- by thirds";
    let query = if brand(db) == Brand::MariaDb { query.to_owned() } else { query.replace("SIGNED", "BIGINT") };
    let make = || Keyset::<(i64, i64, i64), _>::query(db, &query).bind(3_i64).key([desc("third")]).page_size(2);
    assert!(mistake(make()).await.contains(".key_is_unique()"));
    let rows = read_all(make().key_is_unique()).await;
    assert_eq!(rows, [(2, 9, 29), (1, 9, 28), (0, 9, 30)].map(Some));
    reader_conformance(|| make().key_is_unique()).await;
}

on_every_server!(rows_ahead_are_met_and_rows_behind_are_not);
async fn rows_ahead_are_met_and_rows_behind_are_not(db: &impl Db) {
    db.run("CREATE TABLE item (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR(20) NOT NULL)").await;
    db.run("INSERT INTO item VALUES (10, 'a'), (20, 'b'), (30, 'c'), (40, 'd')").await;
    let mut reader = table(db).page_size(2);
    reader.open(None).await.unwrap();
    reader.read().await.unwrap();
    db.run("INSERT INTO item VALUES (5, 'behind'), (25, 'ahead'), (35, 'ahead')").await;
    let rows: Vec<_> = rest(&mut reader).await.into_iter().map(|row| row.unwrap().id).collect();
    assert_eq!(rows, [20, 25, 30, 35, 40]);
}

on_every_server!(a_key_that_is_not_unique_or_may_be_null_is_refused);
async fn a_key_that_is_not_unique_or_may_be_null_is_refused(db: &impl Db) {
    db.run("CREATE TABLE item (id BIGINT NOT NULL, name VARCHAR(20) NOT NULL, a BIGINT NOT NULL, b BIGINT, c BIGINT NOT NULL)")
        .await;
    db.run("CREATE UNIQUE INDEX by_name ON item (name, a)").await;
    db.run("CREATE UNIQUE INDEX by_b ON item (b)").await;
    db.run("CREATE INDEX by_c ON item (c)").await;
    let key = |columns: &'static [&'static str]| Keyset::<Item, _>::table(db, "item").key(columns.iter().copied());
    for (columns, part) in [
        (&["c"][..], "the key (c) is not known to be unique in `item`"),
        (&["name"], "is not known to be unique"),
        (&["b"], "key column `b` of `item` may be NULL"),
        (&["missing"], "has no column `missing`"),
        (&["a", "A"], "column `A` is twice in the key"),
        (&[], "the reader has no key"),
    ] {
        let said = mistake(key(columns)).await;
        assert!(said.contains(part), "{said}");
    }
    assert!(mistake(Keyset::<Item, _>::table(db, "nothing").key(["id"])).await.contains("there is no table `nothing`"));
    for columns in [&["a", "name"][..], &["name", "c", "a"]] {
        assert!(read_all(key(columns)).await.is_empty());
    }
}

on_every_server!(an_index_that_tells_apart_what_the_order_does_not_is_no_key);
async fn an_index_that_tells_apart_what_the_order_does_not_is_no_key(db: &impl Db) {
    let [own, other] = match brand(db) {
        Brand::Sqlite => ["COLLATE NOCASE", "COLLATE BINARY"],
        Brand::Postgres => {
            db.run("CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false)").await;
            ["COLLATE loose", "COLLATE \"C\""]
        }
        // Its indexes have the order of their column.
        Brand::MariaDb => return,
    };
    db.run(&format!("CREATE TABLE item (id BIGINT NOT NULL, name VARCHAR(20) {own} NOT NULL)")).await;
    db.run(&format!("CREATE UNIQUE INDEX by_name ON item (name {other})")).await;
    db.run("INSERT INTO item VALUES (1, 'a'), (2, 'A'), (3, 'b')").await;
    let by_name = || Keyset::<Item, _>::table(db, "item").key(["name"]).page_size(1);
    assert!(mistake(by_name()).await.contains("is not known to be unique"));
    db.run("DELETE FROM item WHERE id = 2").await;
    db.run("CREATE UNIQUE INDEX by_own_order ON item (name)").await;
    assert_eq!(read_all(by_name()).await.len(), 2);
}

on_every_server!(a_view_is_read_where_the_user_vouches_for_its_key);
async fn a_view_is_read_where_the_user_vouches_for_its_key(db: &impl Db) {
    items(db, 5).await;
    db.run("CREATE VIEW shown AS SELECT * FROM item WHERE id <> 3").await;
    let view = || Keyset::<Item, _>::table(db, "shown").key(["id"]).page_size(2);
    assert!(!mistake(view()).await.is_empty());
    assert_eq!(read_all(view().key_is_unique()).await.len(), 4);
}

on_every_server!(equal_keys_are_found_as_far_as_they_are_seen);
async fn equal_keys_are_found_as_far_as_they_are_seen(db: &impl Db) {
    db.run("CREATE TABLE item (id BIGINT NOT NULL, name VARCHAR(20) NOT NULL)").await;
    db.run("INSERT INTO item VALUES (1, 'a'), (2, 'b'), (2, 'c'), (3, 'd')").await;
    // Within a page, and as the last row of one and the first of the next.
    for page in [2, 4] {
        let mut reader = table(db).key_is_unique().page_size(page);
        reader.open(None).await.unwrap();
        let error = reader.read().await.unwrap_err().to_string();
        let expected = "key column `id` of table `item` is not unique with the rest of the key: the next row has the same, behind the \
            row of id 2";
        assert_eq!(error, expected);
    }
}

on_every_server!(null_in_a_key_is_refused);
async fn null_in_a_key_is_refused(db: &impl Db) {
    db.run("CREATE TABLE item (id BIGINT, name VARCHAR(20))").await;
    db.run("INSERT INTO item VALUES (1, 'a'), (2, 'b'), (NULL, 'c')").await;
    let said = mistake(table(db).key_is_unique().page_size(1)).await;
    assert!(said.contains("table `item` has a row with NULL in its key (id)"), "{said}");
    let without = table(db).filter("id IS NOT NULL").key_is_unique().page_size(1);
    assert_eq!(read_all(without).await.len(), 2);

    // One that came later, where the first page has it.
    db.run("DELETE FROM item WHERE id IS NULL").await;
    let direction = if brand(db) == Brand::Postgres { desc("id") } else { asc("id") };
    let mut reader = table(db).key([direction]).key_is_unique();
    reader.open(None).await.unwrap();
    db.run("INSERT INTO item VALUES (NULL, 'c')").await;
    let error = reader.read().await.unwrap_err();
    assert_eq!(error.to_string(), "key column `id` of table `item` is NULL, at the beginning");
}

on_every_server!(a_position_of_another_key_is_refused);
async fn a_position_of_another_key_is_refused(db: &impl Db) {
    items(db, 5).await;
    let mut reader = table(db);
    reader.open(None).await.unwrap();
    reader.read().await.unwrap();
    let mut other = table(db).key([desc("id")]);
    let error = other.open(Some(saved(&reader))).await.unwrap_err().downcast::<batch_core::Error>().unwrap();
    assert_eq!(error.kind(), ErrorKind::NeedsOperator);
    assert!(error.to_string().contains("the last run read by the key (id), this reader reads by (id desc)"), "{error}");
}

on_every_server!(values_and_placeholders_must_agree);
async fn values_and_placeholders_must_agree(db: &impl Db) {
    items(db, 5).await;
    let said = mistake(table(db).filter("id > ? AND id < ?").bind(1_i64)).await;
    assert!(said.contains("2 values stand as ? in the SQL, but 1 are bound"), "{said}");
    let said = mistake(table(db).bind(1_i64)).await;
    assert!(said.contains("0 values stand as ? in the SQL, but 1 are bound"), "{said}");
    assert!(mistake(Keyset::<Item, _>::query(db, "SELECT 1").filter("x").key(["id"])).await.contains(".filter(..) is for tables"));
}
