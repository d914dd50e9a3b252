//! PostgreSQL.

use crate::{
    Counts, LENGTHS, Way, print,
    product::{Product, products},
    repeats,
};
use batch_core::{Chunk, Result, Writer};
use batch_sql::{SqlInsert, SqlUpdate, SqlUpsert};
use batch_testkit::{Options, Server};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use std::time::Instant;

const TABLE: &str =
    "DROP TABLE IF EXISTS product; CREATE TABLE product (id BIGINT PRIMARY KEY, sku TEXT NOT NULL, name TEXT NOT NULL,
    category TEXT NOT NULL, price_cents BIGINT NOT NULL, stock INT NOT NULL, updated_at TIMESTAMPTZ NOT NULL)";
const COLUMNS: &str = "id, sku, name, category, price_cents, stock, updated_at";
const SET: &str = "sku = excluded.sku, name = excluded.name, category = excluded.category, price_cents = excluded.price_cents,
    stock = excluded.stock, updated_at = excluded.updated_at";

#[derive(Clone, Copy)]
enum How {
    Insert,
    Upsert,
    Update,
    CopyBinary,
    CopyOneByOne,
    CopyText,
    Unnest,
    Values,
    UpsertTemporary,
    UpdateEach,
}

pub(crate) async fn compare(rounds: usize) -> Result<()> {
    let server = Server::start(Options::postgres().without_fsync().with_tcp());
    let database = server.database().await;
    let mut socket = PgConnection::connect(&database.url()).await?;
    let inserts = [
        ("SqlInsert", How::Insert),
        ("COPY BINARY", How::CopyBinary),
        ("COPY BINARY one by one", How::CopyOneByOne),
        ("COPY TEXT", How::CopyText),
        ("UNNEST", How::Unnest),
        ("VALUES", How::Values),
    ];
    let upserts = [("SqlUpsert", How::Upsert), ("COPY to a temporary table", How::UpsertTemporary)];
    let updates = [("SqlUpdate", How::Update), ("each", How::UpdateEach)];
    for rows in LENGTHS {
        run(&mut socket, "PostgreSQL insert", rows, rounds, &inserts).await?;
        run(&mut socket, "PostgreSQL upsert", rows, rounds, &upserts).await?;
        run(&mut socket, "PostgreSQL update", rows, rounds, &updates).await?;
    }
    let mut tcp = PgConnection::connect(&database.tcp_url(server.port().unwrap_or_default())).await?;
    for rows in LENGTHS {
        let ways = measure(&mut tcp, rows, 1, &inserts).await?;
        print("PostgreSQL insert over TCP", rows, Counts::Mean, &ways);
    }
    Ok(())
}

async fn run(conn: &mut PgConnection, what: &str, rows: usize, rounds: usize, hows: &[(&'static str, How)]) -> Result<()> {
    let ways = measure(conn, rows, rounds, hows).await?;
    print(what, rows, Counts::Least, &ways);
    Ok(())
}

async fn measure(conn: &mut PgConnection, rows: usize, rounds: usize, hows: &[(&'static str, How)]) -> Result<Vec<Way>> {
    let mut ways: Vec<_> = hows.iter().map(|(name, _)| Way::new(name)).collect();
    for _ in 0..rounds {
        for (way, (_, how)) in ways.iter_mut().zip(hows) {
            conn.execute(TABLE).await?;
            let fill = matches!(how, How::Upsert | How::UpsertTemporary | How::Update | How::UpdateEach);
            if fill {
                send(conn, &copy("product"), &binary(&products(0, rows * repeats(rows)))).await?;
            }
            let mut writers =
                (SqlInsert::into("product"), SqlUpsert::into("product").key(["id"]), SqlUpdate::table("product").key(["id"]));
            for turn in 0..repeats(rows) {
                let chunk = products(turn * rows, rows);
                conn.execute("BEGIN").await?;
                let begun = Instant::now();
                let items = Chunk::from(&chunk[..]);
                match how {
                    How::Insert => writers.0.write(conn, items).await?,
                    How::Upsert => writers.1.write(conn, items).await?,
                    How::Update => writers.2.write(conn, items).await?,
                    How::CopyBinary => send(conn, &copy("product"), &binary(&chunk)).await?,
                    How::CopyOneByOne => {
                        let sql = copy("product") + " WHERE pg_is_in_recovery() IS NOT NULL";
                        send(conn, &sql, &binary(&chunk)).await?;
                    }
                    How::CopyText => text(conn, &chunk).await?,
                    How::Unnest => unnest(conn, &chunk).await?,
                    How::Values => values(conn, &chunk).await?,
                    How::UpsertTemporary => temporary(conn, &chunk).await?,
                    How::UpdateEach => each(conn, &chunk).await?,
                }
                way.took(begun.elapsed());
                conn.execute("COMMIT").await?;
            }
        }
    }
    Ok(ways)
}

fn copy(table: &str) -> String {
    format!("COPY {table} ({COLUMNS}) FROM STDIN (FORMAT BINARY)")
}

fn binary(chunk: &[Product]) -> Vec<u8> {
    fn field(out: &mut Vec<u8>, bytes: &[u8]) {
        out.extend_from_slice(&i32::try_from(bytes.len()).unwrap().to_be_bytes());
        out.extend_from_slice(bytes);
    }
    let mut out = Vec::with_capacity(chunk.len() * 160);
    out.extend_from_slice(b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0");
    for p in chunk {
        out.extend_from_slice(&7i16.to_be_bytes());
        field(&mut out, &p.id.to_be_bytes());
        field(&mut out, p.sku.as_bytes());
        field(&mut out, p.name.as_bytes());
        field(&mut out, p.category.as_bytes());
        field(&mut out, &p.price_cents.to_be_bytes());
        field(&mut out, &p.stock.to_be_bytes());
        field(&mut out, &(p.updated_at.timestamp_micros() - 946_684_800_000_000).to_be_bytes());
    }
    out.extend_from_slice(&(-1i16).to_be_bytes());
    out
}

async fn text(conn: &mut PgConnection, chunk: &[Product]) -> Result<()> {
    let row = |p: &Product| {
        let at = p.updated_at.to_rfc3339();
        format!("{}\t{}\t{}\t{}\t{}\t{}\t{at}\n", p.id, p.sku, p.name, p.category, p.price_cents, p.stock)
    };
    let rows: String = chunk.iter().map(row).collect();
    send(conn, &format!("COPY product ({COLUMNS}) FROM STDIN"), rows.as_bytes()).await
}

async fn send(conn: &mut PgConnection, sql: &str, bytes: &[u8]) -> Result<()> {
    let mut copy = conn.copy_in_raw(sql).await?;
    for piece in bytes.chunks(64 * 1024) {
        copy.send(piece).await?;
    }
    copy.finish().await?;
    Ok(())
}

async fn unnest(conn: &mut PgConnection, chunk: &[Product]) -> Result<()> {
    let sql = format!(
        "INSERT INTO product ({COLUMNS})
         SELECT * FROM unnest($1::int8[], $2::text[], $3::text[], $4::text[], $5::int8[], $6::int4[], $7::timestamptz[])"
    );
    let query = sqlx::query(AssertSqlSafe(sql))
        .bind(chunk.iter().map(|p| p.id).collect::<Vec<_>>())
        .bind(chunk.iter().map(|p| p.sku.clone()).collect::<Vec<_>>())
        .bind(chunk.iter().map(|p| p.name.clone()).collect::<Vec<_>>())
        .bind(chunk.iter().map(|p| p.category.clone()).collect::<Vec<_>>())
        .bind(chunk.iter().map(|p| p.price_cents).collect::<Vec<_>>())
        .bind(chunk.iter().map(|p| p.stock).collect::<Vec<_>>())
        .bind(chunk.iter().map(|p| p.updated_at).collect::<Vec<_>>());
    query.execute(conn).await?;
    Ok(())
}

async fn values(conn: &mut PgConnection, chunk: &[Product]) -> Result<()> {
    for block in chunk.chunks(1_000) {
        let row = |at: usize| format!("({})", (at * 7 + 1..at * 7 + 8).map(|n| format!("${n}")).collect::<Vec<_>>().join(","));
        let rows: Vec<_> = (0..block.len()).map(row).collect();
        let mut query = sqlx::query(AssertSqlSafe(format!("INSERT INTO product ({COLUMNS}) VALUES {}", rows.join(","))));
        for p in block {
            query = query.bind(p.id).bind(&p.sku).bind(&p.name).bind(&p.category);
            query = query.bind(p.price_cents).bind(p.stock).bind(p.updated_at);
        }
        query.execute(&mut *conn).await?;
    }
    Ok(())
}

async fn temporary(conn: &mut PgConnection, chunk: &[Product]) -> Result<()> {
    conn.execute("CREATE TEMPORARY TABLE IF NOT EXISTS batch_rows (LIKE product) ON COMMIT DELETE ROWS").await?;
    send(conn, &copy("batch_rows"), &binary(chunk)).await?;
    let sql = format!("INSERT INTO product SELECT * FROM batch_rows ON CONFLICT (id) DO UPDATE SET {SET}");
    sqlx::query(AssertSqlSafe(sql)).execute(conn).await?;
    Ok(())
}

async fn each(conn: &mut PgConnection, chunk: &[Product]) -> Result<()> {
    for p in chunk {
        let sql =
            "UPDATE product SET sku = $2, name = $3, category = $4, price_cents = $5, stock = $6, updated_at = $7 WHERE id = $1";
        let query = sqlx::query(sql).bind(p.id).bind(&p.sku).bind(&p.name).bind(&p.category);
        query.bind(p.price_cents).bind(p.stock).bind(p.updated_at).execute(&mut *conn).await?;
    }
    Ok(())
}
