//! Writers that know which item was refused.

use crate::table::{Table, TableTx};
use async_trait::async_trait;
use batch_core::{
    BatchStatus, Chunk, ChunkReport, FailedItems, Job, JobExecution, JobExplorer, ListReader, Listener, Memory, Page, Parameters,
    RefusedItem, Result, SkipRecord, Writer, classify,
};
use parking_lot::Mutex;
use std::sync::Arc;

/// Stops at the first bad item, and says at which.
#[derive(Clone)]
struct Naming(Vec<u64>);

impl Writer<u64, TableTx> for Naming {
    async fn write(&mut self, conn: &mut TableTx, items: Chunk<'_, u64>) -> Result<()> {
        for (index, item) in items.iter().enumerate() {
            if self.0.contains(item) {
                return Err(RefusedItem { index, error: format!("{item} is bad").into() }.into());
            }
            conn.insert(*item);
        }
        Ok(())
    }
}

/// Names what it refuses, and keeps the rest.
#[derive(Clone)]
struct Broker(u64);

impl Writer<u64, TableTx> for Broker {
    async fn write(&mut self, _: &mut TableTx, items: Chunk<'_, u64>) -> Result<()> {
        match items.iter().position(|item| *item == self.0) {
            Some(index) => Err(FailedItems(vec![(index, "not sent".into())]).into()),
            None => Ok(()),
        }
    }
}

#[derive(Clone, Default)]
struct Calls(Arc<Mutex<Vec<u32>>>);

#[async_trait]
impl Listener for Calls {
    async fn after_chunk(&self, report: &ChunkReport<'_>) -> Result<()> {
        self.0.lock().push(report.write_calls);
        Ok(())
    }
}

async fn run<W: Writer<u64, TableTx>>(
    writer: impl Fn() -> W + Send + Sync + 'static,
    skip: u64,
) -> (JobExecution, Table, Vec<SkipRecord>, Vec<u32>) {
    let (table, calls) = (Table::new(Memory::new()), Calls::default());
    let heard = calls.clone();
    let job = Job::new("load", &table).step("rows", move |s| {
        let items: Vec<u64> = (0..200).collect();
        Ok(s.chunk(100, ListReader::new(items)).writer(writer()).skip(skip).listener(heard.clone()))
    });
    let execution = job.run(Parameters::new()).await.unwrap();
    let skips = table.memory.skips(execution.steps[0].id, Page::all()).await.unwrap();
    let calls = calls.0.lock().clone();
    (execution, table, skips, calls)
}

fn numbers(skips: &[SkipRecord]) -> Vec<u64> {
    skips.iter().map(|skip| skip.number).collect()
}

#[tokio::test]
async fn an_item_that_the_writer_names_costs_no_search() {
    let bad = vec![0, 50, 99, 150];
    let (execution, table, skips, calls) = run(|| Naming(vec![0, 50, 99, 150]), 10).await;
    assert_eq!(execution.status, BatchStatus::Completed);
    assert_eq!(table.rows(), (0..200).filter(|n| !bad.contains(n)).collect::<Vec<_>>());
    assert_eq!(numbers(&skips), bad);
    assert!(skips.iter().all(|skip| skip.reason.ends_with("is bad")), "{skips:?}");
    assert_eq!(calls, [5, 3], "each costs the call that named it and those for what is around it");
}

#[tokio::test]
async fn without_a_skip_limit_the_error_says_which_item_it_is() {
    let (execution, table, _, _) = run(|| Naming(vec![142]), 0).await;
    let message = &execution.exit_status.message;
    assert!(message.contains("the item cannot be written") && message.contains("item 142"), "{message}");
    assert_eq!(table.rows(), (0..100).collect::<Vec<_>>());
}

/// A writer's numbers are those of its part of the chunk.
#[tokio::test]
async fn composites_name_the_right_item_or_none() {
    let routed = || classify(|n: &u64| n % 2 == 1, (Naming(vec![]), Naming(vec![77])));
    let (_, table, skips, calls) = run(routed, 1).await;
    assert_eq!((numbers(&skips), calls), (vec![77], vec![3, 1]));
    let mut rows = table.rows();
    rows.sort_unstable();
    assert_eq!(rows, (0..200).filter(|n| *n != 77).collect::<Vec<_>>());

    for held_back in [160, 1000] {
        let (_, table, skips, _) = run(move || (Broker(held_back), Naming(vec![170])), 5).await;
        assert!(numbers(&skips).contains(&170), "{skips:?}");
        assert!(!table.rows().contains(&170) && table.rows().contains(&171) && table.rows().contains(&169));
    }
}
