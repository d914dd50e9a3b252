//! What the framework costs an item, in memory: a chunk step against the same work in a plain async loop, interleaved in one run.
//!
//! `cargo bench --bench item_overhead [-- ITEMS ROUNDS]`. Prints nanoseconds an item (the median of the rounds) and the ratio at
//! chunk 10, 100 and 1,000. `instructions` counts the same two in instructions, which noise cannot move.

#[path = "shared/measure.rs"]
mod measure;
#[path = "shared/overhead.rs"]
mod overhead;

use batch_core::Result;
use measure::{argument, median};
use overhead::{by_framework, by_hand};
use std::time::Instant;

#[tokio::main]
async fn main() -> Result<()> {
    let (items, rounds) = (argument(0, 5_000_000), argument(1, 9));
    let nanoseconds = |begun: Instant| begun.elapsed().as_nanos() as f64 / items as f64;
    println!("{items} items, medians of {rounds} interleaved rounds");
    println!("{:>8} {:>14} {:>14} {:>8}", "chunk", "by hand", "framework", "ratio");
    for chunk in [10, 100, 1000] {
        let (mut hand, mut framework) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            let begun = Instant::now();
            let expected = tokio::spawn(by_hand(items, chunk)).await??;
            hand.push(nanoseconds(begun));
            let begun = Instant::now();
            let found = tokio::spawn(by_framework(items, chunk)).await??;
            framework.push(nanoseconds(begun));
            assert_eq!(expected, found);
        }
        let (hand, framework) = (median(hand), median(framework));
        println!("{chunk:>8} {hand:>11.2} ns {framework:>11.2} ns {:>8.2}", framework / hand);
    }
    Ok(())
}
