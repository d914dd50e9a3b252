//! Microseconds a chunk of each way to write rows to PostgreSQL and MariaDB, against the writers of this crate: in turns, in one run,
//! over a Unix socket, on servers of its own that don't wait for the disk. The least of the rounds counts.
//!
//! `cargo bench -p batch-sql --bench servers [-- rounds]`

#![allow(clippy::unwrap_used, reason = "a bench's failure is a panic")]

mod mysql;
mod postgres;
mod product;

use batch_core::Result;
use std::time::Duration;

/// Rows a chunk.
const LENGTHS: [usize; 4] = [10, 100, 1_000, 10_000];

/// One way to write, and the least time that it took for a chunk.
struct Way {
    name: &'static str,
    best: Duration,
}

impl Way {
    fn new(name: &'static str) -> Self {
        Self { name, best: Duration::MAX }
    }

    fn took(&mut self, time: Duration) {
        self.best = self.best.min(time);
    }
}

/// How often a chunk of so many rows is written to be measured.
fn repeats(rows: usize) -> usize {
    (10_000 / rows).clamp(3, 100)
}

/// The ways with their times, the first one's being 1.
fn print(what: &str, rows: usize, ways: &[Way]) {
    let ours = ways[0].best.as_secs_f64();
    let shown = ways.iter().map(|way| {
        let time = way.best.as_secs_f64();
        format!("{} {:.0} us ({:.2})", way.name, time * 1e6, time / ours)
    });
    println!("{what}, {rows} rows: {}", shown.collect::<Vec<_>>().join(" | "));
}

#[tokio::main]
async fn main() -> Result<()> {
    let rounds: usize = std::env::args().skip(1).find_map(|a| a.parse().ok()).unwrap_or(5);
    postgres::compare(rounds).await?;
    mysql::compare(rounds).await
}
