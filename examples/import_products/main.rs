//! Imports a products file into a database, and can be killed at any moment: run again, it goes on after its last committed chunk.
//!
//! `cargo run --release --example import_products -- --help`

mod generate;
mod product;
#[path = "../shared/mod.rs"]
mod shared;

use batch_core::{DryRun, Error, ErrorKind, Job, ParameterRules, Parameters, Transactions, exit_code};
use batch_csv::CsvReader;
use batch_sql::{Database, SqlConn, SqlInsert};
use clap::Parser;
use product::{Row, check};
use shared::{flags::Flags, report, watch};
use std::process::ExitCode;

/// Imports products from a CSV file into the table `product`.
#[derive(Parser, Debug)]
struct Arguments {
    /// The file to import; what tells one import from another. Default: 500,000 generated rows
    #[arg(long, value_name = "FILE")]
    input: Option<String>,

    #[command(flatten)]
    flags: Flags,
}

/// Types that every database knows.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS product (id BIGINT PRIMARY KEY, sku VARCHAR(20) NOT NULL, name VARCHAR(500) NOT NULL, \
    category VARCHAR(100) NOT NULL, price_cents BIGINT NOT NULL, stock BIGINT NOT NULL, updated_at VARCHAR(40) NOT NULL)";

/// The import, on any database that `batch-sql` knows.
fn import<D: Transactions<Conn: SqlConn> + Clone>(database: &D) -> Job<D> {
    Job::new("import-products", database)
        .parameters(ParameterRules::new().require::<String>("input").require::<usize>("chunk").require::<u64>("skip-limit"))
        .listener(watch::progress())
        .step("load", |s| {
            let reader = CsvReader::<Row>::open(s.parameter::<String>("input")?);
            Ok(s.chunk(s.parameter::<usize>("chunk")?, reader)
                .filter(|row| row.category != "discontinued")
                .map(check)
                .writer(SqlInsert::into("product"))
                .skip(s.parameter::<u64>("skip-limit")?))
        })
}

async fn run(arguments: Arguments) -> Result<ExitCode, Error> {
    let flags = &arguments.flags;
    let input = match arguments.input {
        Some(input) => input,
        None => generate::once("target/products-500000.csv", 500_000)
            .map_err(|e| Error::new(ErrorKind::Configuration, "the default input cannot be generated").because(e))?,
    };
    let database = Database::open(&flags.database("products.db")).await?;
    database
        .execute(TABLE)
        .await
        .map_err(|e| Error::new(ErrorKind::Unavailable, "the table `product` cannot be created").because(e))?;
    let parameters = Parameters::new()
        .set("input", input)
        .set_other("chunk", flags.chunk)
        .set_other("skip-limit", i64::try_from(flags.skip_limit).unwrap_or(i64::MAX));
    if flags.dry_run {
        eprintln!("dry run: every chunk is rolled back, progress is kept in memory");
        launch(&DryRun::new(&database), flags, parameters, &database.to_string()).await
    } else {
        launch(&database, flags, parameters, &database.to_string()).await
    }
}

async fn launch<D: Transactions<Conn: SqlConn> + Clone>(
    database: &D,
    flags: &Flags,
    parameters: Parameters,
    place: &str,
) -> Result<ExitCode, Error> {
    let job = import(database);
    let mut run = job.launch(parameters).stop_on_signals();
    if let Some(limit) = flags.limit {
        run = run.limit(limit);
    }
    let execution = run.run().await?;
    let all = if flags.dry_run { "only without --dry-run".to_owned() } else { format!("table batch_skip in {place}") };
    report::print(&*database.repository().explorer(), &execution, &all).await?;
    Ok(exit_code(Ok(execution)))
}

#[tokio::main]
async fn main() -> ExitCode {
    run(Arguments::parse()).await.unwrap_or_else(|error| exit_code(Err(error)))
}
