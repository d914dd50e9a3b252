//! Jobs whose database crashes under them, and has then lost the last commits: PROTOCOL 27.

mod server;

use crate::{
    BatchStatus, Chunk, ChunkReport, ChunkStep, Durability, Error, ErrorKind, Identity, Job, JobExecution, JobRepository,
    ListReader, ListWriter, Listener, Memory, NoWriter, Page, Parameters, Reader, Result, Scope, Step, StepExecution, StopHandle,
    Undo, Writer, classify,
};
use async_trait::async_trait;
use parking_lot::Mutex;
use server::{At, Server, Table};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// Inserts each item as a row, except the one that it refuses; where rows have parents, also one whose row before is missing.
#[derive(Clone, Copy, Default)]
struct Rows {
    refuses: Option<u32>,
    have_parents: bool,
}

impl Writer<u32, Table> for Rows {
    async fn write(&mut self, conn: &mut Table, items: Chunk<'_, u32>) -> Result<()> {
        for item in items.iter().copied() {
            if self.refuses == Some(item) || (self.have_parents && item > 0 && !conn.has(item - 1)) {
                return Err(format!("row {item} is refused").into());
            }
            conn.insert(item);
        }
        Ok(())
    }
}

/// Notes what it is told.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<String>>>);

impl Notes {
    fn count(&self, what: &str) -> usize {
        self.0.lock().iter().filter(|note| *note == what).count()
    }

    fn note(&self, what: &str) -> Result<()> {
        self.0.lock().push(what.to_owned());
        Ok(())
    }
}

#[async_trait]
impl Listener for Notes {
    async fn before_step(&self, _: &StepExecution) -> Result<()> {
        self.note("before_step")
    }

    async fn after_chunk(&self, report: &ChunkReport<'_>) -> Result<()> {
        self.note("after_chunk")?;
        self.note(&format!("read {}", report.step.counts.read))
    }

    async fn on_chunk_error(&self, _: &StepExecution, error: &(dyn std::error::Error + Send + Sync + 'static)) -> Result<()> {
        self.note(&error.to_string())
    }
}

type Load = ChunkStep<ListReader<u32>, Identity, Rows, Server>;

/// Twelve items in chunks of three, committed without waiting.
fn load(s: &Scope<Server>, writer: Rows) -> Load {
    let items: Vec<u32> = (0..12).collect();
    s.chunk(3, ListReader::new(items)).writer(writer).durability(Durability::Step)
}

async fn recorded(server: &Server, execution: &JobExecution) -> StepExecution {
    server.explorer().steps(execution.id).await.unwrap().remove(0)
}

fn crashes() -> impl Iterator<Item = (At, usize)> {
    let at = |nth| [At::Begin(nth), At::Commit(nth), At::Committed(nth), At::Quietly(nth)];
    (1..=4).flat_map(at).chain([At::End]).flat_map(|at| (0..=4).map(move |loses| (at, loses)))
}

#[tokio::test(start_paused = true)]
async fn whenever_it_crashes_and_whatever_it_loses_every_row_is_there_once() {
    for (at, loses) in crashes() {
        let server = Server::crashing(at, loses);
        let job = Job::new("load", &server).step("rows", |s| Ok(load(s, Rows { refuses: Some(7), ..Rows::default() }).skip(1)));
        let done = job.run(Parameters::new()).await.unwrap();
        let told = format!("{at:?} loses {loses}");
        assert_eq!(done.status, BatchStatus::Completed, "{told}: {}", done.exit_status.message);
        assert_eq!(server.rows(), (0..12).filter(|n| *n != 7).collect::<Vec<_>>(), "{told}");
        let step = recorded(&server, &done).await;
        let counts = step.counts;
        assert_eq!((counts.read, counts.written, counts.write_skips, counts.commits), (12, 11, 1, 4), "{told}");
        assert_eq!((step.commit_no, step.checkpoint.read, step.counts), (4, 12, done.steps[0].counts), "{told}");
        let skips = server.explorer().skips(step.id, Page::all()).await.unwrap();
        assert_eq!(skips.iter().map(|s| s.number).collect::<Vec<_>>(), [7], "{told}");
        assert_eq!(server.at_risk(), 0, "{told}: the end waited for the disk");
    }
}

/// Reports where it is opened.
struct Opens(ListReader<u32>, Arc<Mutex<Vec<Option<u64>>>>);

impl Reader for Opens {
    type Item = u32;
    type Position = u64;

    async fn open(&mut self, resume: Option<u64>) -> Result<()> {
        self.1.lock().push(resume);
        self.0.open(resume).await
    }

    async fn read(&mut self) -> Result<Option<u32>> {
        self.0.read().await
    }

    fn position(&self) -> u64 {
        self.0.position()
    }
}

#[tokio::test(start_paused = true)]
async fn the_step_is_made_again_and_its_listeners_hear_on() {
    let (server, notes, opens) = (Server::crashing(At::Quietly(3), 2), Notes::default(), Arc::new(Mutex::new(Vec::new())));
    let (hears, opened) = (notes.clone(), opens.clone());
    let job = Job::new("load", &server).step("rows", move |s| {
        let items: Vec<u32> = (0..12).collect();
        let step = s.chunk(3, Opens(ListReader::new(items), opened.clone())).writer(Rows::default());
        Ok(step.durability(Durability::Step).listener(hears.clone()))
    });
    assert_eq!(job.run(Parameters::new()).await.unwrap().status, BatchStatus::Completed);
    assert_eq!(*opens.lock(), [None, Some(3)]);
    assert_eq!((notes.count("before_step"), notes.count("after_chunk")), (1, 6), "{:?}", notes.0.lock());
    assert_eq!((notes.count("read 6"), notes.count("read 12")), (2, 1), "{:?}", notes.0.lock());
    assert!(!notes.0.lock().iter().any(|n| n.contains("taken over")), "{:?}", notes.0.lock());
    assert_eq!(server.rows(), (0..12).collect::<Vec<_>>());
}

/// A row whose parent was lost is not a bad row: it is neither skipped nor a reason to fail.
#[tokio::test(start_paused = true)]
async fn a_row_that_misses_what_was_lost_is_no_bad_row() {
    for (limit, at) in [(0, At::Quietly(2)), (9, At::Quietly(2)), (0, At::Begin(3)), (9, At::Begin(3))] {
        let server = Server::crashing(at, 2);
        let rows = Rows { have_parents: true, ..Rows::default() };
        let job = Job::new("load", &server).step("rows", move |s| Ok(load(s, rows).skip(limit)));
        let done = job.run(Parameters::new()).await.unwrap();
        assert_eq!((done.status, done.steps[0].counts.skips()), (BatchStatus::Completed, 0), "{}", done.exit_status.message);
        assert_eq!(server.rows(), (0..12).collect::<Vec<_>>());
    }
}

/// Asks the run to stop after the third chunk.
struct Stops(StopHandle);

#[async_trait]
impl Listener for Stops {
    async fn after_chunk(&self, report: &ChunkReport<'_>) -> Result<()> {
        if report.step.counts.commits == 3 {
            self.0.stop();
        }
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_with_what_is_left_and_a_restart_does_the_rest() {
    for loses in 0..=3 {
        let (server, stop, made) = (Server::crashing(At::Quietly(3), loses), StopHandle::new(), Arc::new(AtomicUsize::new(0)));
        let makes = made.clone();
        let job = Job::new("load", &server).listener(Stops(stop.clone())).step("rows", move |s| {
            makes.fetch_add(1, Ordering::Relaxed);
            Ok(load(s, Rows::default()))
        });
        let stopped = job.launch(Parameters::new()).stop_handle(&stop).run().await.unwrap();
        let step = recorded(&server, &stopped).await;
        assert_eq!((stopped.status, step.status), (BatchStatus::Stopped, BatchStatus::Stopped));
        assert_eq!(made.load(Ordering::Relaxed), 1, "the step is not made again only to stop");
        let left = 3 - loses as u64;
        assert_eq!((step.counts.commits, step.counts.read, server.at_risk()), (left, 3 * left, 0));
        assert_eq!(job.run(Parameters::new()).await.unwrap().steps[0].counts.read, 12 - 3 * left);
        assert_eq!(server.rows(), (0..12).collect::<Vec<_>>());
    }
}

#[tokio::test(start_paused = true)]
async fn records_that_are_read_again_are_not_counted_twice_against_a_limit() {
    for (at, loses) in [(At::Quietly(2), 2), (At::Quietly(1), 1), (At::Committed(2), 2)] {
        let server = Server::crashing(at, loses);
        let job = Job::new("load", &server).step("rows", |s| Ok(load(s, Rows::default())));
        let stopped = job.launch(Parameters::new()).limit(6).run().await.unwrap();
        assert_eq!((stopped.status, stopped.steps[0].counts.read), (BatchStatus::Stopped, 6));
        assert_eq!(server.rows(), (0..6).collect::<Vec<_>>());
    }
}

#[tokio::test(start_paused = true)]
async fn a_step_that_fails_for_another_reason_is_recorded_where_the_database_is() {
    let server = Server::crashing(At::Quietly(3), 3);
    let job = Job::new("load", &server).step("rows", |s| Ok(load(s, Rows { refuses: Some(10), ..Rows::default() })));
    let failed = job.run(Parameters::new()).await.unwrap();
    let step = recorded(&server, &failed).await;
    assert_eq!((failed.status, step.counts.read, server.at_risk()), (BatchStatus::Failed, 9, 0));
    assert_eq!(server.rows(), (0..9).collect::<Vec<_>>());
}

/// Without the promise that commits may be lost, a database that lost some is somebody else's.
#[tokio::test(start_paused = true)]
async fn a_chunk_that_was_durable_is_never_done_again() {
    let server = Server::crashing(At::Quietly(2), 2).whose_disk_lies();
    let items: Vec<u32> = (0..12).collect();
    let job =
        Job::new("load", &server).step("rows", move |s| Ok(s.chunk(3, ListReader::new(items.clone())).writer(Rows::default())));
    assert_eq!(job.run(Parameters::new()).await.unwrap_err().kind(), ErrorKind::NotOwner);
}

#[tokio::test(start_paused = true)]
async fn chunks_wait_for_the_disk_unless_the_step_says_otherwise() {
    let server = Server::crashing(At::Quietly(2), 2);
    let items: Vec<u32> = (0..12).collect();
    let notes = Notes::default();
    let hears = notes.clone();
    let job = Job::new("load", &server)
        .step("rows", move |s| Ok(s.chunk(3, ListReader::new(items.clone())).writer(Rows::default()).listener(hears.clone())));
    assert_eq!(job.run(Parameters::new()).await.unwrap().status, BatchStatus::Completed);
    assert_eq!(notes.count("after_chunk"), 4, "the crash took nothing back");
}

/// Writes the rows, and says that it could undo them by itself too.
#[derive(Clone, Copy)]
struct Keeps(Rows);

impl Writer<u32, Table> for Keeps {
    async fn write(&mut self, conn: &mut Table, items: Chunk<'_, u32>) -> Result<()> {
        self.0.write(conn, items).await
    }

    fn undo(&self) -> Undo {
        Undo::Rewind
    }
}

/// Why a step is refused that is made from two items.
async fn refusal<S: Step>(server: &Server, make: impl Fn(Start) -> S + Send + Sync + 'static) -> Error {
    let job = Job::new("load", server).step("rows", move |s| Ok(make(s.chunk(3, ListReader::new(vec![1, 2])))));
    job.run(Parameters::new()).await.unwrap_err()
}

type Start = ChunkStep<ListReader<u32>, Identity, NoWriter, Server>;

#[tokio::test(start_paused = true)]
async fn what_a_crash_would_not_take_back_is_refused() {
    let (server, other) = (Server::crashing(At::End, 0), Memory::new());
    let (rows, keeps) = (Rows::default(), Keeps(Rows::default()));
    let refused = [
        refusal(&server, move |s| s.writer(keeps).durability(Durability::Step)).await,
        refusal(&server, move |s| s.writer((rows, keeps)).durability(Durability::Step)).await,
        refusal(&server, move |s| s.writer((rows, ListWriter::new())).durability(Durability::Step)).await,
        refusal(&server, move |s| s.writer(classify(|n: &u32| *n > 5, vec![keeps])).durability(Durability::Step)).await,
    ];
    for error in refused {
        assert_eq!((error.kind(), error.kind().exit_code()), (ErrorKind::Configuration, 2));
        assert!(error.report().contains("the writer keeps something outside the transaction"), "{}", error.report());
    }
    let elsewhere = [
        refusal(&server, move |s| s.transaction(&other).writer(Nothing).durability(Durability::Step)).await,
        refusal(&server, |s| s.without_transaction().writer(Nothing).durability(Durability::Step)).await,
    ];
    for error in elsewhere {
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.report().contains("only in the job's own database, where it is PostgreSQL"), "{}", error.report());
    }
    assert!(server.rows().is_empty());
}

/// Writes nowhere.
struct Nothing;

impl Writer<u32> for Nothing {
    async fn write(&mut self, _: &mut (), _: Chunk<'_, u32>) -> Result<()> {
        Ok(())
    }
}
