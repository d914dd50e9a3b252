//! Named locks of units and of steps.

use super::{Users, refused, run, run_with};
use batch_core::{
    BatchStatus, ErrorKind, HeldLock, Job, JobRepository, Memory, Parameters, Retry, StepOptions, StopHandle, UnitStatus,
    testing::{Call, Fault, Scripted},
};
use std::time::Duration;
use tokio::time::{Instant, sleep};

const SECOND: Duration = Duration::from_secs(1);

async fn taken(memory: &Memory, name: &str) -> Box<dyn HeldLock> {
    memory.locks().acquire(name, Duration::ZERO).await.unwrap()
}

async fn is_free(memory: &Memory, name: &str) -> bool {
    memory.locks().acquire(name, Duration::ZERO).await.is_ok()
}

#[tokio::test(start_paused = true)]
async fn a_unit_whose_lock_is_held_fails_alone_and_never_begins() {
    let (memory, users) = (Memory::new(), Users::new(3));
    let job = users.job(&memory, |users, s| users.step(s).lock(|user| format!("user {user}")));
    let held = taken(&memory, "user 1").await;
    let ran = run(&job, &memory).await;
    assert_eq!((ran.tells(), users.tried()), ("FAILED R=3 W=2 SP=1".to_owned(), vec![0, 2]));
    assert_eq!(ran.log(UnitStatus::Fail), "1x0");
    let error = ran.units[1].error.as_deref().unwrap();
    assert!(error.contains("the lock `user 1` is held by") && error.contains("process"), "{error}");
    held.release().await;
    assert_eq!(run(&job, &memory).await.tells(), "COMPLETED R=1 W=1");
}

#[tokio::test(start_paused = true)]
async fn a_unit_waits_for_its_lock_by_its_limit_and_by_its_policy() {
    // Free after 3 s: within the wait of one attempt, or before the last of the attempts.
    for (wait, retry) in [(5 * SECOND, Retry::times(1)), (Duration::ZERO, Retry::times(5).constant(SECOND))] {
        let (memory, users) = (Memory::new(), Users::new(2));
        let job = users
            .job(&memory, move |users, s| users.step(s).lock(|user| format!("user {user}")).lock_wait(wait).retry(retry.clone()));
        let held = taken(&memory, "user 1").await;
        let frees = async {
            sleep(3 * SECOND).await;
            held.release().await;
        };
        let (ran, ()) = tokio::join!(run(&job, &memory), frees);
        assert_eq!((ran.tells(), users.tried()), ("COMPLETED R=2 W=2".to_owned(), vec![0, 1]));
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_the_wait_for_a_lock() {
    let (memory, users, stop) = (Memory::new(), Users::new(2), StopHandle::new());
    let job = users.job(&memory, |users, s| users.step(s).lock(|user| format!("user {user}")).lock_wait(3600 * SECOND));
    let held = taken(&memory, "user 1").await;
    let (begun, stops) = (Instant::now(), async {
        sleep(10 * SECOND).await;
        stop.stop();
    });
    let (ran, ()) = tokio::join!(run_with(&job, &memory, &stop), stops);
    assert_eq!((ran.tells(), users.tried()), ("STOPPED R=1 W=1".to_owned(), vec![0]));
    assert!(begun.elapsed() < 20 * SECOND, "by the paused clock");
    drop(held);
}

#[tokio::test]
async fn a_lock_is_held_while_its_unit_runs_and_no_longer() {
    let (memory, users) = (Memory::new(), Users::new(2));
    let looks = memory.clone();
    let job = users.job(&memory, move |users, s| {
        let looks = looks.clone();
        let work = async move |_: &mut (), user: i64| {
            let free = [is_free(&looks, "user 0").await, is_free(&looks, "user 1").await];
            if free == [user == 1, user == 0] { Ok(()) } else { Err(format!("{free:?}").into()) }
        };
        s.units(users.keys(), work).lock(|user| format!("user {user}"))
    });
    assert_eq!(run(&job, &memory).await.tells(), "COMPLETED R=2 W=2");
    assert!(is_free(&memory, "user 0").await && is_free(&memory, "user 1").await);
}

#[tokio::test(start_paused = true)]
async fn a_unit_whose_lock_was_lost_is_not_committed() {
    let (memory, users) = (Memory::new(), Users::new(2));
    let database = Scripted::new(memory.clone()).fail(2, Fault::LockLost);
    let job = users.job(&database, |users, s| users.step(s).lock(|user| format!("user {user}")));
    let ran = run(&job, &memory).await;
    assert_eq!((ran.tells(), users.tried()), ("COMPLETED R=2 W=2".to_owned(), vec![0, 1, 1]));
    let calls = database.calls();
    let lost = calls.iter().enumerate().filter(|(_, call)| **call == Call::CheckLock).nth(1).unwrap().0;
    assert_eq!(calls[lost + 1], Call::Rollback);
}

#[tokio::test]
async fn a_panic_in_naming_a_lock_fails_its_unit() {
    let (memory, users) = (Memory::new(), Users::new(2));
    let name = |user: &i64| if *user == 0 { panic!("no name") } else { "user".to_owned() };
    let ran = run(&users.job(&memory, move |users, s| users.step(s).lock(name)), &memory).await;
    assert_eq!((ran.tells(), ran.log(UnitStatus::Fail)), ("FAILED R=2 W=1 SP=1".to_owned(), "0x0".to_owned()));
}

/// A job of one step that needs the lock `statistics`.
fn locked(users: &Users, memory: &Scripted<Memory>, wait: Duration) -> Job<Scripted<Memory>> {
    let users = users.clone();
    let options = StepOptions::new().lock("statistics").lock_wait(wait);
    Job::new("statistics", memory).step_with("users", options, move |s| Ok(users.step(s)))
}

#[tokio::test]
async fn a_step_whose_lock_is_held_is_refused() {
    let (memory, users) = (Memory::new(), Users::new(2));
    let job = locked(&users, &Scripted::new(memory.clone()), Duration::ZERO);
    let held = taken(&memory, "statistics").await;
    let error = refused(&job).await;
    assert_eq!((error.kind(), users.tried()), (ErrorKind::AlreadyRunning, vec![]));
    assert!(error.report().contains("step users") && error.report().contains("`statistics`"), "{}", error.report());
    held.release().await;
    assert_eq!(run(&job, &memory).await.tells(), "COMPLETED R=2 W=2");
    assert!(is_free(&memory, "statistics").await);
}

#[tokio::test(start_paused = true)]
async fn a_step_waits_for_its_lock() {
    let (memory, users) = (Memory::new(), Users::new(2));
    let job = locked(&users, &Scripted::new(memory.clone()), 60 * SECOND);
    let held = taken(&memory, "statistics").await;
    let frees = async {
        sleep(30 * SECOND).await;
        held.release().await;
    };
    let (ran, ()) = tokio::join!(run(&job, &memory), frees);
    assert_eq!(ran.tells(), "COMPLETED R=2 W=2");
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_a_steps_wait_for_its_lock() {
    let (memory, users, stop) = (Memory::new(), Users::new(2), StopHandle::new());
    let job = locked(&users, &Scripted::new(memory.clone()), 3600 * SECOND);
    let _held = taken(&memory, "statistics").await;
    let stops = async {
        sleep(30 * SECOND).await;
        stop.stop();
    };
    let (ran, ()) = tokio::join!(run_with(&job, &memory, &stop), stops);
    assert_eq!((ran.execution.status, users.tried()), (BatchStatus::Stopped, vec![]));
}

#[tokio::test]
async fn a_step_that_lost_its_lock_is_not_complete() {
    let (memory, users) = (Memory::new(), Users::new(2));
    let job = locked(&users, &Scripted::new(memory.clone()).fail(1, Fault::LockLost), Duration::ZERO);
    let ran = run(&job, &memory).await;
    assert_eq!(ran.tells(), "FAILED R=2 W=2");
    assert!(ran.message().contains("the step's lock was lost while it ran"), "{}", ran.message());
    assert!(is_free(&memory, "statistics").await);
    assert_eq!(run(&job, &memory).await.tells(), "COMPLETED");
}

#[tokio::test]
async fn a_step_that_fails_gives_its_lock_back() {
    let (memory, users) = (Memory::new(), Users::new(2).fails(0, super::Fails::Badly, 1));
    let job = locked(&users, &Scripted::new(memory.clone()), Duration::ZERO);
    assert_eq!(run(&job, &memory).await.tells(), "FAILED R=2 W=1 SP=1");
    assert!(is_free(&memory, "statistics").await);
}

#[tokio::test]
async fn a_step_that_is_complete_needs_no_lock() {
    let (memory, users) = (Memory::new(), Users::new(1));
    let first = users.clone();
    let job = Job::new("statistics", &memory)
        .step_with("users", StepOptions::new().lock("statistics"), move |s| Ok(first.step(s)))
        .step("last", |s| Ok(Users::new(1).fails(0, super::Fails::Badly, 9).step(s)));
    let _ = job.run(Parameters::new()).await.unwrap();
    let _held = taken(&memory, "statistics").await;
    let again = job.run(Parameters::new()).await.unwrap();
    assert_eq!((again.status, again.steps.len(), users.tried()), (BatchStatus::Failed, 1, vec![0]));
}
