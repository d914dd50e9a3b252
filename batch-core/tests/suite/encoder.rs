//! Writers that make chunks ready before their transaction.

use crate::table::{Table, TableTx};
use batch_core::{BatchStatus, BoxError, Chunk, Encoder, Job, ListReader, Memory, Parameters, Result, Undo, Writer};
use parking_lot::Mutex;
use std::sync::Arc;

/// The sum of a chunk's items, as the encoder made it.
struct Sum(u64);

/// Each call: how many items, and their sum where it was made ahead.
type Calls = Arc<Mutex<Vec<(usize, Option<u64>)>>>;

#[derive(Clone, Default)]
struct Adding {
    calls: Calls,
    refuses: Option<u64>,
    /// The encoder panics at this item, or has nothing for its chunk.
    panics: Option<u64>,
    declines: Option<u64>,
}

impl Adding {
    fn add(&self, items: &Chunk<'_, u64>) -> Result<()> {
        let sum = items.encoded::<Sum>().map(|sum| sum.0);
        assert!(sum.is_none_or(|sum| sum == items.iter().sum::<u64>()), "it is of another chunk");
        assert!(items.encoded::<u64>().is_none(), "another type is not what was made");
        self.calls.lock().push((items.len(), sum));
        if self.refuses.is_some_and(|bad| items.contains(&bad)) { Err("refused".into()) } else { Ok(()) }
    }

    fn made_ready_by(&self) -> Option<Encoder<u64>> {
        let (panics, declines) = (self.panics, self.declines);
        // As writers that have to learn from a first chunk.
        (!self.calls.lock().is_empty()).then(|| {
            Encoder::new(move |items: &[u64]| {
                assert!(panics.is_none_or(|bad| !items.contains(&bad)), "a bug of the encoder");
                declines.is_none_or(|no| !items.contains(&no)).then(|| Sum(items.iter().sum()))
            })
        })
    }
}

impl Writer<u64> for Adding {
    async fn write(&mut self, (): &mut (), items: Chunk<'_, u64>) -> Result<()> {
        self.add(&items)
    }

    fn undo(&self) -> Undo {
        Undo::Idempotent
    }

    fn encoder(&self) -> Option<Encoder<u64>> {
        self.made_ready_by()
    }
}

async fn calls(items: u64, writer: Adding, ahead: usize) -> Result<Vec<(usize, Option<u64>)>, BoxError> {
    let (calls, memory) = (writer.calls.clone(), Memory::new());
    let job = Job::new("add", &memory).step("numbers", move |s| {
        Ok(s.chunk(4, ListReader::new((0..items).collect::<Vec<u64>>())).writer(writer.clone()).skip(1).read_ahead(ahead))
    });
    let execution = job.run(Parameters::new()).await?;
    assert_eq!(execution.status, BatchStatus::Completed, "{}", execution.exit_status.message);
    let calls = calls.lock().clone();
    Ok(calls)
}

#[tokio::test]
async fn each_chunk_is_made_ready_once_the_writer_can() {
    // The second one is filled while the first is written.
    for ahead in [0, 1, 3] {
        let seen = calls(16, Adding::default(), ahead).await.unwrap();
        assert_eq!(seen, [(4, None), (4, None), (4, Some(38)), (4, Some(54))]);
    }
}

#[tokio::test]
async fn parts_of_a_chunk_come_without_what_was_made_of_the_whole() {
    let seen = calls(16, Adding { refuses: Some(9), ..Adding::default() }, 1).await.unwrap();
    assert_eq!(seen[2], (4, Some(38)), "the whole");
    assert!(seen[3..seen.len() - 1].iter().all(|(items, sum)| *items < 4 && sum.is_none()), "{seen:?}");
    assert_eq!(seen[seen.len() - 1], (4, Some(54)), "chunks behind it are made ready again");
}

#[tokio::test]
async fn an_encoder_that_fails_leaves_its_chunk_to_the_writer() {
    let seen = calls(20, Adding { panics: Some(9), declines: Some(14), ..Adding::default() }, 1).await.unwrap();
    assert_eq!(seen, [(4, None), (4, None), (4, None), (4, None), (4, Some(70))]);
}

/// Sums too, but never ahead.
#[derive(Clone)]
struct Plain(Adding);

impl Writer<u64> for Plain {
    async fn write(&mut self, conn: &mut (), items: Chunk<'_, u64>) -> Result<()> {
        self.0.write(conn, items).await
    }

    fn undo(&self) -> Undo {
        self.0.undo()
    }
}

#[tokio::test]
async fn of_several_writers_the_first_that_can_makes_chunks_ready() {
    let (plain, adding, memory) = (Plain(Adding::default()), Adding::default(), Memory::new());
    let (calls, both) = (adding.calls.clone(), (plain, adding));
    let job = Job::new("add", &memory)
        .step("numbers", move |s| Ok(s.chunk(4, ListReader::new((0..16).collect::<Vec<u64>>())).writer(both.clone())));
    job.run(Parameters::new()).await.unwrap();
    assert_eq!(*calls.lock(), [(4, None), (4, None), (4, Some(38)), (4, Some(54))]);
}

/// Adds in a database with transactions.
#[derive(Clone)]
struct InFlight(Adding);

impl Writer<u64, TableTx> for InFlight {
    async fn write(&mut self, conn: &mut TableTx, items: Chunk<'_, u64>) -> Result<()> {
        self.0.add(&items)?;
        items.iter().for_each(|item| conn.insert(*item));
        Ok(())
    }

    fn encoder(&self) -> Option<Encoder<u64>> {
        self.0.made_ready_by()
    }
}

#[tokio::test]
async fn chunks_in_flight_are_made_ready_where_they_are_filled() {
    for workers in [1, 3] {
        let (adding, table) = (Adding::default(), Table::new(Memory::new()));
        let (calls, writer) = (adding.calls.clone(), InFlight(adding));
        let job = Job::new("add", &table).step("numbers", move |s| {
            let numbers = ListReader::new((0..160).collect::<Vec<u64>>());
            Ok(s.chunk(4, numbers).writer(writer.clone()).in_flight(2).workers(workers))
        });
        job.run(Parameters::new()).await.unwrap();
        let calls = calls.lock();
        let first = calls.iter().take_while(|(_, sum)| sum.is_none()).count();
        // Two are written, as many wait as are read ahead and processed, and one has its place, when the first one is committed.
        assert!((1..=4 + workers).contains(&first), "{calls:?}");
        assert!(calls.iter().skip(first).all(|(_, sum)| sum.is_some()) && calls.len() == 40, "{calls:?}");
        assert_eq!(table.rows(), (0..160).collect::<Vec<_>>());
    }
}
