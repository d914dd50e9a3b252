//! What a competent engineer writes in an afternoon without a framework: `handloop WORKLOAD CHUNK`.

mod copy;
mod import;
mod product;
mod sum;

use sqlx::{AssertSqlSafe, Connection, PgConnection, raw_sql};
use std::time::Instant;

type R<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;
const CSV: &str = "data/products.csv";
const CHECKPOINT: &str = "CREATE TABLE IF NOT EXISTS hand_ck(job text primary key, pos bigint not null, done boolean not null)";

fn url() -> String {
    std::env::var("BENCH_URL").unwrap_or_else(|_| "postgres://postgres@127.0.0.1:54329/bench?sslmode=disable".into())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> R<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(workload), Some(chunk)) = (arguments.next(), arguments.next()) else { return Err("handloop WORKLOAD CHUNK".into()) };
    if workload != "w6" {
        set_up(&workload).await?;
    }
    let begun = Instant::now();
    let mut first = None;
    let done = run(&workload, chunk.parse()?, || _ = first.get_or_insert_with(|| begun.elapsed().as_secs_f64())).await;
    let seconds = begun.elapsed().as_secs_f64();
    let head = format!(r#"{{"who":"handloop","workload":"{workload}""#);
    match done {
        Ok(None) => println!(r#"{head},"unsupported":"not written by hand"}}"#),
        Ok(Some(rows)) => {
            let first = first.filter(|_| workload == "w5r").map_or(String::new(), |first| format!(r#","first_item_s":{first:.4}"#));
            println!(r#"{head},"chunk":{chunk},"rows":{rows},"run_s":{seconds:.4}{first}}}"#);
        }
        Err(error) => {
            eprintln!("FAILED: {error}");
            println!(r#"{head},"chunk":{chunk},"status":"FAILED","run_s":{seconds:.4}}}"#);
            std::process::exit(1)
        }
    }
    Ok(())
}

/// Outside what is timed: an empty table, and no checkpoint but where one is to be gone on from.
async fn set_up(workload: &str) -> R<()> {
    let mut conn = PgConnection::connect(&url()).await?;
    if workload == "w1" || workload == "w5" {
        raw_sql(AssertSqlSafe(include_str!("../../../schema.sql"))).execute(&mut conn).await?;
    }
    raw_sql(CHECKPOINT).execute(&mut conn).await?;
    if workload != "w5r" {
        raw_sql("TRUNCATE hand_ck").execute(&mut conn).await?;
    }
    Ok(conn.close().await?)
}

/// Rows, where the workload is known; `first` is called before each chunk is written.
async fn run(workload: &str, chunk: usize, first: impl FnMut()) -> R<Option<u64>> {
    let mut conn = PgConnection::connect(&url()).await?;
    let conn = &mut conn;
    Ok(Some(match workload {
        "w1" | "w5r" => import::run(conn, chunk, None, first).await?,
        "w5" => import::run(conn, chunk, Some(fail_at()?), first).await?,
        "w2" => copy::run(conn, chunk).await?,
        "w4" => sum::run(conn, chunk, true).await?,
        "w4m" => sum::run(conn, chunk, false).await?,
        "w6" => {
            checkpoint(conn, "w6", 0, true).await?;
            0
        }
        _ => return Ok(None),
    }))
}

/// The row at which w5 fails.
fn fail_at() -> R<u64> {
    Ok(std::env::var("FAIL_AT").map_or(Ok(900_001), |row| row.parse())?)
}

async fn checkpoint(conn: &mut PgConnection, job: &str, pos: i64, done: bool) -> R<()> {
    sqlx::query("INSERT INTO hand_ck(job,pos,done) VALUES($1,$2,$3) ON CONFLICT(job) DO UPDATE SET pos=$2, done=$3")
        .bind(job)
        .bind(pos)
        .bind(done)
        .execute(conn)
        .await?;
    Ok(())
}
