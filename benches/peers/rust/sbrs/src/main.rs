//! spring-batch-rs 0.3 with its own readers and writers: `sbrs WORKLOAD CHUNK`.

mod items;

use items::{Binder, Plus1, Product, Raise, Range, Sum, Upper};
use spring_batch_rs::{
    core::{
        item::{ItemProcessor, ItemReader, ItemWriter},
        job::{Job, JobBuilder},
        step::StepBuilder,
    },
    item::{
        csv::{csv_reader::CsvItemReaderBuilder, csv_writer::CsvItemWriterBuilder},
        rdbc::{RdbcItemReaderBuilder, RdbcItemWriterBuilder},
    },
};
use sqlx::PgPool;
use std::{cell::Cell, time::Instant};

type R<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;
const CSV: &str = "data/products.csv";
const NUMBERS: u64 = 10_000_000;
const COLUMNS: [&str; 7] = ["id", "sku", "name", "category", "price", "stock", "updated_at"];

fn url() -> String {
    std::env::var("BENCH_URL").unwrap_or_else(|_| "postgres://postgres@127.0.0.1:54329/bench?sslmode=disable".into())
}

#[tokio::main]
async fn main() -> R<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(workload), Some(chunk)) = (arguments.next(), arguments.next()) else { return Err("sbrs WORKLOAD CHUNK".into()) };
    let head = format!(r#"{{"who":"spring-batch-rs","workload":"{workload}""#);
    let chunk = chunk.parse().map_err(|_| "chunk size is u16");
    let (Some(chunk), None) = (chunk.ok(), unsupported(&workload)) else {
        println!(r#"{head},"unsupported":"{}"}}"#, chunk.err().or(unsupported(&workload)).unwrap_or_default());
        return Ok(());
    };
    let with_table = workload == "w1" || workload == "w3";
    if with_table {
        let pool = PgPool::connect(&url()).await?;
        sqlx::raw_sql(include_str!("../../../schema.sql")).execute(&pool).await?;
        pool.close().await;
    }
    let begun = Instant::now();
    let pool = if with_table { Some(PgPool::connect(&url()).await?) } else { None };
    let (ok, claimed) = match (workload.as_str(), &pool) {
        ("w1", Some(pool)) => import(pool, chunk),
        ("w2", _) => copy(chunk),
        ("w3", Some(pool)) => raise(pool, chunk),
        _ => sum(chunk, if workload == "w6" { 0 } else { NUMBERS }),
    };
    let seconds = begun.elapsed().as_secs_f64();
    // What the table really holds; the framework's own count is printed beside it.
    let rows = match &pool {
        Some(pool) => sqlx::query_scalar::<_, i64>("SELECT count(*) FROM product").fetch_one(pool).await? as u64,
        None => claimed,
    };
    println!(r#"{head},"chunk":{chunk},"rows":{rows},"claimed":{claimed},"completed":{ok},"run_s":{seconds:.4}}}"#);
    if !ok {
        std::process::exit(1)
    }
    Ok(())
}

fn unsupported(workload: &str) -> Option<&'static str> {
    match workload {
        "w5" | "w5r" => Some("no job repository and no restart"),
        "w7" => Some("write skip drops the whole chunk, no scan for the bad row"),
        "w8" => Some("no retry"),
        "w1" | "w2" | "w3" | "w4" | "w4m" | "w6" => None,
        _ => Some("unknown workload"),
    }
}

fn import(pool: &PgPool, chunk: u16) -> (bool, u64) {
    let reader = CsvItemReaderBuilder::<Product>::new().has_headers(true).from_path(CSV);
    run(chunk, &reader, &Upper, &table(pool).postgres_binder(&Binder).build_postgres())
}

fn copy(chunk: u16) -> (bool, u64) {
    let reader = CsvItemReaderBuilder::<Product>::new().has_headers(true).from_path(CSV);
    let writer = CsvItemWriterBuilder::<Product>::new().has_headers(true).from_path("out/spring-batch-rs-w2.csv");
    run(chunk, &reader, &Upper, &writer)
}

fn raise(pool: &PgPool, chunk: u16) -> (bool, u64) {
    let reader = RdbcItemReaderBuilder::<Product>::new()
        .postgres(pool.clone())
        .query("SELECT id,sku,name,category,price,stock,updated_at FROM product_src")
        .with_page_size(i32::from(chunk))
        .with_keyset("id", |p: &Product| p.id.to_string())
        .build_postgres();
    run(chunk, &reader, &Raise, &table(pool).postgres_binder(&Binder).build_postgres())
}

fn sum(chunk: u16, numbers: u64) -> (bool, u64) {
    let (reader, writer) = (Range(Cell::new(0), numbers), Sum(Cell::new(0)));
    let done = run(chunk, &reader, &Plus1, &writer);
    assert_eq!(writer.0.get(), numbers * (numbers + 1) / 2);
    done
}

fn table(pool: &PgPool) -> RdbcItemWriterBuilder<'_, Product> {
    COLUMNS.into_iter().fold(RdbcItemWriterBuilder::new().postgres(pool).table("product"), |table, column| table.add_column(column))
}

/// Whether it completed, and how many items it says to have written.
fn run<I, O>(
    chunk: u16,
    reader: &impl ItemReader<I>,
    processor: &impl ItemProcessor<I, O>,
    writer: &impl ItemWriter<O>,
) -> (bool, u64) {
    let step = StepBuilder::new("load").chunk::<I, O>(chunk).reader(reader).processor(processor).writer(writer).build();
    let job = JobBuilder::new().start(&step).build();
    let ok = job.run().is_ok();
    (ok, job.get_step_execution("load").map_or(0, |step| step.write_count as u64))
}
