//! Several rows a statement on SQLite do what one a row would.

mod shapes;

use super::{
    support::{Db, refusal, write},
    values::Bytes,
};
use batch_core::{Result, Writer};
use batch_sql::{SqlDelete, SqlUpdate};
use proptest::{prelude::*, sample::select};
use serde::{Serialize, Serializer};
use shapes::{SHAPES, Shape};
use sqlx::{AssertSqlSafe, SqliteConnection, query::Query, sqlite::SqliteArguments};

#[derive(Debug, Clone, Copy, PartialEq)]
enum Val {
    Null,
    Int(i64),
    Float(f64),
    Text(&'static str),
    Blob(&'static [u8]),
}

impl Serialize for Val {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_none(),
            Self::Int(value) => value.serialize(serializer),
            Self::Float(value) => value.serialize(serializer),
            Self::Text(value) => value.serialize(serializer),
            Self::Blob(value) => Bytes(value.to_vec()).serialize(serializer),
        }
    }
}

type Bound = Query<'static, sqlx::Sqlite, SqliteArguments>;

fn bind(query: Bound, value: Val) -> Bound {
    match value {
        Val::Null => query.bind(None::<i64>),
        Val::Int(value) => query.bind(value),
        Val::Float(value) => query.bind(value),
        Val::Text(value) => query.bind(value),
        Val::Blob(value) => query.bind(value),
    }
}

/// Not in the order of the table.
#[derive(Debug, Clone, Copy, Serialize)]
struct One {
    a: Val,
    k: Val,
    b: Val,
}

#[derive(Debug, Clone, Copy, Serialize)]
struct Two {
    j: Val,
    a: Val,
    k: Val,
    b: Val,
}

/// Values some of which are one another by this affinity or that collation.
const LIKE: [Val; 22] = [
    Val::Null,
    Val::Int(0),
    Val::Int(1),
    Val::Int(2),
    Val::Int(3),
    Val::Float(1.0),
    Val::Float(-0.0),
    Val::Float(2.5),
    Val::Float(9_007_199_254_740_993.0),
    Val::Int(9_007_199_254_740_993),
    Val::Text("1"),
    Val::Text("1.0"),
    Val::Text("01"),
    Val::Text(" 1"),
    Val::Text("1e0"),
    Val::Text("2.5"),
    Val::Text("a"),
    Val::Text("A"),
    Val::Text("a "),
    Val::Text(""),
    Val::Blob(b"1"),
    Val::Blob(b"a"),
];

fn items() -> impl Strategy<Value = Vec<Two>> {
    let value = || select(LIKE.to_vec());
    // Keys that are mostly there and mostly different, or anything.
    let key = || prop_oneof![8 => (10..60i64).prop_map(Val::Int), 1 => value()];
    let keys = prop_oneof![
        proptest::collection::vec(key(), 1..24),
        proptest::collection::vec(value(), 1..24),
        Just((10..50).map(Val::Int).collect::<Vec<_>>()).prop_shuffle(),
        Just(LIKE.to_vec()).prop_shuffle(),
    ];
    let rest = proptest::collection::vec((select(vec![Val::Int(0), Val::Int(1), Val::Text("1")]), value(), value()), 40);
    let tame = any::<bool>();
    (keys, rest, tame).prop_map(|(keys, rest, tame)| {
        let settled = |at: usize| Val::Int(i64::try_from(at).unwrap() + 1_000);
        let item = |(at, (k, (j, a, b)))| Two { k, j, a: if tame { settled(at) } else { a }, b };
        keys.into_iter().zip(rest).enumerate().map(item).collect()
    })
}

async fn fresh(shape: &Shape) -> SqliteConnection {
    let mut db = SqliteConnection::fresh().await;
    db.sql("CREATE TABLE log (n INTEGER PRIMARY KEY, what)").await;
    db.sql(shape.sql).await;
    let sql = format!("INSERT OR IGNORE INTO {} VALUES (?, ?, ?, ?)", shape.fill);
    let keys = (10..50).map(Val::Int).chain(LIKE);
    for (at, k) in keys.enumerate() {
        let at = i64::try_from(at).unwrap();
        let row = [k, Val::Int(at % 2), Val::Int(at), Val::Int(100)];
        // Not every table takes every value.
        let _ = row.into_iter().fold(sqlx::query(AssertSqlSafe(sql.clone())), bind).execute(&mut db).await;
    }
    db
}

async fn stored(db: &mut SqliteConnection) -> Vec<Option<String>> {
    let columns = ["k", "j", "a", "b"].map(|c| format!("typeof({c}) || quote({c})")).join(" || ' ' || ");
    let mut all = db.texts(&format!("SELECT {columns} FROM t ORDER BY 1")).await;
    all.extend(db.texts("SELECT quote(what) FROM log ORDER BY n").await);
    all
}

/// What each statement means, written out: one a row, which must meet one.
async fn one_by_one(db: &mut SqliteConnection, sql: &str, rows: &[Vec<Val>], allow: bool) -> Result<()> {
    db.sql("BEGIN").await;
    let mut outcome = Ok(());
    for row in rows {
        let query = row.iter().copied().fold(sqlx::query(AssertSqlSafe(sql.to_owned())), bind);
        outcome = match query.execute(&mut *db).await.map(|done| done.rows_affected()) {
            Ok(1) => continue,
            Ok(0) if allow => continue,
            Ok(met) => Err(format!("{met} rows").into()),
            Err(error) => Err(error.into()),
        };
        break;
    }
    db.sql(if outcome.is_ok() { "COMMIT" } else { "ROLLBACK" }).await;
    outcome
}

const UPDATE_ONE: &str = "UPDATE t AS r SET a = i.a, b = i.b FROM (SELECT ? AS a, ? AS k, ? AS b) AS i WHERE r.k = i.k";
const UPDATE_TWO: &str =
    "UPDATE t AS r SET a = i.a, b = i.b FROM (SELECT ? AS j, ? AS a, ? AS k, ? AS b) AS i WHERE r.k = i.k AND r.j = i.j";

/// The same chunks by a writer and one by one: either both refuse one or the tables are the same.
async fn same<T: Clone + Sync + std::fmt::Debug + 'static>(
    (shape, allow): (&Shape, bool),
    (writer, sql): (impl Writer<T, SqliteConnection> + std::fmt::Debug, &str),
    items: &[T],
    row: impl Fn(&T) -> Vec<Val>,
) {
    let (mut left, mut right, mut writer) = (fresh(shape).await, fresh(shape).await, writer);
    let middle = items.len() / 2;
    for chunk in [items, items, &items[middle..], &items[..middle]] {
        let rows: Vec<_> = chunk.iter().map(&row).collect();
        let (ours, theirs) = (write(&mut left, &mut writer, chunk).await, one_by_one(&mut right, sql, &rows, allow).await);
        let about = format!("{}\n{writer:?} allow {allow}\n{chunk:?}", shape.sql);
        assert_eq!(ours.is_ok(), theirs.is_ok(), "{ours:?} {theirs:?} {about}");
        assert_eq!(stored(&mut left).await, stored(&mut right).await, "{about}");
    }
}

fn one(item: &Two) -> One {
    One { a: item.a, k: item.k, b: item.b }
}

fn update<T>(allow: bool) -> SqlUpdate<T> {
    if allow { SqlUpdate::table("t").allow_misses() } else { SqlUpdate::table("t") }
}

fn delete<T>(allow: bool) -> SqlDelete<T> {
    if allow { SqlDelete::from("t").allow_misses() } else { SqlDelete::from("t") }
}

async fn same_every_way(shape: &Shape, items: &[Two], allow: bool) {
    let ones: Vec<_> = items.iter().map(one).collect();
    same((shape, allow), (update(allow).key(["k"]), UPDATE_ONE), &ones, |i| vec![i.a, i.k, i.b]).await;
    same((shape, allow), (update(allow).key(["k", "j"]), UPDATE_TWO), items, |i| vec![i.j, i.a, i.k, i.b]).await;
    same((shape, allow), (delete(allow).key(["k"]), "DELETE FROM t WHERE k = ?"), items, |i| vec![i.k]).await;
    let both = "DELETE FROM t WHERE j = ? AND k = ?";
    same((shape, allow), (delete(allow).key(["k", "j"]), both), items, |i| vec![i.j, i.k]).await;
}

#[test]
fn blocks_do_what_single_statements_do() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let shape = (0..SHAPES.len()).prop_map(|at| &SHAPES[at]).no_shrink();
    proptest!(ProptestConfig::with_cases(300), |(shape in shape, items in items(), allow in any::<bool>())| {
        runtime.block_on(same_every_way(shape, &items, allow));
    });
}

impl std::fmt::Debug for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.sql)
    }
}

/// Whether an update and a delete are shown to come in blocks.
async fn shown(db: &mut SqliteConnection, two: bool) -> (bool, bool) {
    db.sql("PRAGMA foreign_keys = OFF").await;
    let items: Vec<_> =
        (10..12).map(|n| Two { k: Val::Int(n), j: Val::Int(n % 2), a: Val::Int(n + 5_000), b: Val::Int(n) }).collect();
    let ones: Vec<_> = items.iter().map(one).collect();
    let (mut update_one, mut update_two) = (update(true).key(["k"]), update(true).key(["k", "j"]));
    let (mut delete_one, mut delete_two) = (delete(true).key(["k"]), delete(true).key(["k", "j"]));
    let shown = if two {
        write(db, &mut update_two, &items).await.unwrap();
        write(db, &mut delete_two, &items).await.unwrap();
        [format!("{update_two:?}"), format!("{delete_two:?}")]
    } else {
        write(db, &mut update_one, &ones).await.unwrap();
        write(db, &mut delete_one, &ones).await.unwrap();
        [format!("{update_one:?}"), format!("{delete_one:?}")]
    };
    assert!(
        shown.iter().all(|s| s.contains("UPDATE VALUES") || s.contains("DELETE IN") || s.contains("for each row")),
        "{shown:?}"
    );
    (shown[0].contains("UPDATE VALUES"), shown[1].contains("DELETE IN"))
}

#[tokio::test]
async fn blocks_are_used_where_rows_are_independent() {
    let mut wrong = Vec::new();
    for shape in SHAPES.iter().filter(|shape| !shape.sql.contains("k AS (a)")) {
        for (two, expected) in [(false, shape.blocks), (true, shape.blocks_of_two)] {
            let shown = shown(&mut fresh(shape).await, two).await;
            if shown != expected {
                wrong.push((shape, two, shown));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn a_plan_that_reads_the_whole_table_is_not_used() {
    let mut db = fresh(&SHAPES[0]).await;
    db.sql("ANALYZE; UPDATE sqlite_stat1 SET stat = '1'; ANALYZE sqlite_schema").await;
    assert_eq!(shown(&mut db, false).await, (false, false));
    db.sql("UPDATE sqlite_stat1 SET stat = '1000000'; ANALYZE sqlite_schema").await;
    assert_eq!(shown(&mut db, false).await, (true, true));
}

#[tokio::test]
async fn a_table_whose_name_is_in_two_schemas_gets_single_statements() {
    let mut db = fresh(&SHAPES[0]).await;
    db.sql("ATTACH ':memory:' AS other; CREATE TABLE other.t (k INTEGER PRIMARY KEY, j, a, b)").await;
    assert_eq!(shown(&mut db, false).await, (false, false));
    let mut named = SqlUpdate::table("main.t").key(["k"]);
    write(&mut db, &mut named, &[One { a: Val::Null, k: Val::Int(20), b: Val::Null }]).await.unwrap();
    assert!(format!("{named:?}").contains("UPDATE VALUES"), "{named:?}");
}

#[tokio::test]
async fn the_items_that_missed_are_counted() {
    let mut db = fresh(&SHAPES[0]).await;
    db.sql("DELETE FROM t WHERE k NOT BETWEEN 10 AND 49").await;
    let items: Vec<_> = (20..84).map(|n| One { a: Val::Null, k: Val::Int(n), b: Val::Null }).collect();
    let error = refusal(&mut db, &mut update(false).key(["k"]), &items).await;
    assert!(error.contains("no row has the key of 34 of 64 items"), "{error}");
    let error = refusal(&mut db, &mut delete(false).key(["k"]), &items).await;
    assert!(error.contains("no row has the key of 34 of 64 items"), "{error}");
}

/// Many items of few keys, beside items of keys of their own: the last of each key stays, and every statement's length comes by.
#[tokio::test]
async fn the_last_of_many_items_of_a_key_stays() {
    let shape = Shape { sql: "CREATE TABLE t (k INTEGER PRIMARY KEY, j, a, b)", ..SHAPES[0] };
    for keys in [1, 7, 40, 300, 5_000] {
        let items: Vec<_> = (0..3_000).map(|n| One { a: Val::Int(n), k: Val::Int(n * n % keys), b: Val::Int(n) }).collect();
        let row = |i: &One| vec![i.a, i.k, i.b];
        same((&shape, true), (update(true).key(["k"]), UPDATE_ONE), &items, row).await;
    }
}
