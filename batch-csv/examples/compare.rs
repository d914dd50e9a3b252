//! Reads the same file by `CsvReader` and by a plain loop of the csv crate, in turns, and prints the ratio of their times.
//!
//! `cargo run --release -p batch-csv --example compare [rows] [rounds]`

use batch_core::{Reader, Result};
use batch_csv::CsvReader;
use futures_util::FutureExt;
use serde::Deserialize;
use std::{fmt::Write, fs, hint::black_box, path::Path, time::Instant};

#[derive(Deserialize)]
struct Row {
    id: u64,
    sku: String,
    name: String,
    price: f64,
    stock: i32,
    active: bool,
    note: Option<String>,
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<usize>());
    let rows = arguments.next().transpose()?.unwrap_or(500_000);
    let rounds = arguments.next().transpose()?.unwrap_or(15);
    let path = std::env::temp_dir().join(format!("batch-csv-compare-{}.csv", std::process::id()));
    fs::write(&path, generate(rows)?)?;
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..rounds {
        for (read, times) in [ours as fn(&Path) -> Result<usize>, plain].into_iter().zip(&mut times) {
            let start = Instant::now();
            assert_eq!(read(&path)?, rows);
            times.push(start.elapsed().as_secs_f64());
        }
    }
    fs::remove_file(&path)?;
    let [ours, plain] = times.map(median);
    println!("{rows} rows, median of {rounds}: CsvReader {ours:.4} s, csv crate {plain:.4} s, ratio {:.3}", ours / plain);
    Ok(())
}

/// Rows whose fields differ in length as real ones do: the branch predictor must not learn the file by heart.
fn generate(rows: usize) -> Result<String> {
    const WORDS: &str = "stainless steel kitchen scissors with soft handles and a spare blade";
    let mut text = String::from("id,sku,name,price,stock,active,note\n");
    let mut state = 1_u64;
    for i in 0..rows {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let random = |bits: u32, below: u64| (state >> bits) % below;
        let name: String = WORDS.chars().take(5 + usize::try_from(random(33, 60))?).collect();
        let (price, stock) = (random(20, 100_000), random(40, 5000));
        let note = if random(50, 10) == 0 { "\"fragile, this side up\"" } else { "" };
        writeln!(text, "{i},SKU-{:x},{name},{}.{:02},{stock},{},{note}", state >> 40, price / 100, price % 100, i % 2 == 0)?;
    }
    Ok(text)
}

fn ours(path: &Path) -> Result<usize> {
    let mut reader = CsvReader::<Row>::open(path);
    Reader::open(&mut reader, None).now_or_never().ok_or("waits")??;
    let (mut count, mut more, mut chunk) = (0, true, Vec::with_capacity(1000));
    while more {
        more = reader.read_chunk(1000, &mut chunk).now_or_never().ok_or("waits")??;
        count += chunk.len();
        chunk.drain(..).for_each(touch);
    }
    Ok(count)
}

fn plain(path: &Path) -> Result<usize> {
    let mut reader = csv::ReaderBuilder::new().buffer_capacity(128 * 1024).from_path(path)?;
    let header = reader.headers()?.clone();
    let (mut record, mut count, mut chunk) = (csv::StringRecord::new(), 0, Vec::with_capacity(1000));
    while reader.read_record(&mut record)? {
        chunk.push(record.deserialize::<Row>(Some(&header))?);
        if chunk.len() == 1000 {
            count += chunk.len();
            chunk.drain(..).for_each(touch);
        }
    }
    Ok(count + chunk.len())
}

fn touch(row: Row) {
    black_box((row.id, row.sku, row.name, row.price, row.stock, row.active, row.note));
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or_default()
}
