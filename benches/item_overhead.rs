//! What the framework costs an item, in memory: a chunk step against the same work in a plain async loop, interleaved in one run.
//!
//! `cargo bench --bench item_overhead`. Prints nanoseconds an item (the median of the rounds) and the ratio at chunk 10, 100 and 1,000.

use batch_core::{Chunk, Job, Memory, Parameters, Reader, Result, Writer};
use std::{
    hint::black_box,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

const ITEMS: u64 = 5_000_000;
const ROUNDS: usize = 9;

/// Yields 0, 1, 2, .. `ITEMS`.
struct Count(u64);

impl Reader for Count {
    type Item = u64;
    type Position = u64;

    async fn open(&mut self, resume: Option<u64>) -> Result<()> {
        self.0 = resume.unwrap_or(0);
        Ok(())
    }

    #[inline]
    async fn read(&mut self) -> Result<Option<u64>> {
        if self.0 == ITEMS {
            return Ok(None);
        }
        self.0 += 1;
        Ok(Some(black_box(self.0)))
    }

    fn position(&self) -> u64 {
        self.0
    }
}

/// Adds up what it is given.
#[derive(Clone, Default)]
struct Sum(Arc<AtomicU64>);

impl<Conn: Send> Writer<u64, Conn> for Sum {
    async fn write(&mut self, _conn: &mut Conn, items: Chunk<'_, u64>) -> Result<()> {
        self.0.fetch_add(items.iter().sum(), Ordering::Relaxed);
        Ok(())
    }
}

/// The same work by hand: read, add one, collect a chunk, write it, keep a checkpoint.
async fn by_hand(chunk: usize) -> Result<u64> {
    let (mut reader, mut writer) = (Count(0), Sum::default());
    let mut items = Vec::with_capacity(chunk);
    let mut checkpoint = 0;
    reader.open(None).await?;
    loop {
        while items.len() < chunk {
            match reader.read().await? {
                Some(item) => items.push(item + 1),
                None => break,
            }
        }
        if items.is_empty() {
            break;
        }
        writer.write(&mut (), Chunk::from(&items[..])).await?;
        checkpoint = black_box(reader.position());
        items.clear();
        tokio::task::yield_now().await;
    }
    black_box(checkpoint);
    Ok(writer.0.load(Ordering::Relaxed))
}

async fn by_framework(chunk: usize) -> Result<u64> {
    let memory = Memory::new();
    let sum = Sum::default();
    let writer = sum.clone();
    let job = Job::new("overhead", &memory)
        .step("count", move |s| Ok(s.chunk(chunk, Count(0)).map(|item| Ok(item + 1)).writer(writer.clone())));
    job.run(Parameters::new()).await?;
    Ok(sum.0.load(Ordering::Relaxed))
}

fn nanoseconds(begun: Instant) -> f64 {
    begun.elapsed().as_nanos() as f64 / ITEMS as f64
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

#[tokio::main]
async fn main() -> Result<()> {
    println!("{ITEMS} items, medians of {ROUNDS} interleaved rounds");
    println!("{:>8} {:>14} {:>14} {:>8}", "chunk", "by hand", "framework", "ratio");
    for chunk in [10, 100, 1000] {
        let (mut hand, mut framework) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let begun = Instant::now();
            let expected = tokio::spawn(by_hand(chunk)).await??;
            hand.push(nanoseconds(begun));
            let begun = Instant::now();
            let found = tokio::spawn(by_framework(chunk)).await??;
            framework.push(nanoseconds(begun));
            assert_eq!(expected, found);
        }
        let (hand, framework) = (median(hand), median(framework));
        println!("{chunk:>8} {hand:>11.2} ns {framework:>11.2} ns {:>8.2}", framework / hand);
    }
    Ok(())
}
