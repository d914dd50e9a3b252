//! Finds the chunk size at which products are imported fastest into a database, on that database.
//!
//! `cargo run --release --example tune_import -- --database postgres://user@host/name`

#[path = "../import_products/generate.rs"]
mod generate;
#[path = "../import_products/product.rs"]
mod product;

use batch_core::{Error, ErrorKind, Job, Parameters, Result, Transactions, exit_code};
use batch_csv::CsvReader;
use batch_sql::{Database, SqlConn, SqlInsert};
use batch_tuner::{Setting, Trial, TrialDone, Tuner, Tuning};
use clap::Parser;
use product::{Row, check};
use std::{num::NonZeroU32, process::ExitCode, time::Duration};

/// Imports a part of the products again and again, each time with another chunk size, and recommends one.
#[derive(Parser, Debug)]
struct Arguments {
    /// Where to import: into a scratch table `product_trial`, which is dropped at the end
    #[arg(long, value_name = "URL", default_value = "sqlite://target/tuning.db")]
    database: String,

    /// The file to import. Default: 500,000 generated rows
    #[arg(long, value_name = "FILE")]
    input: Option<String>,

    /// Roll every chunk back instead of committing: commits are then not measured
    #[arg(long)]
    rolled_back: bool,

    /// Chunk sizes to try. Default: 1 to 50,000
    #[arg(long, value_name = "N,N,..", value_delimiter = ',')]
    chunks: Vec<usize>,

    /// Numbers of items processed at once to try as well
    #[arg(long, value_name = "N,N,..", value_delimiter = ',')]
    concurrent: Vec<usize>,

    /// Numbers of chunks processed at once to try as well
    #[arg(long, value_name = "N,N,..", value_delimiter = ',')]
    workers: Vec<usize>,

    /// Numbers of chunks in flight to try as well; not on SQLite, which takes one at a time
    #[arg(long, value_name = "N,N,..", value_delimiter = ',')]
    in_flight: Vec<usize>,

    /// Longest time that a chunk may hold its locks
    #[arg(long, value_name = "MS")]
    max_lock: Option<u64>,

    /// Most memory that the import may need
    #[arg(long, value_name = "MB")]
    max_memory: Option<u64>,

    /// How often each size is tried
    #[arg(long, value_name = "N", default_value = "5")]
    rounds: NonZeroU32,

    /// Length of a trial
    #[arg(long, value_name = "MS", default_value_t = 1000)]
    trial: u64,

    /// Time for all of it
    #[arg(long, value_name = "SECONDS", default_value_t = 180)]
    budget: u64,

    /// Try every size in every round
    #[arg(long)]
    exhaustive: bool,

    /// Repeat the order of an earlier tuning
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// Write what was measured
    #[arg(long, value_name = "FILE")]
    json: Option<String>,

    /// Write a plot
    #[arg(long, value_name = "FILE")]
    svg: Option<String>,
}

/// Types that every database knows.
const TABLE: &str = "CREATE TABLE product_trial (id BIGINT PRIMARY KEY, sku VARCHAR(20) NOT NULL, name VARCHAR(500) NOT NULL, \
    category VARCHAR(100) NOT NULL, price_cents BIGINT NOT NULL, stock BIGINT NOT NULL, updated_at VARCHAR(40) NOT NULL)";
const DROP: &str = "DROP TABLE IF EXISTS product_trial";

/// The import of a trial; `import_products` is the same with fixed sizes.
fn import<D: Transactions<Conn: SqlConn> + Clone>(trial: &Trial<D>) -> Job<D> {
    let setting = trial.setting();
    Job::new("import-products", trial.database()).step("load", move |s| {
        Ok(s.chunk(setting.chunk, CsvReader::<Row>::open(s.parameter::<String>("input")?))
            .filter(|row| row.category != "discontinued")
            .map(check)
            .writer(SqlInsert::into("product_trial"))
            .skip(1_000_000)
            .concurrent(setting.concurrent)
            .workers(setting.workers)
            .in_flight(setting.in_flight))
    })
}

async fn empty_table(database: &Database) -> Result<()> {
    database.execute(DROP).await?;
    database.execute(TABLE).await?;
    Ok(())
}

async fn tune(arguments: &Arguments, database: &Database) -> Result<Tuning, Error> {
    if arguments.rolled_back {
        empty_table(database).await.map_err(|e| Error::new(ErrorKind::Unavailable, "no scratch table can be made").because(e))?;
        configured(arguments, Tuner::rolled_back(database, import))?.run().await
    } else {
        let prepare = async |_: &Trial<Database>| empty_table(database).await;
        configured(arguments, Tuner::committed(database, prepare, import))?.run().await
    }
}

/// The tuner as the flags want it.
fn configured<D, J, P>(arguments: &Arguments, tuner: Tuner<D, J, P>) -> Result<Tuner<D, J, P>, Error>
where
    D: Transactions + Clone,
    J: Fn(&Trial<D>) -> Job<D>,
    P: AsyncFn(&Trial<D>) -> Result<()>,
{
    let input = input(arguments)?;
    let mut tuner = tuner
        .parameters(move |_: Setting| Parameters::new().set("input", input.as_str()))
        .rounds(arguments.rounds)
        .trial_time(Duration::from_millis(arguments.trial))
        .budget(Duration::from_secs(arguments.budget))
        .concurrent(arguments.concurrent.iter().copied())
        .workers(arguments.workers.iter().copied())
        .in_flight(arguments.in_flight.iter().copied())
        .on_trial(told);
    if !arguments.chunks.is_empty() {
        tuner = tuner.chunks(arguments.chunks.iter().copied());
    }
    if let Some(limit) = arguments.max_lock {
        tuner = tuner.max_lock_time(Duration::from_millis(limit));
    }
    if let Some(limit) = arguments.max_memory {
        tuner = tuner.max_memory(limit * 1_000_000);
    }
    if let Some(seed) = arguments.seed {
        tuner = tuner.seed(seed);
    }
    Ok(if arguments.exhaustive { tuner.exhaustive() } else { tuner })
}

fn input(arguments: &Arguments) -> Result<String, Error> {
    match &arguments.input {
        Some(input) => Ok(input.clone()),
        None => generate::once("target/products-500000.csv", 500_000)
            .map_err(|e| Error::new(ErrorKind::Configuration, "the default input cannot be generated").because(e)),
    }
}

/// A line a trial, so that one sees it work.
fn told(done: &TrialDone) {
    let TrialDone { number, setting, items_per_second, chunks, .. } = done;
    let what = if done.retried { ", one of them tried again" } else { "" };
    eprintln!("trial {number}: chunk {}, {items_per_second:.0} items/s, {chunks} chunks{what}", setting.chunk);
}

async fn run(arguments: Arguments) -> Result<ExitCode, Error> {
    let database = Database::open(&arguments.database).await?;
    let tuned = tune(&arguments, &database).await;
    if let Err(error) = database.execute(DROP).await {
        eprintln!("the scratch table product_trial is left: {error}");
    }
    let tuning = tuned?;
    println!("{tuning}");
    if let Some(path) = &arguments.json {
        tuning.write_json(path)?;
    }
    if let Some(path) = &arguments.svg {
        tuning.write_svg(path)?;
    }
    Ok(ExitCode::SUCCESS)
}

#[tokio::main]
async fn main() -> ExitCode {
    run(Arguments::parse()).await.unwrap_or_else(|error| exit_code(Err(error)))
}
