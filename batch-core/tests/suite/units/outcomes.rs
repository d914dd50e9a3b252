//! Who is run, and how the step ends.

use super::{Fails, Ran, Users, check, refused, run, run_with};
use batch_core::{
    BatchStatus, ChunkReport, ErrorKind, ItemError, Job, JobExplorer, ListReader, ListWriter, Listener, Memory, Page, Parameters,
    Phase, Result, Retry, SkipRecord, StepExecution, StepOptions, StopHandle, UnitCounts, UnitRecord, UnitStatus,
};
use parking_lot::Mutex;
use std::sync::Arc;

#[tokio::test]
async fn a_unit_that_fails_undoes_no_other() {
    let (memory, users) = (Memory::new(), Users::new(5).fails(2, Fails::Badly, 1));
    let ran = run(&users.job(&memory, |users, s| users.step(s)), &memory).await;
    assert_eq!((ran.tells(), ran.execution.exit_code()), ("FAILED R=5 W=4 SP=1".to_owned(), 1));
    assert_eq!((ran.log(UnitStatus::Success), ran.log(UnitStatus::Fail)), ("0x1 1x1 3x1 4x1".to_owned(), "2x1".to_owned()));
    assert_eq!(ran.units[2].error.as_deref(), Some("user 2 has no account"));
    let expected = "1 of 5 units failed; launch again to run only those; the first was 2 (job statistics, step users): \
                    user 2 has no account";
    assert_eq!(ran.message(), expected);
    let skip = SkipRecord {
        phase: Phase::Process,
        number: 2,
        line: None,
        byte: None,
        column: None,
        reason: "user 2 has no account".to_owned(),
        item: Some("2".to_owned()),
    };
    assert_eq!(memory.skips(ran.step().id, Page::all()).await.unwrap(), [skip]);
    let counts = memory.unit_counts(ran.execution.instance.id, "users").await.unwrap();
    assert_eq!(counts, UnitCounts { in_progress: 0, success: 4, fail: 1 });
}

#[tokio::test]
async fn a_recovery_runs_only_those_that_failed() {
    let (memory, users) = (Memory::new(), Users::new(6).fails(2, Fails::Badly, 2).fails(4, Fails::Badly, 1));
    let job = users.job(&memory, |users, s| users.step(s));
    assert_eq!((run(&job, &memory).await.tells(), users.tried()), ("FAILED R=6 W=4 SP=2".to_owned(), (0..6).collect()));
    assert_eq!((run(&job, &memory).await.tells(), users.tried()), ("FAILED R=2 W=1 SP=1".to_owned(), vec![2, 4]));
    let last = run(&job, &memory).await;
    assert_eq!((last.tells(), users.tried()), ("COMPLETED R=1 W=1".to_owned(), vec![2]));
    assert_eq!(last.log(UnitStatus::Success), "0x1 1x1 2x3 3x1 4x2 5x1");
    assert_eq!((last.step().checkpoint.read, last.step().commit_no), (9, 9));
    assert_eq!(refused(&job).await.kind(), ErrorKind::AlreadyComplete);
}

#[tokio::test]
async fn more_failures_than_allowed_end_the_step() {
    let users = (0..9).fold(Users::new(9), |users, user| users.fails(user, Fails::Badly, 1));
    let memory = Memory::new();
    let job = users.job(&memory, |users, s| users.step(s).max_failures(2));
    let ran = run(&job, &memory).await;
    assert_eq!((ran.tells(), users.tried()), ("FAILED R=3 SP=3".to_owned(), vec![0, 1, 2]));
    assert!(ran.message().starts_with("more than 2 units failed, and the rest was not tried"), "{}", ran.message());
    users.heal();
    assert_eq!((run(&job, &memory).await.tells(), users.tried()), ("COMPLETED R=9 W=9".to_owned(), (0..9).collect()));
}

#[tokio::test]
async fn without_keys_the_step_is_complete() {
    let memory = Memory::new();
    assert_eq!(run(&Users::new(0).job(&memory, |users, s| users.step(s)), &memory).await.tells(), "COMPLETED");
}

#[tokio::test]
async fn keys_are_looked_up_page_by_page() {
    let (memory, users) = (Memory::new(), Users::new(1_203).fails(700, Fails::Badly, 1).fails(1_202, Fails::Badly, 1));
    let job = users.job(&memory, |users, s| users.step(s));
    assert_eq!(run(&job, &memory).await.tells(), "FAILED R=1203 W=1201 SP=2");
    users.tried();
    assert_eq!((run(&job, &memory).await.tells(), users.tried()), ("COMPLETED R=2 W=2".to_owned(), vec![700, 1_202]));
}

#[tokio::test]
async fn a_key_that_comes_twice_is_run_once() {
    let (memory, users) = (Memory::new(), Users::new(0).fails(1, Fails::Badly, 1));
    let keys: Vec<i64> = [1, 2, 1].into_iter().chain(10..600).chain([2, 1]).collect();
    let job = users.job(&memory, move |users, s| s.units(ListReader::new(keys.clone()), users.work()));
    assert_eq!(run(&job, &memory).await.tells(), "FAILED R=592 W=591 SP=1");
    let tried = users.tried();
    assert_eq!([1, 2].map(|user| tried.iter().filter(|t| **t == user).count()), [1, 1]);
}

#[tokio::test]
async fn a_key_is_told_by_its_json() {
    #[derive(Clone, serde::Serialize)]
    struct Key {
        tenant: &'static str,
        user: i64,
    }
    let memory = Memory::new();
    let job = Job::new("statistics", &memory).step("users", |s| {
        let keys = ListReader::new(vec![Key { tenant: "a", user: 1 }, Key { tenant: "b", user: 1 }]);
        Ok(s.units(keys, async move |_: &mut (), _: Key| Ok(())))
    });
    let ran = run(&job, &memory).await;
    assert_eq!(
        ran.units.iter().map(|u| u.key.as_str()).collect::<Vec<_>>(),
        [r#"{"tenant":"a","user":1}"#, r#"{"tenant":"b","user":1}"#]
    );
}

#[tokio::test]
async fn a_key_that_is_too_long_is_named_and_nothing_is_run() {
    let memory = Memory::new();
    for (length, fits) in [(UnitRecord::KEY_LIMIT - 2, true), (UnitRecord::KEY_LIMIT - 1, false)] {
        let key = "é".repeat(length);
        let job = Job::new(&format!("statistics of {length}"), &memory).step("users", move |s| {
            Ok(s.units(ListReader::new(vec!["short".to_owned(), key.clone()]), async move |_: &mut (), _: String| Ok(())))
        });
        let outcome = job.run(Parameters::new()).await;
        assert_eq!(outcome.is_ok(), fits);
        if let Err(error) = outcome {
            assert_eq!(error.kind(), ErrorKind::Configuration);
            assert!(
                error.report().contains("more than 500 characters") && error.report().contains("unit \"ééé"),
                "{}",
                error.report()
            );
            let instance = memory.instances(job.name(), Page::all()).await.unwrap().remove(0);
            assert!(memory.units(instance.id, "users", None, Page::all()).await.unwrap().is_empty());
        }
    }
}

/// A job whose parameter `user` names the one to be run by hand.
fn with_parameter(users: &Users, memory: &Memory) -> Job<Memory> {
    let users = users.clone();
    Job::new("statistics", memory).step("users", move |s| {
        let step = users.step(s);
        Ok(match s.parameter("user")? {
            Some(user) => step.only(vec![user]),
            None => step,
        })
    })
}

async fn by_hand(job: &Job<Memory>, memory: &Memory, user: i64) -> Ran {
    let parameters = Parameters::new().set("month", "2026-03").set_other("user", user);
    check(job.run(parameters).await.unwrap(), memory).await
}

#[tokio::test]
async fn units_run_by_hand_are_run_alone_also_when_they_are_done() {
    let (memory, users) = (Memory::new(), Users::new(5).fails(1, Fails::Badly, 1).fails(3, Fails::Badly, 1));
    let job = with_parameter(&users, &memory);
    run(&job, &memory).await;
    users.tried();
    // User 3 is still to be done, so that the job is not complete.
    for user in [1, 0] {
        let ran = by_hand(&job, &memory, user).await;
        assert_eq!((ran.tells(), users.tried()), ("STOPPED R=1 W=1".to_owned(), vec![user]));
        assert_eq!((ran.execution.exit_code(), ran.log(UnitStatus::Fail)), (3, "3x1".to_owned()));
    }
    let ran = by_hand(&job, &memory, 3).await;
    assert_eq!((ran.tells(), users.tried()), ("COMPLETED R=1 W=1".to_owned(), vec![3]));
    assert_eq!(ran.log(UnitStatus::Success), "0x2 1x2 2x1 3x2 4x1");
}

#[tokio::test]
async fn a_done_unit_that_fails_by_hand_is_to_be_done_again() {
    let (memory, users) = (Memory::new(), Users::new(3).fails(2, Fails::Badly, 1));
    let job = with_parameter(&users, &memory);
    run(&job, &memory).await;
    let users = users.fails(0, Fails::Badly, 1);
    assert_eq!(by_hand(&job, &memory, 0).await.tells(), "FAILED R=1 SP=1");
    users.tried();
    assert_eq!((run(&job, &memory).await.tells(), users.tried()), ("COMPLETED R=2 W=2".to_owned(), vec![0, 2]));
}

#[tokio::test]
async fn a_unit_run_by_hand_that_is_no_key_fails_the_step() {
    let (memory, users) = (Memory::new(), Users::new(3));
    let job = users.job(&memory, |users, s| users.step(s).only(vec![1, 7]));
    let error = refused(&job).await;
    assert_eq!((error.kind(), users.tried()), (ErrorKind::Configuration, vec![1]));
    assert!(error.report().contains("the unit 7 was to be run alone, but the reader does not yield it"), "{}", error.report());
}

/// Stops the run after the unit of that number.
struct Stops(StopHandle, u64);

#[async_trait::async_trait]
impl Listener for Stops {
    async fn after_chunk(&self, report: &ChunkReport<'_>) -> Result<()> {
        if report.step.counts.read == self.1 {
            self.0.stop();
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_stop_ends_the_step_between_units() {
    let (memory, users, stop) = (Memory::new(), Users::new(5).fails(0, Fails::Badly, 1), StopHandle::new());
    let stops = stop.clone();
    let job = users.job(&memory, move |users, s| users.step(s).listener(Stops(stops.clone(), 3)));
    let ran = run_with(&job, &memory, &stop).await;
    assert_eq!((ran.tells(), users.tried()), ("STOPPED R=3 W=2 SP=1".to_owned(), vec![0, 1, 2]));
    let ran = run(&job, &memory).await;
    assert_eq!((ran.tells(), users.tried()), ("COMPLETED R=3 W=3".to_owned(), vec![0, 3, 4]));
}

#[tokio::test]
async fn a_run_of_so_many_records_is_one_of_so_many_units() {
    let (memory, users) = (Memory::new(), Users::new(5));
    let job = users.job(&memory, |users, s| users.step(s));
    let run = async || job.launch(Parameters::new()).limit(2).run().await.unwrap().status;
    let statuses = [run().await, run().await, run().await];
    assert_eq!(statuses, [BatchStatus::Stopped, BatchStatus::Stopped, BatchStatus::Completed]);
    assert_eq!(users.tried(), [0, 1, 2, 3, 4]);
}

#[tokio::test]
async fn a_completed_step_that_is_run_again_runs_all_units() {
    let (memory, users) = (Memory::new(), Users::new(3));
    let (first, fails) = (users.clone(), Arc::new(Mutex::new(2)));
    let job = Job::new("statistics", &memory).step_with("users", StepOptions::new().rerun(), move |s| Ok(first.step(s))).step(
        "last",
        move |s| {
            let mut fails = fails.lock();
            *fails -= 1;
            Ok(Users::new(1).fails(0, Fails::Badly, usize::from(*fails > 0)).step(s))
        },
    );
    let statuses = [run(&job, &memory).await.execution.status, {
        users.clone().fails(1, Fails::Badly, 1);
        run(&job, &memory).await.execution.status
    }];
    assert_eq!((statuses, users.tried()), ([BatchStatus::Failed; 2], vec![0, 1, 2, 0, 1, 2]));
    // The second round failed: it is gone on with, not begun anew.
    let last = run(&job, &memory).await;
    assert_eq!((last.execution.status, users.tried()), (BatchStatus::Completed, vec![1]));
}

#[tokio::test]
async fn the_position_of_another_kind_of_step_is_refused() {
    let (memory, users) = (Memory::new(), Users::new(3));
    let chunks = Job::new("statistics", &memory).step("users", |s| {
        Ok(s.chunk(1, ListReader::new(vec![1, 0]))
            .map(|n| if n > 0 { Ok(n) } else { Err("zero".into()) })
            .writer(ListWriter::new()))
    });
    assert_eq!(run(&chunks, &memory).await.execution.status, BatchStatus::Failed);
    let error = refused(&users.job(&memory, |users, s| users.step(s))).await;
    assert_eq!((error.kind(), users.tried()), (ErrorKind::NeedsOperator, vec![]));
}

/// Notes what is heard.
#[derive(Clone, Default)]
struct Diary(Arc<Mutex<Vec<String>>>);

#[async_trait::async_trait]
impl Listener for Diary {
    async fn before_chunk(&self, _: &StepExecution) -> Result<()> {
        self.0.lock().push("before".to_owned());
        Ok(())
    }

    async fn after_chunk(&self, report: &ChunkReport<'_>) -> Result<()> {
        self.0.lock().push(format!("after {}/{}", report.chunk.written, report.chunk.process_skips));
        Ok(())
    }

    fn on_error(&self, error: &ItemError<'_>) {
        self.0.lock().push(format!("error {:?}", error.number));
    }

    fn on_skip(&self, skip: &SkipRecord) {
        self.0.lock().push(format!("skip {}", skip.number));
    }
}

#[tokio::test(start_paused = true)]
async fn listeners_hear_a_unit_as_a_chunk_of_one() {
    let (memory, users, diary) = (Memory::new(), Users::new(2).fails(1, Fails::Busy, 9), Diary::default());
    let heard = diary.clone();
    let job = users.job(&memory, move |users, s| users.step(s).retry(Retry::times(2)).listener(diary.clone()));
    run(&job, &memory).await;
    let expected = ["before", "after 1/0", "before", "error Some(1)", "error Some(1)", "skip 1", "after 0/1"];
    assert_eq!(*heard.0.lock(), expected);
}
