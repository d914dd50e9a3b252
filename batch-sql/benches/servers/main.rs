//! Microseconds a chunk of each way to write rows to PostgreSQL, MariaDB and SQLite, against the writers of this crate: in turns, in one
//! run, over a Unix socket, on databases of its own that don't wait for the disk. The least time counts, since what else the machine
//! does can only add to it; over TCP the mean, since there the driver itself waits now and then.
//!
//! `cargo bench -p batch-sql --bench servers [-- rounds [postgres|mysql|sqlite ..]]`

#![allow(clippy::unwrap_used, reason = "a bench's failure is a panic")]

mod mysql;
mod postgres;
mod product;
mod sqlite;

use batch_core::Result;
use std::time::Duration;

/// Rows a chunk.
const LENGTHS: [usize; 4] = [10, 100, 1_000, 10_000];

/// Which of the times of a way to write counts.
#[derive(Clone, Copy)]
enum Counts {
    Least,
    Mean,
}

/// One way to write, and the times that it took for a chunk.
struct Way {
    name: &'static str,
    times: Vec<Duration>,
}

impl Way {
    fn new(name: &'static str) -> Self {
        Self { name, times: Vec::new() }
    }

    fn took(&mut self, time: Duration) {
        self.times.push(time);
    }

    fn seconds(&self, counts: Counts) -> f64 {
        let seconds = self.times.iter().map(Duration::as_secs_f64);
        match counts {
            Counts::Least => seconds.fold(f64::MAX, f64::min),
            Counts::Mean => seconds.sum::<f64>() / self.times.len() as f64,
        }
    }
}

/// How often a chunk of so many rows is written to be measured.
fn repeats(rows: usize) -> usize {
    (10_000 / rows).clamp(3, 100)
}

/// The ways with their times, the first one's being 1.
fn print(what: &str, rows: usize, counts: Counts, ways: &[Way]) {
    let ours = ways[0].seconds(counts);
    let shown = ways.iter().map(|way| {
        let time = way.seconds(counts);
        format!("{} {:.0} us ({:.2})", way.name, time * 1e6, time / ours)
    });
    println!("{what}, {rows} rows: {}", shown.collect::<Vec<_>>().join(" | "));
}

#[tokio::main]
async fn main() -> Result<()> {
    let rounds: usize = std::env::args().skip(1).find_map(|a| a.parse().ok()).unwrap_or(5);
    let named: Vec<_> = std::env::args().skip(1).filter(|a| ["postgres", "mysql", "sqlite"].contains(&a.as_str())).collect();
    let wanted = |name: &str| named.is_empty() || named.iter().any(|n| n == name);
    if wanted("postgres") {
        postgres::compare(rounds).await?;
    }
    if wanted("mysql") {
        mysql::compare(rounds).await?;
    }
    if wanted("sqlite") {
        sqlite::compare(rounds).await?;
    }
    Ok(())
}
