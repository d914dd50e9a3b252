//! SQLite, in a file.

use crate::{
    Counts, LENGTHS, Way, print,
    product::{Product, products},
    repeats,
};
use batch_core::{Chunk, Result, Writer};
use batch_sql::{SqlInsert, SqlUpdate, SqlUpsert};
use sqlx::{
    AssertSqlSafe, Connection, Executor, SqliteConnection,
    query::Query,
    sqlite::{SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use std::time::Instant;

const TABLE: &str = "CREATE TABLE product (id INTEGER PRIMARY KEY, sku TEXT NOT NULL, name TEXT NOT NULL, category TEXT NOT NULL,
    price_cents INTEGER NOT NULL, stock INTEGER NOT NULL, updated_at TEXT NOT NULL)";
const COLUMNS: &str = "id, sku, name, category, price_cents, stock, updated_at";
/// The rest of a row as it is in `v`.
const SET: &str = "sku = v.c1, name = v.c2, category = v.c3, price_cents = v.c4, stock = v.c5, updated_at = v.c6";
const JSON: &str = "SELECT value ->> 0 AS c0, value ->> 1 AS c1, value ->> 2 AS c2, value ->> 3 AS c3, value ->> 4 AS c4,
    value ->> 5 AS c5, value ->> 6 AS c6 FROM json_each(?)";

#[derive(Clone, Copy)]
enum How {
    Insert,
    Upsert,
    Update,
    Values(usize),
    Each,
    JsonEach,
    UpdateEach,
    UpdateValues(usize),
    UpdateJsonEach,
}

pub(crate) async fn compare(rounds: usize) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let options = SqliteConnectOptions::new().filename(folder.path().join("bench.db")).create_if_missing(true);
    let options = options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Off);
    let mut conn = SqliteConnection::connect_with(&options).await?;
    let inserts = [
        ("SqlInsert", How::Insert),
        ("VALUES of 16", How::Values(16)),
        ("of 64", How::Values(64)),
        ("of 256", How::Values(256)),
        ("of 1024", How::Values(1024)),
        ("of 4096", How::Values(4096)),
        ("json_each", How::JsonEach),
        ("each", How::Each),
    ];
    let updates = [
        ("SqlUpdate", How::Update),
        ("each", How::UpdateEach),
        ("VALUES of 64", How::UpdateValues(64)),
        ("of 256", How::UpdateValues(256)),
        ("of 1024", How::UpdateValues(1024)),
        ("json_each", How::UpdateJsonEach),
    ];
    for rows in LENGTHS {
        run(&mut conn, "SQLite insert", rows, rounds, &inserts).await?;
        run(&mut conn, "SQLite upsert", rows, rounds, &[("SqlUpsert", How::Upsert)]).await?;
        run(&mut conn, "SQLite update", rows, rounds, &updates).await?;
    }
    Ok(())
}

async fn run(conn: &mut SqliteConnection, what: &str, rows: usize, rounds: usize, hows: &[(&'static str, How)]) -> Result<()> {
    let mut ways: Vec<_> = hows.iter().map(|(name, _)| Way::new(name)).collect();
    for _ in 0..rounds {
        for (way, (_, how)) in ways.iter_mut().zip(hows) {
            conn.execute("DROP TABLE IF EXISTS product").await?;
            conn.execute(TABLE).await?;
            let all = rows * repeats(rows);
            let filled = !matches!(how, How::Insert | How::Values(_) | How::Each | How::JsonEach);
            if filled {
                values(conn, &products(0, all), 1024).await?;
            }
            let mut insert = SqlInsert::into("product");
            let mut upsert = SqlUpsert::into("product").key(["id"]);
            let mut update = SqlUpdate::table("product").key(["id"]);
            for turn in 0..repeats(rows) {
                let mut chunk = products(turn * rows, rows);
                chunk.iter_mut().for_each(|p| p.stock += 1000);
                conn.execute("BEGIN IMMEDIATE").await?;
                let begun = Instant::now();
                let items = Chunk::from(&chunk[..]);
                match how {
                    How::Insert => insert.write(conn, items).await?,
                    How::Upsert => upsert.write(conn, items).await?,
                    How::Update => update.write(conn, items).await?,
                    How::Values(block) => values(conn, &chunk, *block).await?,
                    How::Each => values(conn, &chunk, 1).await?,
                    How::JsonEach => by_json(conn, &chunk, format!("INSERT INTO product ({COLUMNS}) {JSON}")).await?,
                    How::UpdateEach => update_each(conn, &chunk).await?,
                    How::UpdateValues(block) => update_values(conn, &chunk, *block).await?,
                    How::UpdateJsonEach => {
                        by_json(conn, &chunk, format!("UPDATE product SET {SET} FROM ({JSON}) AS v WHERE id = v.c0")).await?;
                    }
                }
                way.took(begun.elapsed());
                conn.execute("COMMIT").await?;
            }
            check(conn, all).await?;
        }
    }
    print(what, rows, Counts::Least, &ways);
    Ok(())
}

/// Each way has written all rows, with their new stock.
async fn check(conn: &mut SqliteConnection, rows: usize) -> Result<()> {
    let sql = "SELECT count(*) FROM product WHERE stock >= 1000 AND price_cents = id * 7 % 100000";
    let found: i64 = sqlx::query_scalar(sql).fetch_one(conn).await?;
    assert_eq!(found, i64::try_from(rows)?);
    Ok(())
}

type Bound<'q> = Query<'q, sqlx::Sqlite, SqliteArguments>;

fn bind<'q>(query: Bound<'q>, p: &'q Product) -> Bound<'q> {
    let query = query.bind(p.id).bind(&p.sku).bind(&p.name).bind(&p.category);
    query.bind(p.price_cents).bind(p.stock).bind(p.updated_at)
}

fn marks(rows: usize) -> String {
    vec!["(?,?,?,?,?,?,?)"; rows].join(",")
}

async fn values(conn: &mut SqliteConnection, chunk: &[Product], block: usize) -> Result<()> {
    for block in chunk.chunks(block) {
        let sql = format!("INSERT INTO product ({COLUMNS}) VALUES {}", marks(block.len()));
        block.iter().fold(sqlx::query(AssertSqlSafe(sql)), bind).execute(&mut *conn).await?;
    }
    Ok(())
}

async fn update_values(conn: &mut SqliteConnection, chunk: &[Product], block: usize) -> Result<()> {
    for block in chunk.chunks(block) {
        let rows = marks(block.len());
        let sql = format!("WITH v (c0, c1, c2, c3, c4, c5, c6) AS (VALUES {rows}) UPDATE product SET {SET} FROM v WHERE id = v.c0");
        block.iter().fold(sqlx::query(AssertSqlSafe(sql)), bind).execute(&mut *conn).await?;
    }
    Ok(())
}

async fn update_each(conn: &mut SqliteConnection, chunk: &[Product]) -> Result<()> {
    let sql = "UPDATE product SET id = ?, sku = ?, name = ?, category = ?, price_cents = ?, stock = ?, updated_at = ? WHERE id = ?";
    for p in chunk {
        bind(sqlx::query(sql), p).bind(p.id).execute(&mut *conn).await?;
    }
    Ok(())
}

async fn by_json(conn: &mut SqliteConnection, chunk: &[Product], sql: String) -> Result<()> {
    let row = |p: &Product| serde_json::json!([p.id, p.sku, p.name, p.category, p.price_cents, p.stock, p.updated_at]);
    let rows = serde_json::Value::from(chunk.iter().map(row).collect::<Vec<_>>()).to_string();
    sqlx::query(AssertSqlSafe(sql)).bind(rows).execute(conn).await?;
    Ok(())
}
