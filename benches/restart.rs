//! How long a restart takes until it works: from `job.run` to the first item in the processor, CSV to SQLite.
//!
//! `cargo bench --bench restart [-- ROWS ROUNDS]`. A first try is stopped at 10 % of the file, another at 95 %; then, in turns, each goes
//! on and a fresh instance begins. Every measured run opens its database anew, as a new process would, and stops after one chunk, so
//! the places move on by a thousand rows a round. Prints the medians and their ratio: a restart must not re-read the file.

#[path = "../examples/import_products/generate.rs"]
mod generate;
#[path = "shared/measure.rs"]
mod measure;
#[expect(dead_code, unused_imports, reason = "its tests run with the example")]
#[path = "../examples/import_products/product.rs"]
mod product;
#[path = "shared/products.rs"]
mod products;

use batch_core::{BatchStatus, Job, Parameters, Result};
use batch_csv::CsvReader;
use batch_sql::{SqlInsert, Sqlite};
use measure::{argument, median};
use product::{Row, check};
use std::{
    path::Path,
    sync::{Arc, OnceLock},
    time::Instant,
};

const CHUNK: u64 = 1000;
const TABLE: &str = "CREATE TABLE IF NOT EXISTS product (\
    id INTEGER PRIMARY KEY, sku, name, category, price_cents INTEGER, stock INTEGER, updated_at)";

/// One try of an import that stops after `limit` rows; returns the milliseconds to its first item, and that item's number.
async fn try_once(database: &Path, input: &str, limit: u64) -> Result<(f64, i64)> {
    let database = Sqlite::open(&format!("sqlite://{}", database.display())).await?;
    sqlx::query(TABLE).execute(database.pool()).await?;
    let first = Arc::new(OnceLock::new());
    let noted = first.clone();
    let job = Job::new("import", &database).step("load", move |s| {
        let noted = noted.clone();
        Ok(s.chunk(CHUNK as usize, CsvReader::<Row>::open(s.parameter::<String>("input")?))
            .map(move |row: Row| {
                noted.get_or_init(|| (Instant::now(), row.id));
                check(row)
            })
            .writer(SqlInsert::into("product")))
    });
    let begun = Instant::now();
    let execution = job.launch(Parameters::new().set("input", input)).limit(limit).run().await?;
    assert_eq!(execution.status, BatchStatus::Stopped, "{:?}", execution.exit_status);
    database.close().await;
    let (at, item) = first.get().ok_or("no item was processed")?;
    Ok((at.duration_since(begun).as_secs_f64() * 1e3, *item))
}

#[tokio::main]
async fn main() -> Result<()> {
    let (rows, rounds) = (argument(0, 1_000_000), argument(1, 21));
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let (input, rows) = products::clean(folder.path(), rows)?;
    let [early, late] = ["early.db", "late.db"].map(|name| folder.path().join(name));
    for (database, percent) in [(&early, 10), (&late, 95)] {
        try_once(database, &input, rows * percent / 100 / CHUNK * CHUNK).await?;
    }
    let mut times = [Vec::new(), Vec::new(), Vec::new()];
    for round in 0..rounds {
        let fresh = folder.path().join(format!("fresh-{round}.db"));
        for (database, times) in [&fresh, &early, &late].into_iter().zip(&mut times) {
            let (time, item) = try_once(database, &input, CHUNK).await?;
            assert!((item == 1) == (database == &fresh), "begins where the try before ended, not at {item}");
            times.push(time);
        }
    }
    let [fresh, early, late] = times.map(median);
    println!("{rows} rows, milliseconds to the first item, medians of {rounds} interleaved rounds");
    println!("{:>14} {:>14} {:>14} {:>14}", "fresh start", "after 10 %", "after 95 %", "95 % / 10 %");
    println!("{fresh:>11.2} ms {early:>11.2} ms {late:>11.2} ms {:>14.2}", late / early);
    Ok(())
}
