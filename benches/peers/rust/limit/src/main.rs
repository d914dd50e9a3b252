//! The limits, by hand and without a framework: `limit WORKLOAD CHUNK`.

mod binary;
mod other;
mod row;
mod server;
mod single;
mod table;
mod text;
mod time;
mod window;

use server::Wait::{Disk, Nothing};
use std::{hint::black_box, time::Instant};

type R<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;
const CSV: &str = "data/products.csv";
const NUMBERS: u64 = 10_000_000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> R<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(workload), Some(chunk)) = (arguments.next(), arguments.next()) else { return Err("limit WORKLOAD CHUNK".into()) };
    if workload.starts_with("w1") || workload == "w3" {
        server::set_up().await?;
    }
    let begun = Instant::now();
    let Some(rows) = run(&workload, chunk.parse()?).await? else {
        println!(r#"{{"who":"limit","workload":"{workload}","unsupported":"no framework: no skip, retry or restart"}}"#);
        return Ok(());
    };
    let seconds = begun.elapsed().as_secs_f64();
    println!(r#"{{"who":"limit","workload":"{workload}","chunk":{chunk},"rows":{rows},"run_s":{seconds:.4}}}"#);
    Ok(())
}

async fn run(workload: &str, chunk: usize) -> R<Option<usize>> {
    Ok(Some(match workload {
        "w1" | "w1bin" => single::bare(chunk).await?,
        "w1ck" => single::checkpointed(chunk).await?,
        "w1async" => single::relaxed(chunk).await?,
        "w1pipe" => single::overlapped(chunk, false).await?,
        "w1pipeck" => single::overlapped(chunk, true).await?,
        "w1one" => single::whole(chunk).await?,
        "w1parse" => single::parse(chunk)?,
        "w1window2" => window::in_flight(chunk, 2, Disk).await?,
        "w1window3" => window::in_flight(chunk, 3, Disk).await?,
        "w1window2async" => window::in_flight(chunk, 2, Nothing).await?,
        "w1window4async" => window::in_flight(chunk, 4, Nothing).await?,
        "w1csv" => other::text(chunk).await?,
        "w1sqlx" => other::sqlx_copy(chunk, usize::MAX).await?,
        "w1sqlx64k" => other::sqlx_copy(chunk, 64 * 1024).await?,
        "w1sqlx8k" => other::sqlx_copy(chunk, 8 * 1024).await?,
        "w1unnest" => other::unnest(chunk).await?,
        "w2" => text::copy()?,
        "w3" => table::raise(chunk).await?,
        "w4" | "w4m" => sum()?,
        "w6" => 0,
        _ => return Ok(None),
    }))
}

/// A loop over numbers, each seen by the optimiser as unknown.
fn sum() -> R<usize> {
    let sum = (0..NUMBERS).fold(0u64, |sum, x| sum.wrapping_add(black_box(x) + 1));
    assert_eq!(black_box(sum), NUMBERS * (NUMBERS + 1) / 2);
    Ok(usize::try_from(NUMBERS)?)
}
