//! Copies any delimited file record by record, and can be killed at any moment: the output of a restarted copy is the same to the byte.
//!
//! `cargo run --release --example csv_to_csv -- --input in.csv --output out.csv`

#[path = "../shared/mod.rs"]
mod shared;

use batch_core::{DryRun, Error, Job, ParameterRules, Parameters, Transactions, exit_code};
use batch_csv::{CsvReader, CsvWriter};
use batch_sql::Database;
use clap::Parser;
use shared::{flags::Flags, report, watch};
use std::process::ExitCode;

/// Copies a CSV file.
#[derive(Parser, Debug)]
struct Arguments {
    /// The file to copy
    #[arg(long, value_name = "FILE")]
    input: String,

    /// The copy; it appears when it is complete
    #[arg(long, value_name = "FILE")]
    output: String,

    /// Take records that are wider or narrower than the header for bad ones
    #[arg(long)]
    strict: bool,

    #[command(flatten)]
    flags: Flags,
}

fn copy<D: Transactions + Clone>(database: &D) -> Job<D> {
    let rules = ParameterRules::new().require::<String>("input").require::<String>("output").require::<bool>("strict");
    Job::new("csv-to-csv", database)
        .parameters(rules.require::<usize>("chunk").require::<u64>("skip-limit"))
        .listener(watch::progress())
        .step("copy", |s| {
            let strict: bool = s.parameter("strict")?;
            let reader = CsvReader::rows(s.parameter::<String>("input")?).flexible(!strict);
            let writer = CsvWriter::create(s.parameter::<String>("output")?).header(&reader.header()?).flexible(!strict);
            Ok(s.chunk(s.parameter::<usize>("chunk")?, reader)
                .without_transaction()
                .writer(writer)
                .skip(s.parameter::<u64>("skip-limit")?))
        })
}

async fn run(arguments: Arguments) -> Result<ExitCode, Error> {
    let flags = &arguments.flags;
    let url = flags.database("copies.db");
    let database = Database::open(&url).await?;
    let parameters = Parameters::new()
        .set("input", arguments.input.as_str())
        .set("output", arguments.output.as_str())
        .set_other("strict", arguments.strict)
        .set_other("chunk", flags.chunk)
        .set_other("skip-limit", i64::try_from(flags.skip_limit).unwrap_or(i64::MAX));
    if flags.dry_run {
        eprintln!("dry run: nothing is written, progress is kept in memory");
        launch(&DryRun::new(&database), flags, parameters, &url).await
    } else {
        launch(&database, flags, parameters, &url).await
    }
}

async fn launch<D: Transactions + Clone>(
    database: &D,
    flags: &Flags,
    parameters: Parameters,
    url: &str,
) -> Result<ExitCode, Error> {
    let job = copy(database);
    let mut run = job.launch(parameters).stop_on_signals();
    if let Some(limit) = flags.limit {
        run = run.limit(limit);
    }
    let execution = run.run().await?;
    let all = if flags.dry_run { "only without --dry-run".to_owned() } else { format!("table batch_skip in {url}") };
    report::print(&*database.repository().explorer(), &execution, &all).await?;
    Ok(exit_code(Ok(execution)))
}

#[tokio::main]
async fn main() -> ExitCode {
    run(Arguments::parse()).await.unwrap_or_else(|error| exit_code(Err(error)))
}
