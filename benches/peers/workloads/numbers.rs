//! w4 and w4m: numbers in memory; w6: no items at all.

use crate::{Call, Measured, fresh, timed};
use batch_core::{Chunk, Durability, Job, Memory, Result, Writer, iter};
use std::{
    hint::black_box,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

const NUMBERS: u64 = 10_000_000;

/// Adds up what it is given.
#[derive(Debug, Clone, Default)]
struct Sum(Arc<AtomicU64>);

impl<C: Send> Writer<u64, C> for Sum {
    async fn write(&mut self, _: &mut C, items: Chunk<'_, u64>) -> Result<()> {
        self.0.fetch_add(items.iter().fold(0, |sum, x| sum.wrapping_add(*x)), Ordering::Relaxed);
        Ok(())
    }

    /// The sum is looked at after the run only, so a crash of the database has nothing to take back.
    fn is_transactional(&self) -> bool {
        true
    }

    fn uses_connection(&self) -> bool {
        false
    }
}

pub async fn run(call: &Call) -> Result<Measured> {
    let (chunk, sum) = (call.chunk, Sum::default());
    let numbers = if call.workload == "w6" { 0 } else { NUMBERS };
    let measured = match call.workload.as_str() {
        "w4m" => in_memory(chunk, sum.clone()).await?,
        "w4step" => relaxed(call, sum.clone()).await?,
        _ => on_postgres(call, numbers, sum.clone()).await?,
    };
    assert_eq!(sum.0.load(Ordering::Relaxed), numbers * (numbers + 1) / 2);
    Ok(measured)
}

/// The sum is not in the database, so no transaction need be open around the writer.
async fn on_postgres(call: &Call, numbers: u64, sum: Sum) -> Result<Measured> {
    let chunk = call.chunk;
    timed(call, fresh()?, |database| {
        Job::new("bench-w4", database).step("sum", move |s| {
            Ok(s.chunk(chunk, iter(0..numbers)).map(|x| Ok(black_box(x) + 1)).without_transaction().writer(sum.clone()))
        })
    })
    .await
}

async fn relaxed(call: &Call, sum: Sum) -> Result<Measured> {
    let chunk = call.chunk;
    timed(call, fresh()?, |database| {
        Job::new("bench-w4step", database).step("sum", move |s| {
            let step = s.chunk(chunk, iter(0..NUMBERS)).map(|x| Ok(black_box(x) + 1)).writer(sum.clone());
            Ok(step.durability(Durability::Step))
        })
    })
    .await
}

async fn in_memory(chunk: usize, sum: Sum) -> Result<Measured> {
    let begun = Instant::now();
    let job = Job::new("bench-w4m", &Memory::new())
        .step("sum", move |s| Ok(s.chunk(chunk, iter(0..NUMBERS)).map(|x| Ok(black_box(x) + 1)).writer(sum.clone())));
    let execution = job.run(fresh()?).await?;
    Ok(Measured { execution, seconds: begun.elapsed().as_secs_f64(), first_item: None })
}
