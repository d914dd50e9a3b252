//! How databases run the statement of a page: from its key on, by an index, without sorting.

use super::Keyset;
use crate::{
    reader::{
        keyset::Paging,
        order::{KeyColumn, asc, desc},
        source::{Query, SqlSource},
        value::KeyValue,
    },
    sql::Flavor,
};
use batch_testkit::{MariaDb, Postgres};
use sqlx::{MySqlPool, PgPool, SqlitePool, raw_sql};

/// 6400 rows; `a` alone tells 80 of them apart.
const FILL: [&str; 4] = [
    "CREATE TABLE wide (a BIGINT NOT NULL, b VARCHAR(20) NOT NULL, c BIGINT, PRIMARY KEY (a, b))",
    "CREATE UNIQUE INDEX mixed ON wide (a, b DESC)",
    "INSERT INTO wide WITH RECURSIVE n (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n < 79)
        SELECT x.n, CONCAT('b', y.n), 0 FROM n x, n y",
    "ANALYZE TABLE wide",
];

/// What the database says about the page behind the row in the middle.
async fn plan<D: SqlSource<(i64,)>>(db: &D, key: [KeyColumn; 2]) -> String {
    let mut paging = Keyset::<(i64,), _>::table(db, "wide").columns(["a"]).key(key).page_size(100).paging;
    Paging::<(i64,), D>::prepare(&mut paging, db).await.unwrap();
    let (a, explain) = match db.flavor() {
        Flavor::Sqlite => (KeyValue::Integer(40), "EXPLAIN QUERY PLAN"),
        Flavor::Postgres => (KeyValue::Text("40".to_owned()), "EXPLAIN"),
        Flavor::MySql | Flavor::MariaDb => (KeyValue::Integer(40), "EXPLAIN FORMAT=JSON"),
    };
    let after = [a, KeyValue::Text("b40".to_owned())];
    let (page, _) = Paging::<(i64,), D>::page(&paging, db, Some(&after)).unwrap();
    let query = Query { sql: format!("{explain} {}", page.sql), ..page };
    let rows = D::texts(&mut db.acquire().await.unwrap(), query).await.unwrap();
    rows.into_iter().flatten().flatten().collect::<Vec<_>>().join("\n")
}

fn orders() -> [[KeyColumn; 2]; 4] {
    [[asc("a"), asc("b")], [desc("a"), desc("b")], [asc("a"), desc("b")], [desc("a"), asc("b")]]
}

#[tokio::test]
async fn sqlite_searches_an_index_from_the_key_on() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}?mode=rwc", folder.path().join("plans.db").display());
    let db = SqlitePool::connect(&url).await.unwrap();
    for sql in &FILL[..3] {
        raw_sql(*sql).execute(&db).await.unwrap();
    }
    for key in orders() {
        let plan = plan(&db, key.clone()).await;
        let bound = ["(a>?)", "(a<?)", "((a,b)>(?,?))", "((a,b)<(?,?))"].into_iter().any(|bound| plan.contains(bound));
        assert!(plan.contains("SEARCH wide USING") && bound && !plan.contains("TEMP B-TREE"), "{key:?}: {plan}");
    }
}

#[tokio::test]
async fn postgres_searches_an_index_from_the_key_on() {
    let db = PgPool::connect(&Postgres::shared().database().await.url()).await.unwrap();
    for sql in [&FILL[..3], &["ANALYZE wide"]].concat() {
        raw_sql(sql).execute(&db).await.unwrap();
    }
    for key in orders() {
        let plan = plan(&db, key.clone()).await;
        assert!(plan.contains("Index Cond: ") && !plan.contains("Sort") && !plan.contains("Seq Scan"), "{key:?}: {plan}");
    }
}

#[tokio::test]
async fn mariadb_searches_an_index_from_the_key_on() {
    let db = MySqlPool::connect(&MariaDb::shared().database().await.url()).await.unwrap();
    for sql in FILL {
        raw_sql(sql).execute(&db).await.unwrap();
    }
    for key in orders() {
        let plan = plan(&db, key.clone()).await;
        assert!(plan.contains("\"access_type\": \"range\"") && !plan.contains("filesort"), "{key:?}: {plan}");
    }
}
