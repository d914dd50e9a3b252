//! What several workers give a processor that computes: the same step with 1, 2 and more of them, interleaved in one run.
//!
//! `cargo bench --bench workers [-- ITEMS ROUNDS]`. Prints the median time and the ratio to one worker, for items that take the processor
//! next to nothing and for some that take it microseconds.

#[path = "shared/measure.rs"]
mod measure;

use batch_core::{Chunk, Job, Memory, Parameters, Result, Writer, iter};
use measure::{argument, median};
use std::{hint::black_box, time::Instant};

const CHUNK: usize = 1000;

/// Adds up what it is given.
struct Sum(u64);

impl<Conn: Send> Writer<u64, Conn> for Sum {
    async fn write(&mut self, _: &mut Conn, items: Chunk<'_, u64>) -> Result<()> {
        self.0 = items.iter().fold(self.0, |sum, n| sum.wrapping_add(*n));
        black_box(self.0);
        Ok(())
    }
}

/// So many rounds of a mixing function that the compiler cannot leave out.
fn mixed(item: u64, rounds: u32) -> u64 {
    (0..rounds).fold(item, |n, _| black_box(n ^ (n >> 31)).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

async fn seconds(items: u64, effort: u32, workers: usize) -> Result<f64> {
    let job = Job::new("workers", &Memory::new()).step("mix", move |s| {
        Ok(s.chunk(CHUNK, iter(0..items)).map(move |n| Ok(mixed(n, effort))).writer(Sum(0)).workers(workers))
    });
    let begun = Instant::now();
    job.run(Parameters::new()).await?;
    Ok(begun.elapsed().as_secs_f64())
}

#[tokio::main]
async fn main() -> Result<()> {
    let (items, rounds) = (argument(0, 400_000), argument(1, 7));
    let cores = std::thread::available_parallelism()?;
    println!("{items} items, chunks of {CHUNK}, medians of {rounds} interleaved rounds, {cores} cores");
    println!("{:>8} {:>8} {:>12} {:>12}", "mixings", "workers", "ns an item", "of one");
    for effort in [1, 100, 2000] {
        let workers = [1, 2, 4];
        let mut times = workers.map(|_| Vec::new());
        for _ in 0..rounds {
            for (workers, times) in workers.iter().zip(&mut times) {
                times.push(seconds(items, effort, *workers).await?);
            }
        }
        let times = times.map(median);
        for (workers, time) in workers.iter().zip(times) {
            println!("{effort:>8} {workers:>8} {:>12.1} {:>12.2}", time * 1e9 / items as f64, time / times[0]);
        }
    }
    Ok(())
}
