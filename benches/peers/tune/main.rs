//! Whether the tuner is right about w1: its recommendation from samples, beside whole imports with every size.
//!
//! `cargo run --profile peers --example tune_w1 -- --help`, in the folder that `setup.sh` filled.

#[path = "../workloads/parameters.rs"]
mod parameters;
#[path = "../workloads/product.rs"]
mod product;
mod whole;

use batch_core::{Job, Result, Transactions};
use batch_csv::CsvReader;
use batch_sql::{Postgres, SqlConn, SqlInsert};
use batch_tuner::{Setting, Trial, Tuner, Tuning};
use clap::Parser;
use product::{Product, TABLE};
use std::{num::NonZeroU32, path::PathBuf, time::Duration};

#[derive(Parser)]
#[command(about = "Tunes w1, and checks the recommendation against whole imports")]
struct Options {
    /// Whole imports of each size
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Sizes of the whole imports, beside the recommended one
    #[arg(long, value_delimiter = ',', default_values_t = [50, 100, 500, 1000, 5000, 10_000, 50_000])]
    sizes: Vec<usize>,
    /// Samples of each size
    #[arg(long, default_value = "5")]
    samples: NonZeroU32,
    /// Where the tuner's plot is written
    #[arg(long, default_value = "out/tuning.svg")]
    svg: PathBuf,
    /// The database
    #[arg(long, env = "BENCH_URL", default_value = "postgres://postgres@127.0.0.1:54329/bench?sslmode=disable")]
    url: String,
}

/// The import with chunks of `size`.
fn import<D: Transactions<Conn: SqlConn> + Clone>(database: &D, size: usize) -> Job<D> {
    Job::new("bench-tune", database).step("load", move |s| {
        Ok(s.chunk(size, CsvReader::<Product>::open("data/products.csv"))
            .map(|product| Ok(product.upper()))
            .writer(SqlInsert::into("product")))
    })
}

async fn empty(database: &Postgres) -> Result<()> {
    sqlx::raw_sql(TABLE).execute(database.pool()).await?;
    Ok(())
}

async fn tune(database: &Postgres, samples: NonZeroU32) -> Result<Tuning> {
    let prepare = async |_: &Trial<Postgres>| empty(database).await;
    let tuner = Tuner::committed(database, prepare, |trial: &Trial<Postgres>| import(trial.database(), trial.chunk()));
    let fresh = parameters::fresh()?;
    let parameters = move |setting: Setting| fresh.clone().set("chunk", setting.chunk as i64);
    Ok(tuner.parameters(parameters).rounds(samples).budget(Duration::from_secs(300)).run().await?)
}

#[tokio::main]
async fn main() -> Result<()> {
    let options = Options::parse();
    let database = Postgres::open(&options.url).await?;
    let tuning = tune(&database, options.samples).await?;
    println!("{tuning}");
    tuning.write_svg(&options.svg)?;
    let recommended = tuning.recommended.chunk;
    let times = whole::measure(&database, whole::sizes(options.sizes, recommended), options.rounds).await?;
    println!("{}", whole::markdown(&times, recommended));
    Ok(())
}
