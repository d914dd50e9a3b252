//! The peers' workloads as jobs of this framework: `ours WORKLOAD CHUNK` prints one line of JSON, as the peers do.
//!
//! Reads `data/products.csv` in the current directory, and takes the database from `BENCH_URL`.

mod copying;
mod importing;
mod numbers;
mod parameters;
mod product;
mod reading;
mod table;

use batch_core::{BatchStatus, Job, JobExecution, Parameters, Result};
use batch_sql::Postgres;
use parameters::fresh;
use std::{env, process::ExitCode, time::Instant};

const URL: &str = "postgres://postgres@127.0.0.1:54329/bench?sslmode=disable";
const INPUT: &str = "data/products.csv";

/// What was asked for on the command line.
struct Call {
    workload: String,
    chunk: usize,
    url: String,
}

/// What is printed of a run.
struct Measured {
    execution: JobExecution,
    seconds: f64,
    /// Until the first item was in the processor.
    first_item: Option<f64>,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let mut arguments = env::args().skip(1);
    let (Some(workload), Some(chunk)) = (arguments.next(), arguments.next()) else {
        return Err("usage: ours WORKLOAD CHUNK".into());
    };
    let url = env::var("BENCH_URL").unwrap_or_else(|_| URL.to_owned());
    let call = Call { workload, chunk: chunk.parse()?, url };
    // On a worker, where the step is too: launching also waits for the database.
    let (call, measured) = tokio::spawn(async move {
        let measured = measured(&call).await;
        (call, measured)
    })
    .await?;
    Ok(print(&call, &measured?))
}

async fn measured(call: &Call) -> Result<Measured> {
    Ok(match call.workload.as_str() {
        "w1" | "w1flight" | "w1flight3" | "w1flightstep" | "w1step" => importing::run(call).await?,
        "w1rec" | "w1flightrec" | "w1flight3rec" | "w1flightsteprec" => importing::run(call).await?,
        "w5" | "w5r" | "w7" | "w7clean" | "w8" | "w8clean" => importing::run(call).await?,
        "w2" | "w2rec" => copying::run(call).await?,
        "w3" => table::run(call).await?,
        "w4" | "w4step" | "w4m" | "w6" => numbers::run(call).await?,
        other => return Err(format!("there is no workload {other}").into()),
    })
}

fn print(call: &Call, measured: &Measured) -> ExitCode {
    let completed = measured.execution.status == BatchStatus::Completed;
    let written: u64 = measured.execution.steps.iter().map(|step| step.counts.written).sum();
    let first = measured.first_item.map(|s| format!(",\"first_item_s\":{s:.4}")).unwrap_or_default();
    let status = if completed { "" } else { ",\"status\":\"FAILED\"" };
    println!(
        "{{\"who\":\"ours\",\"workload\":\"{}\",\"chunk\":{},\"rows\":{written},\"run_s\":{:.4}{first}{status}}}",
        call.workload, call.chunk, measured.seconds
    );
    if completed {
        return ExitCode::SUCCESS;
    }
    eprintln!("{:?}", measured.execution.exit_status);
    ExitCode::FAILURE
}

/// Opens the database, runs the job and closes: all that a program does, and what the peers time.
async fn timed(call: &Call, parameters: Parameters, job: impl FnOnce(&Postgres) -> Job<Postgres>) -> Result<Measured> {
    let begun = Instant::now();
    let database = Postgres::open(&call.url).await?;
    let execution = job(&database).run(parameters).await?;
    Ok(Measured { execution, seconds: begun.elapsed().as_secs_f64(), first_item: None })
}
