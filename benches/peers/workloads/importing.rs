//! w1 and its kin: CSV to PostgreSQL.

use crate::{Call, INPUT, Measured, fresh, product::Product, reading::First, table::empty, timed};
use batch_core::{Chunk, Durability, Job, Parameters, Result, Retry, Writer};
use batch_csv::{Column, CsvReader, RecordRow};
use batch_sql::{Postgres, SqlInsert};
use serde_json::Value;
use sqlx::PgConnection;
use std::{
    collections::HashSet,
    env, fs,
    sync::{Arc, Mutex, OnceLock},
    time::Instant,
};

static NAME: Column = Column::new("name");

/// The rows of w7 and w8.
const FEW: u64 = 100_000;
/// Keeps which run w5r goes on with.
const RUN: &str = "out/ours-w5.run";

pub async fn run(call: &Call) -> Result<Measured> {
    if call.workload != "w5r" {
        empty(&call.url).await?;
    }
    match call.workload.as_str() {
        "w5" | "w5r" => resumed(call).await,
        "w7" | "w7clean" => skipping(call).await,
        "w8" | "w8clean" => retrying(call).await,
        _ => whole(call).await,
    }
}

async fn whole(call: &Call) -> Result<Measured> {
    let chunk = call.chunk;
    let workload = call.workload.trim_end_matches("rec");
    let durability = if workload.ends_with("step") { Durability::Step } else { Durability::Chunk };
    let in_flight = match workload {
        "w1flight3" => 3,
        "w1flight" | "w1flightstep" => 2,
        _ => 1,
    };
    timed(call, fresh()?, |database| {
        let job = Job::new("bench-w1", database);
        if call.workload.ends_with("rec") {
            return job.step("load", move |s| {
                // The table's types are checked where rows are encoded.
                let upper = |mut row: RecordRow| {
                    row.rewrite(&NAME, |name, new| new.push_uppercase(name))?;
                    Ok(row)
                };
                let rows = s.chunk(chunk, CsvReader::rows(INPUT)).map(upper);
                Ok(rows.writer(SqlInsert::into("product")).durability(durability).in_flight(in_flight))
            });
        }
        job.step("load", move |s| {
            Ok(s.chunk(chunk, CsvReader::<Product>::open(INPUT))
                .map(|product| Ok(product.upper()))
                .writer(SqlInsert::into("product"))
                .durability(durability)
                .in_flight(in_flight))
        })
    })
    .await
}

/// Every 1,000th row breaks the CHECK on its price.
async fn skipping(call: &Call) -> Result<Measured> {
    let (chunk, bad) = (call.chunk, call.workload == "w7");
    timed(call, fresh()?, |database| {
        Job::new("bench-w7", database).step("load", move |s| {
            let reader = First { reader: CsvReader::<Product>::open(INPUT), left: FEW };
            Ok(s.chunk(chunk, reader)
                .map(move |mut product| {
                    if bad && product.id % 1000 == 0 {
                        product.price = -product.price;
                    }
                    Ok(product.upper())
                })
                .writer(SqlInsert::into("product"))
                .skip(1_000_000))
        })
    })
    .await
}

/// Every 1,000th item fails once in the processor.
async fn retrying(call: &Call) -> Result<Measured> {
    let (chunk, failing) = (call.chunk, call.workload == "w8");
    timed(call, fresh()?, |database| {
        Job::new("bench-w8", database).step("load", move |s| {
            let failed = Mutex::new(HashSet::new());
            let reader = First { reader: CsvReader::<Product>::open(INPUT), left: FEW };
            Ok(s.chunk(chunk, reader)
                .map(move |product: Product| {
                    if failing && product.id % 1000 == 0 && failed.lock().is_ok_and(|mut failed| failed.insert(product.id)) {
                        return Err("once".into());
                    }
                    Ok(product.upper())
                })
                .writer(SqlInsert::into("product"))
                .retry(Retry::times(3).on(|_| true)))
        })
    })
    .await
}

/// Fails in the writer, and goes on behind the last committed chunk.
async fn resumed(call: &Call) -> Result<Measured> {
    let (chunk, first) = (call.chunk, Arc::new(OnceLock::new()));
    let (parameters, fail_at) = if call.workload == "w5" {
        let parameters = fresh()?;
        fs::write(RUN, parameters.get::<i64>("run")?.to_string())?;
        (parameters, env::var("FAIL_AT").map_or(Ok(900_001), |row| row.parse())?)
    } else {
        (Parameters::new().set("run", fs::read_to_string(RUN)?.parse::<i64>()?), i64::MAX)
    };
    let seen = first.clone();
    let begun = Instant::now();
    let measured = timed(call, parameters, |database: &Postgres| {
        Job::new("bench-w5", database).step("load", move |s| {
            let seen = seen.clone();
            Ok(s.chunk(chunk, CsvReader::<Product>::open(INPUT))
                .map(move |product| {
                    seen.get_or_init(|| begun.elapsed().as_secs_f64());
                    Ok(product.upper())
                })
                .writer(Failing { inner: SqlInsert::into("product"), at: fail_at }))
        })
    })
    .await?;
    Ok(Measured { first_item: first.get().copied(), ..measured })
}

/// Fails hard when it meets the row `at`.
struct Failing {
    inner: SqlInsert<Product>,
    at: i64,
}

impl Writer<Product, PgConnection> for Failing {
    async fn open(&mut self, saved: Option<Value>) -> Result<()> {
        Writer::<_, PgConnection>::open(&mut self.inner, saved).await
    }

    async fn write(&mut self, conn: &mut PgConnection, items: Chunk<'_, Product>) -> Result<()> {
        if items.iter().any(|product| product.id == self.at) {
            return Err(format!("the writer failed at row {}", self.at).into());
        }
        self.inner.write(conn, items).await
    }
}
