//! MariaDB.

use crate::{
    Counts, LENGTHS, Way, print,
    product::{Product, products},
    repeats,
};
use batch_core::{Chunk, Result, Writer};
use batch_sql::{SqlDelete, SqlInsert, SqlUpdate, SqlUpsert};
use batch_testkit::{Options, Server};
use sqlx::{AssertSqlSafe, Connection, Executor, MySqlConnection, query::Query};
use std::time::Instant;

const TABLE: &str = "CREATE TABLE product (id BIGINT PRIMARY KEY, sku VARCHAR(255) NOT NULL, name VARCHAR(255) NOT NULL,
    category VARCHAR(255) NOT NULL, price_cents BIGINT NOT NULL, stock INT NOT NULL, updated_at DATETIME(6) NOT NULL)";
const COLUMNS: &str = "id, sku, name, category, price_cents, stock, updated_at";

#[derive(Clone, Copy)]
enum How {
    Insert,
    Upsert,
    Update,
    Delete,
    Values(usize),
    JsonTable,
    Each,
    UpdateEach,
    UpdateJsonTable,
    DeleteEach,
}

pub(crate) async fn compare(rounds: usize) -> Result<()> {
    let server = Server::start(Options::mariadb().without_fsync());
    let mut conn = MySqlConnection::connect(&server.database().await.url()).await?;
    let inserts = [
        ("SqlInsert", How::Insert),
        ("VALUES of 64", How::Values(64)),
        ("VALUES of 256", How::Values(256)),
        ("VALUES of 4096", How::Values(4096)),
        ("JSON_TABLE", How::JsonTable),
        ("each", How::Each),
    ];
    let updates = [("SqlUpdate", How::Update), ("each", How::UpdateEach), ("JSON_TABLE", How::UpdateJsonTable)];
    for rows in LENGTHS {
        run(&mut conn, "MariaDB insert", rows, rounds, &inserts).await?;
        run(&mut conn, "MariaDB upsert", rows, rounds, &[("SqlUpsert", How::Upsert)]).await?;
        run(&mut conn, "MariaDB update", rows, rounds, &updates).await?;
        run(&mut conn, "MariaDB delete", rows, rounds, &[("SqlDelete", How::Delete), ("each", How::DeleteEach)]).await?;
    }
    Ok(())
}

async fn run(conn: &mut MySqlConnection, what: &str, rows: usize, rounds: usize, hows: &[(&'static str, How)]) -> Result<()> {
    let mut ways: Vec<_> = hows.iter().map(|(name, _)| Way::new(name)).collect();
    for _ in 0..rounds {
        for (way, (_, how)) in ways.iter_mut().zip(hows) {
            conn.execute("DROP TABLE IF EXISTS product").await?;
            conn.execute(TABLE).await?;
            if !matches!(how, How::Insert | How::Values(_) | How::JsonTable | How::Each) {
                values(conn, &products(0, rows * repeats(rows)), 256).await?;
            }
            let mut insert = SqlInsert::into("product");
            let mut upsert = SqlUpsert::into("product").key(["id"]);
            let mut update = SqlUpdate::table("product").key(["id"]);
            let mut delete = SqlDelete::from("product").key(["id"]);
            for turn in 0..repeats(rows) {
                let mut chunk = products(turn * rows, rows);
                if matches!(how, How::Update | How::Upsert | How::UpdateEach | How::UpdateJsonTable) {
                    chunk.iter_mut().for_each(|p| p.stock += 1);
                }
                conn.execute("BEGIN").await?;
                let begun = Instant::now();
                let items = Chunk::from(&chunk[..]);
                match how {
                    How::Insert => insert.write(conn, items).await?,
                    How::Upsert => upsert.write(conn, items).await?,
                    How::Update => update.write(conn, items).await?,
                    How::Delete => delete.write(conn, items).await?,
                    How::Values(block) => values(conn, &chunk, *block).await?,
                    How::JsonTable => insert_json(conn, &chunk).await?,
                    How::Each => values(conn, &chunk, 1).await?,
                    How::UpdateEach => update_each(conn, &chunk).await?,
                    How::UpdateJsonTable => update_json(conn, &chunk).await?,
                    How::DeleteEach => delete_each(conn, &chunk).await?,
                }
                way.took(begun.elapsed());
                conn.execute("COMMIT").await?;
            }
        }
    }
    print(what, rows, Counts::Least, &ways);
    Ok(())
}

type Bound = Query<'static, sqlx::MySql, sqlx::mysql::MySqlArguments>;

fn bind(query: Bound, p: &Product) -> Bound {
    let query = query.bind(p.id).bind(p.sku.clone()).bind(p.name.clone()).bind(p.category.clone());
    query.bind(p.price_cents).bind(p.stock).bind(p.updated_at)
}

async fn values(conn: &mut MySqlConnection, chunk: &[Product], block: usize) -> Result<()> {
    for block in chunk.chunks(block) {
        let sql = format!("INSERT INTO product ({COLUMNS}) VALUES {}", vec!["(?,?,?,?,?,?,?)"; block.len()].join(","));
        block.iter().fold(sqlx::query(AssertSqlSafe(sql)), bind).execute(&mut *conn).await?;
    }
    Ok(())
}

/// `[[id, ..], ..]` and its columns' types.
fn json(chunk: &[Product]) -> (String, &'static str) {
    let row = |p: &Product| {
        let at = p.updated_at.format("%Y-%m-%d %H:%M:%S").to_string();
        serde_json::json!([p.id, p.sku, p.name, p.category, p.price_cents, p.stock, at])
    };
    let rows = serde_json::Value::from(chunk.iter().map(row).collect::<Vec<_>>()).to_string();
    let columns = "'$[*]' COLUMNS (c0 BIGINT PATH '$[0]' ERROR ON ERROR, c1 VARCHAR(255) PATH '$[1]' ERROR ON ERROR,
        c2 VARCHAR(255) PATH '$[2]' ERROR ON ERROR, c3 VARCHAR(255) PATH '$[3]' ERROR ON ERROR, c4 BIGINT PATH '$[4]' ERROR ON ERROR,
        c5 INT PATH '$[5]' ERROR ON ERROR, c6 DATETIME(6) PATH '$[6]' ERROR ON ERROR)";
    (rows, columns)
}

async fn insert_json(conn: &mut MySqlConnection, chunk: &[Product]) -> Result<()> {
    let (rows, columns) = json(chunk);
    let sql = format!("INSERT INTO product ({COLUMNS}) SELECT * FROM JSON_TABLE(?, {columns}) AS v");
    sqlx::query(AssertSqlSafe(sql)).bind(rows).execute(conn).await?;
    Ok(())
}

async fn update_json(conn: &mut MySqlConnection, chunk: &[Product]) -> Result<()> {
    let (rows, columns) = json(chunk);
    let sql = format!(
        "UPDATE JSON_TABLE(?, {columns}) AS v STRAIGHT_JOIN product AS p ON p.id = v.c0 SET p.sku = v.c1, p.name = v.c2,
         p.category = v.c3, p.price_cents = v.c4, p.stock = v.c5, p.updated_at = v.c6"
    );
    sqlx::query(AssertSqlSafe(sql)).bind(rows).execute(conn).await?;
    Ok(())
}

async fn update_each(conn: &mut MySqlConnection, chunk: &[Product]) -> Result<()> {
    let sql = "UPDATE product SET id = ?, sku = ?, name = ?, category = ?, price_cents = ?, stock = ?, updated_at = ? WHERE id = ?";
    for p in chunk {
        bind(sqlx::query(sql), p).bind(p.id).execute(&mut *conn).await?;
    }
    Ok(())
}

async fn delete_each(conn: &mut MySqlConnection, chunk: &[Product]) -> Result<()> {
    for p in chunk {
        sqlx::query("DELETE FROM product WHERE id = ?").bind(p.id).execute(&mut *conn).await?;
    }
    Ok(())
}
