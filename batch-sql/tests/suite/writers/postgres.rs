//! What the server reads, COPY and `unnest`.

use super::{
    support::{Db, Item, expected, item, item_table, items, refusal, rows, write},
    values::Bytes,
};
use batch_core::{BatchStatus, Chunk, Job, Parameters, RefusedItem, Transactions, Writer, iter};
use batch_sql::{SqlInsert, SqlUpdate, SqlUpsert};
use batch_testkit::{Options, Server};
use serde::Serialize;
use sqlx::{Connection, PgConnection};

#[derive(Serialize, Clone)]
struct Text {
    id: i64,
    v: &'static str,
}

#[tokio::test]
async fn what_only_the_server_can_read_is_left_to_it() {
    let mut db = PgConnection::fresh().await;
    db.sql("SET TimeZone = 'Asia/Tokyo'").await;
    for (kind, given, expected) in [
        ("numeric", "1.5e3", "1500"),
        ("numeric", "NaN", "NaN"),
        ("float8", "infinity", "Infinity"),
        ("int4", " 7 ", "7"),
        ("bool", "yes", "true"),
        ("date", "January 8, 1999", "1999-01-08"),
        ("date", "infinity", "infinity"),
        ("time", "04:05 PM", "16:05:00"),
        ("timestamp", "2026-01-01T10:00:00.5+02:00", "2026-01-01 10:00:00.5"),
        ("timestamptz", "2026-01-01 10:00:00", "2026-01-01 10:00:00+09"),
        ("timestamptz", "2026-01-01T10:00:00.1234565Z", "2026-01-01 19:00:00.123456+09"),
        ("timestamptz", "2026-01-01T10:00:00.9999999Z", "2026-01-01 19:00:01+09"),
        ("uuid", "{a0eebc99-9c0b4ef8-bb6d6bb9-bd380a11}", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
        ("bytea", "\\x41ff", "\\x41ff"),
        ("bytea", "plain", "\\x706c61696e"),
        ("bytea", "a\\\\b\\377", "\\x615c62ff"),
        ("int4[]", "{1,NULL,3}", "{1,NULL,3}"),
        ("text[]", "{\"a,b\",\"c\\\\d\"}", "{\"a,b\",\"c\\\\d\"}"),
        ("int4range", "[1,5)", "[1,5)"),
        ("interval", "1 day 2 hours", "1 day 02:00:00"),
        ("inet", "10.0.0.1/8", "10.0.0.1/8"),
        ("bit(3)", "101", "101"),
        ("positive", "12", "12"),
    ] {
        db.sql("DROP TABLE IF EXISTS item; DROP DOMAIN IF EXISTS positive; CREATE DOMAIN positive AS int4 CHECK (VALUE > 0)").await;
        db.sql(&format!("CREATE TABLE item (id int8, v {kind})")).await;
        for rows in [1, 40] {
            let chunk: Vec<_> = (0..rows).map(|id| Text { id, v: given }).collect();
            write(&mut db, &mut SqlInsert::into("item"), &chunk).await.unwrap_or_else(|e| panic!("{kind} {given}: {e}"));
        }
        assert_eq!(db.texts("SELECT DISTINCT v::text FROM item").await, [Some(expected.to_owned())], "{kind} {given}");
    }
}

#[tokio::test]
async fn what_does_not_fit_is_refused_with_the_fields_name_or_by_the_server() {
    #[derive(Serialize)]
    struct Number<V> {
        v: V,
    }
    async fn refused<V: Serialize + Sync + 'static>(db: &mut PgConnection, v: V) -> String {
        refusal(db, &mut SqlInsert::into("item"), &[Number { v }]).await
    }
    let mut db = PgConnection::fresh().await;
    db.sql("CREATE TABLE item (v int2)").await;
    assert!(refused(&mut db, 40_000).await.contains("field `v` holds 40000, which does not fit its column's type smallint"));
    assert!(refused(&mut db, "40000").await.contains("field `v` holds 40000"));
    assert!(refused(&mut db, 1.5).await.contains("invalid input syntax for type smallint"));
    assert!(refused(&mut db, "x").await.contains("invalid input syntax for type smallint"));
    assert!(refused(&mut db, Bytes(vec![1])).await.contains("field `v` holds bytes"));
    db.sql("ALTER TABLE item ALTER v TYPE float4").await;
    assert!(refused(&mut db, 1e300).await.contains("field `v` holds 1"));
    db.sql("ALTER TABLE item ALTER v TYPE varchar(3)").await;
    assert!(refused(&mut db, "abcd").await.contains("too long"));
    db.sql("ALTER TABLE item ALTER v TYPE date USING NULL").await;
    assert!(refused(&mut db, 5).await.contains("invalid input syntax for type date"));
}

#[tokio::test]
async fn a_nul_is_the_items_error_before_anything_is_sent() {
    let mut db = PgConnection::fresh().await;
    item_table(&mut db).await;
    db.sql("CREATE TABLE beside (id int8, name text, price float8, sold bool, x interval)").await;
    for (table, length) in [("item", 100), ("item", 3), ("beside", 100), ("beside", 3)] {
        let mut chunk = items(0..length);
        chunk[2].name = Some("a\0b".to_owned());
        db.sql("BEGIN").await;
        let mut writer = SqlInsert::into(table);
        let error = writer.write(&mut db, Chunk::from(&chunk[..])).await.unwrap_err().to_string();
        assert!(error.contains("field `name` holds a NUL character"), "{error}");
        // Nothing was refused by the server: the transaction goes on without a savepoint.
        chunk.remove(2);
        writer.write(&mut db, Chunk::from(&chunk[..])).await.unwrap();
        db.sql("ROLLBACK").await;
    }
}

#[tokio::test]
async fn a_table_that_copy_would_treat_otherwise_gets_inserts() {
    let mut db = PgConnection::fresh().await;
    item_table(&mut db).await;
    db.sql("CREATE TABLE log (id int8); CREATE RULE also AS ON INSERT TO item DO ALSO INSERT INTO log VALUES (NEW.id)").await;
    let mut writer = SqlInsert::into("item");
    write(&mut db, &mut writer, &items(0..100)).await.unwrap();
    assert_eq!(db.numbers("SELECT count(*) FROM log").await, [100]);
    assert!(format!("{writer:?}").contains("INSERT UNNEST"), "{writer:?}");

    db.sql("DROP RULE also ON item; ALTER TABLE item ENABLE ROW LEVEL SECURITY; CREATE VIEW seen AS SELECT * FROM item").await;
    for table in ["item", "seen"] {
        let mut writer = SqlInsert::into(table);
        db.sql("DELETE FROM item").await;
        write(&mut db, &mut writer, &items(0..100)).await.unwrap();
        assert!(format!("{writer:?}").contains("INSERT UNNEST"), "{writer:?}");
        assert_eq!(rows(&mut db).await, expected(&items(0..100)));
    }
}

/// The driver's own connection would wait 40 ms for an acknowledgement at the end of each COPY.
#[tokio::test]
async fn over_tcp_copy_is_used_where_small_packets_do_not_wait() {
    let server = Server::start(Options::postgres().with_tcp().without_fsync());
    let url = server.database().await.tcp_url(server.port().unwrap());
    let mut drivers = PgConnection::connect(&url).await.unwrap();
    item_table(&mut drivers).await;
    let mut writer = SqlInsert::into("item");
    write(&mut drivers, &mut writer, &items(0..1000)).await.unwrap();
    assert!(format!("{writer:?}").contains("INSERT UNNEST"), "{writer:?}");

    let handle = batch_sql::Postgres::open(&url).await.unwrap();
    let mut tx = handle.begin().await.unwrap();
    let mut writer = SqlInsert::into("item");
    writer.write(batch_sql::Postgres::conn(&mut tx), items(1000..2000).as_slice().into()).await.unwrap();
    assert!(format!("{writer:?}").contains("COPY BINARY"), "{writer:?}");
    handle.rollback(tx).await.unwrap();
    assert_eq!(rows(&mut drivers).await.len(), 1000);
}

/// From 600 to 1,999 rows the server is made to insert one by one.
#[tokio::test]
async fn a_copy_takes_every_row_however_the_server_inserts_them() {
    let mut db = PgConnection::fresh().await;
    for table in ["CREATE TABLE item (id int8 PRIMARY KEY, v text)", "CREATE TABLE item (id int8, v text) PARTITION BY HASH (id)"] {
        db.sql(&format!("DROP TABLE IF EXISTS item; {table}")).await;
        if table.contains("PARTITION") {
            db.sql("CREATE TABLE a PARTITION OF item FOR VALUES WITH (MODULUS 2, REMAINDER 0)").await;
            db.sql("CREATE TABLE b PARTITION OF item FOR VALUES WITH (MODULUS 2, REMAINDER 1)").await;
        }
        let (mut writer, mut written) = (SqlInsert::into("item"), 0);
        for rows in [32, 599, 600, 1999, 2000] {
            let chunk: Vec<Text> = (written..written + rows).map(|id| Text { id, v: "x" }).collect();
            write(&mut db, &mut writer, &chunk).await.unwrap();
            written += rows;
            assert_eq!(db.numbers("SELECT count(DISTINCT id) FROM item").await, [written]);
            assert!(format!("{writer:?}").contains("COPY BINARY"), "{writer:?}");
        }
    }
}

#[derive(Serialize)]
struct Measure {
    id: i64,
    value: f64,
    at: &'static str,
}

/// Chunks are made ready before their transaction: all but the first two, and those with an item that is no row.
#[tokio::test]
async fn rows_that_are_made_ahead_are_those_of_their_chunk() {
    let server = Server::start(Options::postgres().without_fsync());
    let url = server.database().await.url();
    let mut db = PgConnection::connect(&url).await.unwrap();
    db.sql("CREATE TABLE item (id int8 PRIMARY KEY, value float8 CHECK (value <> 7), at timestamptz)").await;
    let database = batch_sql::Postgres::open(&url).await.unwrap();
    let job = Job::new("load", &database).step("measures", |s| {
        let measures = (0..400).map(|id| Measure {
            id,
            value: [170, 333].contains(&id).then_some(f64::NAN).or((id == 250).then_some(7.0)).unwrap_or(1.5),
            // Only the server can read the other, so that its chunk goes as text.
            at: if id == 210 { "epoch" } else { "2024-05-01T00:00:00Z" },
        });
        Ok(s.chunk(40, iter(measures)).writer(SqlInsert::into("item")).skip(3))
    });
    let execution = job.run(Parameters::new()).await.unwrap();
    assert_eq!(execution.status, BatchStatus::Completed, "{}", execution.exit_status.message);
    let rows = db.numbers("SELECT id FROM item ORDER BY id").await;
    assert_eq!(rows, (0..400).filter(|id| ![170, 250, 333].contains(id)).collect::<Vec<_>>());
    let moments =
        db.numbers("SELECT count(*) FROM item WHERE at = CASE WHEN id = 210 THEN 'epoch' ELSE '2024-05-01Z' END::timestamptz");
    assert_eq!(moments.await, [397]);
}

/// The row that a COPY stopped at, if the error says it.
async fn stopped_at(db: &mut PgConnection, table: &str, chunk: &[Text]) -> Result<usize, String> {
    let error = write(db, &mut SqlInsert::into(table), chunk).await.unwrap_err();
    error.downcast_ref::<RefusedItem>().map(|refused| refused.index).ok_or_else(|| error.to_string())
}

#[tokio::test]
async fn a_copy_says_which_row_is_refused() {
    let mut db = PgConnection::fresh().await;
    db.sql("CREATE TABLE parent (id int8 PRIMARY KEY)").await;
    let chunk = |bad: i64| -> Vec<Text> { (0..1000).map(|id| Text { id, v: if id == bad { "bad" } else { "x" } }).collect() };
    for (name, columns) in
        [("a", "id int8 PRIMARY KEY, v text CHECK (v <> 'bad')"), ("c", "id int8 CHECK (id <> 700), v varchar(10)")]
    {
        db.sql(&format!("CREATE TABLE {name} ({columns})")).await;
    }
    assert_eq!(stopped_at(&mut db, "a", &chunk(0)).await, Ok(0));
    assert_eq!(stopped_at(&mut db, "a", &chunk(999)).await, Ok(999));
    assert_eq!(stopped_at(&mut db, "c", &chunk(-1)).await, Ok(700), "in text form, as varchar is sent");
    write(&mut db, &mut SqlInsert::into("a"), &[Text { id: 640, v: "x" }]).await.unwrap();
    assert_eq!(stopped_at(&mut db, "a", &chunk(-1)).await, Ok(640), "a key that is taken");
    db.sql("CREATE TABLE child (id int8 PRIMARY KEY REFERENCES parent, v text)").await;
    let unnamed = stopped_at(&mut db, "child", &chunk(-1)).await.unwrap_err();
    assert!(unnamed.contains("foreign key"), "examined at the end of the statement: {unnamed}");
    let few = stopped_at(&mut db, "a", &chunk(3)[..10]).await.unwrap_err();
    assert!(few.contains("check constraint"), "few rows go without COPY: {few}");
}

#[tokio::test]
async fn a_generated_column_takes_no_value() {
    let mut db = PgConnection::fresh().await;
    db.sql("CREATE TABLE item (id int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v text)").await;
    for length in [1, 100] {
        let chunk: Vec<_> = (0..length).map(|id| Text { id, v: "x" }).collect();
        let error = refusal(&mut db, &mut SqlInsert::into("item"), &chunk).await;
        assert!(error.contains("column `id` of table `item` is GENERATED ALWAYS"), "{error}");
    }
    db.sql("INSERT INTO item (v) VALUES ('a')").await;
    write(&mut db, &mut SqlUpdate::table("item").key(["id"]), &[Text { id: 1, v: "b" }]).await.unwrap();
    assert_eq!(db.texts("SELECT v FROM item").await, [Some("b".to_owned())]);
}

#[tokio::test]
async fn keys_are_the_same_when_the_server_says_so() {
    #[derive(Serialize)]
    struct Price {
        key: &'static str,
        v: i64,
    }
    let mut db = PgConnection::fresh().await;
    db.sql("CREATE TABLE item (key numeric PRIMARY KEY, v int8)").await;
    let chunk = [("1", 1), ("2.0", 2), ("1.0", 3), ("1.00", 4)].map(|(key, v)| Price { key, v });
    write(&mut db, &mut SqlUpsert::into("item").key(["key"]), &chunk).await.unwrap();
    assert_eq!(db.numbers("SELECT v FROM item ORDER BY v").await, [2, 4]);
    let chunk = [("2", 5), ("1", 6), ("2.00", 7)].map(|(key, v)| Price { key, v });
    write(&mut db, &mut SqlUpdate::table("item").key(["key"]), &chunk).await.unwrap();
    assert_eq!(db.numbers("SELECT v FROM item ORDER BY v").await, [6, 7]);
}

#[tokio::test]
async fn a_refused_copy_leaves_the_connection_in_order() {
    let mut db = PgConnection::fresh().await;
    item_table(&mut db).await;
    let wide = |id: i64| Item { name: Some("x".repeat(if id == 700 { 101 } else { 100 })), ..item(id) };
    let chunk: Vec<_> = (0..2000).map(wide).collect();
    let error = refusal(&mut db, &mut SqlInsert::into("item"), &chunk).await;
    assert!(error.contains("too long"), "{error}");
    write(&mut db, &mut SqlInsert::into("item"), &chunk[..700]).await.unwrap();
    assert_eq!(rows(&mut db).await.len(), 700);
}
