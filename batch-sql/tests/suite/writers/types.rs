//! Every type of PostgreSQL that values are made for, by every statement.

use super::{
    support::{Db, write},
    values::{Bytes, hostile},
};
use batch_sql::{SqlDelete, SqlInsert, SqlUpdate, SqlUpsert};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use proptest::{option::of, prelude::*};
use serde::Serialize;
use sqlx::{AssertSqlSafe, PgConnection};
use std::cell::RefCell;

/// One of each type that has a binary form here.
#[derive(Debug, Clone, Serialize)]
struct Typed {
    id: i64,
    i2: Option<i16>,
    i4: Option<i32>,
    f4: Option<f32>,
    f8: Option<f64>,
    yes: Option<bool>,
    t: Option<String>,
    c: Option<String>,
    json: Option<String>,
    jsonb: Option<String>,
    bytes: Option<Bytes>,
    d: Option<NaiveDate>,
    ti: Option<NaiveTime>,
    ts: Option<NaiveDateTime>,
    tz: Option<DateTime<Utc>>,
    tz0: Option<DateTime<Utc>>,
    u: Option<String>,
    n: Option<String>,
    n2: Option<String>,
    mood: Option<&'static str>,
}

const COLUMNS: [(&str, &str); 20] = [
    ("id", "int8"),
    ("i2", "int2"),
    ("i4", "int4"),
    ("f4", "float4"),
    ("f8", "float8"),
    ("yes", "bool"),
    ("t", "text"),
    ("c", "char(12)"),
    ("json", "json"),
    ("jsonb", "jsonb"),
    ("bytes", "bytea"),
    ("d", "date"),
    ("ti", "time"),
    ("ts", "timestamp"),
    ("tz", "timestamptz"),
    ("tz0", "timestamptz(0)"),
    ("u", "uuid"),
    ("n", "numeric"),
    ("n2", "numeric(20, 2)"),
    ("mood", "mood"),
];

impl Typed {
    /// Each value as the text that stands for it everywhere.
    fn texts(&self) -> Vec<Option<String>> {
        fn text(value: &Option<impl ToString>) -> Option<String> {
            value.as_ref().map(ToString::to_string)
        }
        let bytes = self.bytes.as_ref().map(|b| b.0.iter().fold("\\x".to_owned(), |hex, byte| format!("{hex}{byte:02x}")));
        let [json, jsonb, u, n, n2] = [&self.json, &self.jsonb, &self.u, &self.n, &self.n2].map(Clone::clone);
        vec![
            Some(self.id.to_string()),
            text(&self.i2),
            text(&self.i4),
            text(&self.f4),
            text(&self.f8),
            text(&self.yes),
            self.t.clone(),
            self.c.clone(),
            json,
            jsonb,
            bytes,
            text(&self.d),
            text(&self.ti),
            text(&self.ts),
            text(&self.tz),
            text(&self.tz0),
            u,
            n,
            n2,
            text(&self.mood),
        ]
    }
}

/// The same, beside a column whose type has no binary form here.
#[derive(Serialize)]
struct Beside {
    #[serde(flatten)]
    typed: Typed,
    x: &'static str,
}

fn moment() -> impl Strategy<Value = NaiveDateTime> {
    (-62_135_596_800_000_000i64..253_402_300_799_000_000)
        .prop_map(|micros| DateTime::from_timestamp_micros(micros).unwrap().naive_utc())
}

fn typed() -> impl Strategy<Value = Typed> {
    let float = any::<f64>().prop_filter("finite", |f| f.is_finite());
    let number = prop_oneof!["-?[0-9]{1,40}", "-?[0-9]{0,9}[.][0-9]{1,30}", "-?0{0,9}[.]0{1,9}", "-?[0-9]{1,9}0000[.]"];
    let small = "-?[0-9]{1,15}([.][0-9]{1,5})?";
    let uuid = prop_oneof!["[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "[0-9A-F]{32}"];
    let json = || hostile().prop_map(|text| serde_json::json!({"a": [1, null, text]}).to_string());
    let plain = (
        of(any::<i16>()),
        of(any::<i32>()),
        of(any::<f32>().prop_filter("finite", |f| f.is_finite())),
        of(float),
        of(any::<bool>()),
    );
    let texts = (
        of(hostile()),
        of("[a-zß ]{0,8}"),
        of(json()),
        of(json()),
        of(proptest::collection::vec(any::<u8>(), 0..9).prop_map(Bytes)),
    );
    let times = (of(moment()), of(moment()), of(moment()), of(moment()));
    let rest = (of(uuid), of(number), of(small), of(proptest::sample::select(vec!["sad", "so so", "it's"])));
    (plain, texts, times, rest).prop_map(
        |((i2, i4, f4, f8, yes), (t, c, json, jsonb, bytes), (d, ts, tz, tz0), (u, n, n2, mood))| Typed {
            id: 0,
            i2,
            i4,
            f4,
            f8,
            yes,
            t,
            c,
            json,
            jsonb,
            bytes,
            d: d.map(|d| d.date()),
            ti: d.map(|d| d.time()),
            ts,
            tz: tz.map(|tz| tz.and_utc()),
            tz0: tz0.map(|tz| tz.and_utc()),
            u,
            n,
            n2,
            mood,
        },
    )
}

fn many() -> impl Strategy<Value = Vec<Typed>> {
    proptest::collection::vec(typed(), 1..50).prop_map(|rows| (0..).zip(rows).map(|(id, row)| Typed { id, ..row }).collect())
}

/// What PostgreSQL itself makes of the texts.
async fn write_by_casts(db: &mut PgConnection, table: &str, chunk: &[Typed]) {
    let casts: Vec<_> = COLUMNS.iter().enumerate().map(|(at, (_, kind))| format!("${}::text::{kind}", at + 1)).collect();
    let sql = format!("INSERT INTO {table} VALUES ({})", casts.join(", "));
    for row in chunk {
        let query = row.texts().into_iter().fold(sqlx::query(AssertSqlSafe(sql.clone())), |query, text| query.bind(text));
        query.execute(&mut *db).await.unwrap_or_else(|e| panic!("{row:?}: {e}"));
    }
}

async fn typed_tables(db: &mut PgConnection) {
    let columns = COLUMNS.map(|(name, kind)| format!("{name} {kind}")).join(", ");
    db.sql("CREATE TYPE mood AS ENUM ('sad', 'so so', 'it''s')").await;
    for (table, more) in [("plain", ""), ("typed", ""), ("beside", ", x interval")] {
        db.sql(&format!("CREATE TABLE {table} ({columns}{more}, PRIMARY KEY (id))")).await;
    }
}

async fn stored(db: &mut PgConnection, table: &str) -> Vec<Option<String>> {
    let names = COLUMNS.map(|(name, _)| name).join(", ");
    db.texts(&format!("SELECT ROW({names})::text FROM {table} ORDER BY id")).await
}

async fn write_all_ways(db: &mut PgConnection, chunk: &[Typed], used: &mut Vec<String>) {
    db.sql("TRUNCATE plain, typed, beside").await;
    write_by_casts(db, "plain", chunk).await;
    let plain = stored(db, "plain").await;
    let beside: Vec<_> = chunk.iter().map(|typed| Beside { typed: typed.clone(), x: "1 day" }).collect();
    let (mut first, mut second) = (SqlInsert::into("typed"), SqlInsert::into("beside"));
    write(db, &mut first, chunk).await.unwrap();
    write(db, &mut second, &beside).await.unwrap();
    assert_eq!(stored(db, "typed").await, plain, "{first:?}");
    assert_eq!(stored(db, "beside").await, plain, "{second:?}");
    used.extend([format!("{first:?}"), format!("{second:?}")]);
    for table in ["typed", "beside"] {
        let others = COLUMNS[1..].iter().map(|(name, _)| format!("{name} = NULL")).collect::<Vec<_>>().join(", ");
        db.sql(&format!("UPDATE {table} SET {others}")).await;
    }
    write(db, &mut SqlUpdate::table("typed").key(["id"]), chunk).await.unwrap();
    write(db, &mut SqlUpsert::into("beside").key(["id"]), &beside).await.unwrap();
    assert_eq!(stored(db, "typed").await, plain, "update");
    assert_eq!(stored(db, "beside").await, plain, "upsert");
    write(db, &mut SqlDelete::from("beside").key(["id", "i2"]).allow_misses(), &beside).await.unwrap();
    assert_eq!(stored(db, "beside").await.len(), chunk.iter().filter(|row| row.i2.is_none()).count());
}

#[test]
fn every_type_is_stored_as_postgres_itself_reads_it() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let db = RefCell::new(runtime.block_on(async {
        let mut db = PgConnection::fresh().await;
        typed_tables(&mut db).await;
        db
    }));
    let used = RefCell::new(Vec::new());
    proptest!(ProptestConfig::with_cases(40), |(chunk in many())| {
        runtime.block_on(write_all_ways(&mut db.borrow_mut(), &chunk, &mut used.borrow_mut()));
    });
    for (table, statement) in
        [("typed", "COPY BINARY"), ("typed", "INSERT UNNEST"), ("beside", "COPY TEXT"), ("beside", "INSERT UNNEST")]
    {
        let shown = format!("SqlInsert {{ table: {table:?}, statement: {statement:?} }}");
        assert!(used.borrow().contains(&shown), "{shown} was never used");
    }
}
