//! What reading and writing a value takes, with criterion's statistics: times, and the fields of a CSV record.
//!
//! `cargo bench --bench codecs`. Each group has what users would write without us beside what we offer for it.

use batch_core::{
    Reader,
    item::{from_iso, iso},
};
use batch_csv::{CsvReader, RecordRow};
use chrono::{DateTime, Utc};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde::{Deserialize, Serialize};
use std::{fs, hint::black_box, path::Path};
use tokio::runtime::Runtime;

const ROWS: u64 = 10_000;

#[derive(Serialize, Deserialize)]
struct Plain(DateTime<Utc>);

#[derive(Serialize, Deserialize)]
struct Iso(#[serde(serialize_with = "iso", deserialize_with = "from_iso")] DateTime<Utc>);

#[derive(Deserialize)]
struct Product {
    id: u64,
    name: String,
    price: f64,
}

fn times(criterion: &mut Criterion) {
    for (what, nanoseconds) in [("seconds", 0), ("milliseconds", 789_000_000)] {
        let time: DateTime<Utc> = DateTime::from_timestamp(1_772_368_496, nanoseconds).unwrap_or_default();
        let text = serde_json::to_string(&time).unwrap_or_default();
        let mut read = criterion.benchmark_group(format!("time from text, {what}"));
        read.bench_function("chrono", |b| b.iter(|| serde_json::from_str::<Plain>(black_box(&text)).map(|t| t.0)));
        read.bench_function("from_iso", |b| b.iter(|| serde_json::from_str::<Iso>(black_box(&text)).map(|t| t.0)));
        read.finish();
        let mut write = criterion.benchmark_group(format!("time to text, {what}"));
        write.bench_function("chrono", |b| b.iter(|| serde_json::to_string(&Plain(black_box(time)))));
        write.bench_function("iso", |b| b.iter(|| serde_json::to_string(&Iso(black_box(time)))));
        write.finish();
    }
}

fn records(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("products.csv");
    let rows: String = (0..ROWS).map(|n| format!("{n},\"Product, number {n}\",{}.50\n", n % 1000)).collect();
    fs::write(&path, format!("id,name,price\n{rows}")).expect("room for the input");
    let runtime = Runtime::new().expect("a runtime");
    let mut group = criterion.benchmark_group("CSV records");
    group.throughput(Throughput::Elements(ROWS));
    group.bench_function("structs", |b| b.iter(|| runtime.block_on(structs(&path))));
    group.bench_function("rows", |b| b.iter(|| runtime.block_on(lent(&path))));
    group.finish();
}

async fn structs(path: &Path) -> f64 {
    let reader = CsvReader::<Product>::open(path);
    sum(reader, |product| product.price + product.id as f64 + product.name.len() as f64).await
}

async fn lent(path: &Path) -> f64 {
    let number = |row: &RecordRow, column: &str| row.get(column).and_then(|text| text.parse::<f64>().ok()).unwrap_or_default();
    let reader = CsvReader::rows(path);
    sum(reader, |row| number(&row, "price") + number(&row, "id") + row.get("name").map_or(0, str::len) as f64).await
}

async fn sum<R: Reader>(mut reader: R, value: impl Fn(R::Item) -> f64) -> f64 {
    reader.open(None).await.expect("a file that opens");
    let (mut sum, mut items) = (0.0, Vec::new());
    while reader.read_chunk(1000, &mut items).await.expect("good records") || !items.is_empty() {
        sum += items.drain(..).map(&value).sum::<f64>();
    }
    sum
}

criterion_group!(benches, times, records);
criterion_main!(benches);
