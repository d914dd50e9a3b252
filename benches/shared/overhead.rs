//! The least work that a chunk step can do, by hand and by the framework: count, add one, sum up.

use batch_core::{Chunk, Job, Memory, Parameters, Reader, Result, Writer};
use std::{
    hint::black_box,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// Yields 1, 2, .. up to its end.
struct Count {
    now: u64,
    end: u64,
}

impl Count {
    fn to(end: u64) -> Self {
        Self { now: 0, end }
    }
}

impl Reader for Count {
    type Item = u64;
    type Position = u64;

    async fn open(&mut self, resume: Option<u64>) -> Result<()> {
        self.now = resume.unwrap_or(0);
        Ok(())
    }

    #[inline]
    async fn read(&mut self) -> Result<Option<u64>> {
        if self.now == self.end {
            return Ok(None);
        }
        self.now += 1;
        Ok(Some(black_box(self.now)))
    }

    fn position(&self) -> u64 {
        self.now
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

/// By hand: read, add one, collect a chunk, write it, keep a checkpoint.
pub async fn by_hand(items: u64, chunk: usize) -> Result<u64> {
    let (mut reader, mut writer) = (Count::to(items), Sum::default());
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

pub async fn by_framework(items: u64, chunk: usize) -> Result<u64> {
    let memory = Memory::new();
    let sum = Sum::default();
    let writer = sum.clone();
    let job = Job::new("overhead", &memory)
        .step("count", move |s| Ok(s.chunk(chunk, Count::to(items)).map(|item| Ok(item + 1)).writer(writer.clone())));
    job.run(Parameters::new()).await?;
    Ok(sum.0.load(Ordering::Relaxed))
}
