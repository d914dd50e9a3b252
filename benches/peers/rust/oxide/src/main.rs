//! oxide-batch 0.6: `oxide WORKLOAD CHUNK`.

mod env;
mod jobs;
mod memory;
mod own;
mod product;
mod writer;

use env::{Env, cfg};
use oxide_batch::PostgresMigrator;
use sqlx::{AssertSqlSafe, Connection, PgConnection, raw_sql};
use std::{
    fs,
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicI64, Ordering::Relaxed},
    },
    time::{Instant, SystemTime, UNIX_EPOCH},
};

type R<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;
const CSV: &str = "data/products.csv";
const NUMBERS: u64 = 10_000_000;
/// Where w5 leaves what w5r needs.
const RUN: &str = "out/oxide-w5.run";
static START: OnceLock<Instant> = OnceLock::new();
static FIRST: Mutex<Option<f64>> = Mutex::new(None);
static FAIL_AT: AtomicI64 = AtomicI64::new(i64::MAX);

/// Without parameters, which its configuration does not take.
fn url() -> String {
    let url = std::env::var("BENCH_URL").unwrap_or_else(|_| "postgres://postgres@127.0.0.1:54329/bench".into());
    url.split('?').next().unwrap_or_default().into()
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> R<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(workload), Some(chunk)) = (arguments.next(), arguments.next()) else { return Err("oxide WORKLOAD CHUNK".into()) };
    set_up(&workload).await?;
    let run = run(&workload)?;
    let begun = *START.get_or_init(Instant::now);
    let (ok, rows) = jobs::job(&Env::open(&workload, chunk.parse()?, run).await?).await?;
    let seconds = begun.elapsed().as_secs_f64();
    if workload.starts_with("w4") {
        assert_eq!(product::SUM.load(Relaxed), NUMBERS * (NUMBERS + 1) / 2);
    }
    let first = FIRST.lock().unwrap().filter(|_| workload == "w5r");
    let first = first.map_or(String::new(), |first| format!(r#","first_item_s":{first:.4}"#));
    let status = if ok { "" } else { r#","status":"FAILED""# };
    println!(
        r#"{{"who":"oxide-batch","workload":"{workload}","chunk":{chunk},"rows":{rows},"run_s":{seconds:.4}{first}{status}}}"#
    );
    if !ok {
        std::process::exit(1)
    }
    Ok(())
}

/// Outside what is timed: an empty table and the repository's own. Of w6 the whole process is measured, so any other workload has to
/// have run before.
async fn set_up(workload: &str) -> R<()> {
    if workload == "w4m" || workload == "w6" {
        return Ok(());
    }
    if !["w2", "w4", "w5r"].contains(&workload) {
        let mut conn = PgConnection::connect(&format!("{}?sslmode=disable", url())).await?;
        raw_sql(AssertSqlSafe(include_str!("../../../schema.sql"))).execute(&mut conn).await?;
        conn.close().await?;
    }
    Ok(PostgresMigrator::migrate(&cfg()?).await.map(drop)?)
}

/// What tells this run from others; w5r goes on with that of the last w5.
fn run(workload: &str) -> R<String> {
    if workload == "w5r" {
        return Ok(fs::read_to_string(RUN)?);
    }
    let run = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos().to_string();
    if workload == "w5" {
        fs::write(RUN, &run)?;
        FAIL_AT.store(std::env::var("FAIL_AT").map_or(Ok(900_001), |row| row.parse())?, Relaxed);
    }
    Ok(run)
}
