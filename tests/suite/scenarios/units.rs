//! Units of work: a small transaction each, with rows.

use crate::backends::{Backend, InSqlite, on_every_backend};
use batch_core::{
    BatchStatus, DryRun, ErrorKind, Job, ListReader, Page, Parameters, Reader, Result, Retry, Scope, Transactions, UnitFn,
    UnitStatus, UnitStep,
    testing::{Fault, Scripted},
};
use parking_lot::Mutex;
use std::sync::Arc;

on_every_backend![
    a_unit_that_fails_takes_back_its_rows_and_no_others,
    each_fault_of_the_database_leaves_each_row_once,
    units_wait_for_each_others_locks,
    a_dry_run_leaves_neither_rows_nor_a_log,
];

/// Who fails, after its row was written.
type Failing = Arc<Mutex<Vec<i64>>>;

fn step<B: Backend, D: Transactions<Conn = B::Conn> + Clone>(
    s: &Scope<D>,
    failing: &Failing,
) -> UnitStep<ListReader<i64>, D, impl for<'a> UnitFn<'a, B::Conn, i64> + use<B, D> + 'static> {
    let failing = failing.clone();
    let work = async move |conn: &mut B::Conn, user: i64| {
        B::insert(conn, &[user]).await?;
        if failing.lock().contains(&user) { Err("refused".into()) } else { Ok(()) }
    };
    s.units(ListReader::new((0..5).collect::<Vec<_>>()), work).lock(|user| format!("user {user}"))
}

async fn a_unit_that_fails_takes_back_its_rows_and_no_others<B: Backend>() {
    let (backend, failing) = (B::create().await, Failing::new(Mutex::new(vec![1, 3])));
    let fails = failing.clone();
    let job = Job::new("statistics", backend.database()).step("users", move |s| Ok(step::<B, _>(s, &fails)));
    let first = job.run(Parameters::new()).await.expect("an execution");
    assert_eq!(first.status, BatchStatus::Failed);
    assert_eq!(backend.table().await.unwrap_or(vec![0, 2, 4]), [0, 2, 4]);
    failing.lock().clear();
    let second = job.run(Parameters::new()).await.expect("an execution");
    assert_eq!((second.status, second.steps[0].counts.written), (BatchStatus::Completed, 2));
    assert_eq!(backend.table().await.unwrap_or(vec![0, 2, 4, 1, 3]), [0, 2, 4, 1, 3]);
    let explorer = backend.database().repository().explorer();
    let units = explorer.units(second.instance.id, "users", Some(UnitStatus::Success), Page::all()).await.expect("the log");
    assert_eq!(units.iter().map(|unit| unit.attempts).collect::<Vec<_>>(), [1, 2, 1, 2, 1]);
}

async fn each_fault_of_the_database_leaves_each_row_once<B: Backend>() {
    let faults = [Fault::Begin, Fault::StartUnit, Fault::LockLost, Fault::CommitTransient, Fault::CommitUnsent, Fault::CommitLost];
    for fault in faults {
        let (backend, failing) = (B::create().await, Failing::default());
        let database = Scripted::new(backend.database().clone()).fail(2, fault);
        let job = Job::new("statistics", &database).step("users", move |s| Ok(step::<B, _>(s, &failing).retry(Retry::times(3))));
        let run = job.run(Parameters::new()).await.expect("an execution");
        assert_eq!((run.status, run.steps[0].counts.written), (BatchStatus::Completed, 5), "{fault:?}");
        assert_eq!(backend.table().await.unwrap_or((0..5).collect()), [0, 1, 2, 3, 4], "{fault:?}");
    }
}

/// Two jobs over the same users at the same time: of each user one unit runs at a time.
async fn units_wait_for_each_others_locks<B: Backend>() {
    let (backend, inside) = (B::create().await, Failing::default());
    let job = |name: &str| {
        let inside = inside.clone();
        Job::new(name, backend.database()).step("users", move |s| {
            let inside = inside.clone();
            let work = async move |_: &mut B::Conn, user: i64| {
                if inside.lock().contains(&user) {
                    return Err("two units of a user at once".into());
                }
                inside.lock().push(user);
                tokio::task::yield_now().await;
                inside.lock().retain(|other| *other != user);
                Ok(())
            };
            let step = s.units(ListReader::new(vec![1, 2, 1, 3]), work).lock(|_| "all users".to_owned());
            Ok(step.lock_wait(std::time::Duration::from_secs(60)))
        })
    };
    let (first, second) = (job("first"), job("second"));
    let (first, second) = tokio::join!(first.run(Parameters::new()), second.run(Parameters::new()));
    for run in [first, second] {
        let run = run.expect("an execution");
        assert_eq!((run.status, run.steps[0].counts.written), (BatchStatus::Completed, 3));
    }
}

async fn a_dry_run_leaves_neither_rows_nor_a_log<B: Backend>() {
    let (backend, failing) = (B::create().await, Failing::default());
    let database = DryRun::new(backend.database());
    let job = Job::new("statistics", &database).step("users", move |s| Ok(step::<B, _>(s, &failing)));
    let run = job.run(Parameters::new()).await.expect("an execution");
    assert_eq!((run.status, run.steps[0].counts.written), (BatchStatus::Completed, 5));
    assert!(backend.table().await.unwrap_or_default().is_empty());
    let jobs = backend.database().repository().explorer().job_names().await.expect("the names");
    assert!(jobs.is_empty(), "{jobs:?}");
}

/// Keys behind a cursor that keeps so many connections.
struct Cursor(usize);

impl Reader for Cursor {
    type Item = i64;
    type Position = ();

    async fn open(&mut self, _: Option<()>) -> Result<()> {
        Ok(())
    }

    async fn read(&mut self) -> Result<Option<i64>> {
        Ok(None)
    }

    fn position(&self) {}

    fn connections(&self) -> usize {
        self.0
    }
}

#[tokio::test]
async fn a_step_whose_keys_keep_every_connection_is_refused() {
    let backend = InSqlite::create().await;
    let all = backend.database().connections().expect("a limit");
    for (kept, fits) in [(all - 1, true), (all, false)] {
        let job = Job::new(&format!("keeps {kept}"), backend.database())
            .step("users", move |s| Ok(s.units(Cursor(kept), async move |_: &mut sqlx::SqliteConnection, _: i64| Ok(()))));
        let outcome = job.run(Parameters::new()).await;
        assert_eq!(outcome.as_ref().err().map(|e| e.kind()), (!fits).then_some(ErrorKind::Configuration));
        if let Err(error) = outcome {
            assert!(error.report().contains(&format!("the reader keeps {all} and a unit needs 1 of the pool's {all}")));
        }
    }
}
