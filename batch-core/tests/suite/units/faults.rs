//! Units whose database, process or function fails.

use super::{Fails, Users, check, refused, run};
use batch_core::{
    BatchStatus, ChunkReport, ErrorKind, Job, Listener, ManualClock, Memory, Parameters, Result, Retry, UnitStatus,
    testing::{Call, Fault, Scripted},
};
use std::{sync::Arc, time::Duration};
use tokio::sync::Notify;

fn count(calls: &[Call], call: Call) -> usize {
    calls.iter().filter(|c| **c == call).count()
}

#[tokio::test(start_paused = true)]
async fn a_transient_error_is_retried_without_being_counted() {
    let (memory, users) = (Memory::new(), Users::new(3).fails(1, Fails::Busy, 2));
    let ran = run(&users.job(&memory, |users, s| users.step(s)), &memory).await;
    assert_eq!((ran.tells(), users.tried()), ("COMPLETED R=3 W=3".to_owned(), vec![0, 1, 1, 1, 2]));
    assert_eq!((ran.log(UnitStatus::Success), ran.step().counts.rollbacks), ("0x1 1x3 2x1".to_owned(), 2));
}

#[tokio::test(start_paused = true)]
async fn a_transient_error_that_does_not_end_fails_the_unit_alone() {
    let (memory, users) = (Memory::new(), Users::new(3).fails(1, Fails::Busy, 9));
    let ran = run(&users.job(&memory, |users, s| users.step(s).retry(Retry::times(2))), &memory).await;
    assert_eq!((ran.tells(), users.tried()), ("FAILED R=3 W=2 SP=1".to_owned(), vec![0, 1, 1, 2]));
    assert_eq!(ran.log(UnitStatus::Fail), "1x2");
}

#[tokio::test(start_paused = true)]
async fn a_panic_fails_the_unit_and_is_never_retried() {
    let (memory, users) = (Memory::new(), Users::new(3).fails(1, Fails::Panics, 1));
    let ran = run(&users.job(&memory, |users, s| users.step(s).retry(Retry::times(9).on(|_| true))), &memory).await;
    assert_eq!((ran.tells(), users.tried()), ("FAILED R=3 W=2 SP=1".to_owned(), vec![0, 1, 2]));
    assert_eq!(ran.units[1].error.as_deref(), Some("the unit panicked: user 1"));
}

#[tokio::test(start_paused = true)]
async fn a_unit_that_takes_too_long_is_given_up_with_its_connection() {
    let (memory, users) = (Memory::new(), Users::new(3));
    let database = Scripted::new(memory.clone());
    let job = users.job(&database, |users, s| {
        let users = users.clone();
        let work = async move |_: &mut (), user: i64| match user {
            1 => std::future::pending().await,
            user => users.meet(user).await,
        };
        s.units(super::Users::new(3).keys(), work).unit_limit(Duration::from_secs(1))
    });
    let ran = run(&job, &memory).await;
    assert_eq!((ran.tells(), users.tried()), ("FAILED R=3 W=2 SP=1".to_owned(), vec![0, 2]));
    assert_eq!(ran.units[1].error.as_deref(), Some("the unit took longer than 1s"));
    assert_eq!((count(&database.calls(), Call::Abandon), count(&database.calls(), Call::Rollback)), (1, 0));
}

/// What the second unit meets, how often its function is then called, and how many attempts are in the log.
#[tokio::test(start_paused = true)]
async fn each_fault_of_the_database_costs_an_attempt_and_no_unit() {
    let faults = [
        (Fault::Begin, 1, 2),
        (Fault::StartUnit, 1, 1),
        (Fault::CommitTransient, 2, 2),
        (Fault::CommitUnsent, 2, 2),
        (Fault::CommitLost, 1, 1),
    ];
    for (fault, calls, attempts) in faults {
        let (memory, users) = (Memory::new(), Users::new(3));
        let database = Scripted::new(memory.clone()).fail(2, fault);
        let ran = run(&users.job(&database, |users, s| users.step(s)), &memory).await;
        let tried = users.tried().into_iter().filter(|user| *user == 1).count();
        assert_eq!((ran.tells(), tried), ("COMPLETED R=3 W=3".to_owned(), calls), "{fault:?}");
        assert_eq!(ran.log(UnitStatus::Success), format!("0x1 1x{attempts} 2x1"), "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_data_error_at_the_commit_fails_the_unit_alone() {
    let (memory, users) = (Memory::new(), Users::new(3));
    let database = Scripted::new(memory.clone()).fail(2, Fault::CommitData);
    let ran = run(&users.job(&database, |users, s| users.step(s)), &memory).await;
    assert_eq!((ran.tells(), ran.log(UnitStatus::Fail)), ("FAILED R=3 W=2 SP=1".to_owned(), "1x1".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_recorded_once_whatever_the_repository_answers() {
    for fault in [Fault::RecordTransient, Fault::RecordLost, Fault::RecordUnsent] {
        let (memory, users) = (Memory::new(), Users::new(3).fails(1, Fails::Badly, 1));
        let database = Scripted::new(memory.clone()).fail(1, fault).fail(2, fault);
        let ran = run(&users.job(&database, |users, s| users.step(s)), &memory).await;
        assert_eq!((ran.tells(), users.tried()), ("FAILED R=3 W=2 SP=1".to_owned(), vec![0, 1, 2]), "{fault:?}");
        assert_eq!(ran.log(UnitStatus::Fail), "1x1", "{fault:?}");
    }
}

/// Says when an attempt began, and lets it go on when it is told to.
#[derive(Clone, Default)]
struct Gate {
    reached: Arc<Notify>,
    open: Arc<Notify>,
}

impl Gate {
    async fn pass(&self) {
        self.reached.notify_one();
        self.open.notified().await;
    }
}

/// Holds the run after its first unit.
struct HoldsAfterFirst(Gate);

#[async_trait::async_trait]
impl Listener for HoldsAfterFirst {
    async fn after_chunk(&self, report: &ChunkReport<'_>) -> Result<()> {
        if report.step.counts.read == 1 {
            self.0.pass().await;
        }
        Ok(())
    }
}

fn parameters() -> Parameters {
    Parameters::new().set("month", "2026-03")
}

/// A job that is held in the work of user 1 the first time.
fn held_in_the_middle(users: &Users, memory: &Memory, gate: Option<&Gate>) -> Job<Memory> {
    let gate = gate.cloned();
    users.job(memory, move |users, s| {
        let (users, gate) = (users.clone(), gate.clone());
        let keys = users.keys();
        let work = async move |_: &mut (), user: i64| {
            users.meet(user).await?;
            if let Some(gate) = gate.filter(|_| user == 1) {
                gate.pass().await;
            }
            Ok(())
        };
        s.units(keys, work)
    })
}

#[tokio::test]
async fn a_unit_that_was_running_when_its_process_died_is_run_again() {
    let (memory, users, gate) = (Memory::new(), Users::new(3), Gate::default());
    let killed = held_in_the_middle(&users, &memory, Some(&gate));
    tokio::select! {
        _ = killed.run(parameters()) => panic!("it is held"),
        () = gate.reached.notified() => {}
    }
    assert_eq!(users.tried(), [0, 1]);
    let ran = run(&held_in_the_middle(&users, &memory, None), &memory).await;
    assert_eq!((ran.tells(), users.tried()), ("COMPLETED R=2 W=2".to_owned(), vec![1, 2]));
    assert_eq!(ran.log(UnitStatus::Success), "0x1 1x2 2x1");
}

/// Runs `old` to where it is held, lets another process take over and complete, and lets `old` go on; returns how it ended.
async fn taken_over(old: &Job<Memory>, new: &Job<Memory>, gate: &Gate, clock: &ManualClock, memory: &Memory) -> ErrorKind {
    let successor = async {
        gate.reached.notified().await;
        clock.advance(Duration::from_secs(3600));
        let ran = check(new.run(parameters()).await.unwrap(), memory).await;
        assert_eq!(ran.execution.status, BatchStatus::Completed);
        gate.open.notify_one();
    };
    let (ended, ()) = tokio::join!(old.run(parameters()), successor);
    ended.unwrap_err().kind()
}

#[tokio::test]
async fn a_process_that_was_taken_over_starts_no_other_unit() {
    let clock = ManualClock::at(chrono::Utc::now());
    let (memory, users, others, gate) = (Memory::with_clock(clock.clone()), Users::new(3), Users::new(3), Gate::default());
    let holds = gate.clone();
    let old = users.job(&memory, move |users, s| users.step(s).listener(HoldsAfterFirst(holds.clone())));
    let new = others.job(&memory, |users, s| users.step(s));
    assert_eq!(taken_over(&old, &new, &gate, &clock, &memory).await, ErrorKind::NotOwner);
    assert_eq!((users.tried(), others.tried()), (vec![0], vec![1, 2]));
}

#[tokio::test]
async fn a_process_that_was_taken_over_ends_no_unit() {
    let clock = ManualClock::at(chrono::Utc::now());
    let (memory, users, others, gate) = (Memory::with_clock(clock.clone()), Users::new(3), Users::new(3), Gate::default());
    let old = held_in_the_middle(&users, &memory, Some(&gate));
    let new = others.job(&memory, |users, s| users.step(s));
    assert_eq!(taken_over(&old, &new, &gate, &clock, &memory).await, ErrorKind::NotOwner);
    assert_eq!((users.tried(), others.tried()), (vec![0, 1], vec![1, 2]));
    assert_eq!(refused(&new).await.kind(), ErrorKind::AlreadyComplete);
}
