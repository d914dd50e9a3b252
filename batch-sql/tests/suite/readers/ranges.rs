//! Parts of a table.

use super::support::{Db, on_every_server, read_all};
use batch_core::{Error, ErrorKind};
use batch_sql::{KeyRange, Keyset, ranges};
use std::num::NonZeroU32;

const FOUR: NonZeroU32 = NonZeroU32::new(4).unwrap();

on_every_server!(every_row_lies_in_one_range);
async fn every_row_lies_in_one_range(db: &impl Db) {
    db.run("CREATE TABLE spread (id BIGINT NOT NULL PRIMARY KEY, n INTEGER NOT NULL)").await;
    db.run("INSERT INTO spread VALUES (-7, 1), (-1, 1), (0, 1), (3, 1), (90, 1), (91, 1), (92, 1)").await;
    let parts = ranges(db, "spread", "id", FOUR).await.unwrap();
    assert_eq!(parts.len(), 4);
    let mut read = Vec::new();
    for part in parts {
        let kept: KeyRange = serde_json::from_value(serde_json::to_value(&part).unwrap()).unwrap();
        let reader = Keyset::<(i64,), _>::table(db, "spread").columns(["id"]).key(["id"]).page_size(2).range(kept).filter("n = ?");
        read.extend(read_all(reader.bind(1_i64)).await.into_iter().map(|row| row.unwrap().0));
    }
    assert_eq!(read, [-7, -1, 0, 3, 90, 91, 92]);
}

on_every_server!(an_empty_table_has_no_ranges_and_a_small_one_few);
async fn an_empty_table_has_no_ranges_and_a_small_one_few(db: &impl Db) {
    db.run("CREATE TABLE spread (id BIGINT NOT NULL PRIMARY KEY)").await;
    assert!(ranges(db, "spread", "id", FOUR).await.unwrap().is_empty());
    db.run("INSERT INTO spread VALUES (5), (6)").await;
    assert_eq!(ranges(db, "spread", "id", FOUR).await.unwrap().len(), 2);
}

on_every_server!(what_cannot_be_split_is_refused);
async fn what_cannot_be_split_is_refused(db: &impl Db) {
    db.run("CREATE TABLE spread (id VARCHAR(9) NOT NULL PRIMARY KEY, n BIGINT)").await;
    db.run("INSERT INTO spread VALUES ('a', 1), ('b', NULL)").await;
    for (table, column, part) in [
        ("spread", "id", "goes from a to b: only integers can be split"),
        ("spread", "n", "may be NULL"),
        ("spread", "missing", "has no column `missing`"),
        ("missing", "id", "there is no table `missing`"),
        ("a.b.c", "id", "cannot name a table"),
    ] {
        let error = ranges(db, table, column, FOUR).await.unwrap_err().downcast::<Error>().unwrap();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains(part), "{error}");
    }
}
