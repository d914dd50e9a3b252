//! Any schedule of failures: each unit is done once, and the counts add up in every stored row.

use super::{Fails, Users, check};
use batch_core::{
    BatchStatus, Job, JobExplorer, Memory, Page, Parameters, Retry, UnitStatus,
    testing::{Fault, Scripted},
};
use proptest::{collection::vec, option, prelude::*, sample::select, test_runner::TestRunner};
use std::time::Duration;

#[derive(Debug, Clone)]
struct Plan {
    users: i64,
    fails: Vec<(i64, Fails, usize)>,
    faults: Vec<(usize, Fault)>,
    attempts: u32,
    limit: Option<u64>,
    max_failures: Option<u64>,
    locks: bool,
}

fn plans() -> impl Strategy<Value = Plan> {
    let fails = (0_i64..20, select(vec![Fails::Badly, Fails::Busy, Fails::Panics]), 1_usize..4);
    let faults = select(vec![
        Fault::Begin,
        Fault::StartUnit,
        Fault::LockLost,
        Fault::CommitTransient,
        Fault::CommitData,
        Fault::CommitLost,
        Fault::CommitUnsent,
        Fault::RecordTransient,
        Fault::RecordLost,
        Fault::RecordUnsent,
    ]);
    let limits = (option::weighted(0.3, 1_u64..10), option::weighted(0.3, 0_u64..4));
    (0_i64..20, vec(fails, 0..8), vec((1_usize..20, faults), 0..6), 1_u32..4, limits, any::<bool>()).prop_map(
        |(users, fails, faults, attempts, (limit, max_failures), locks)| Plan {
            users,
            fails,
            faults,
            attempts,
            limit,
            max_failures,
            locks,
        },
    )
}

#[test]
fn every_unit_is_done_once_and_counts_add_up() {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(2_000);
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    TestRunner::new(config)
        .run(&plans(), |plan| {
            runtime.block_on(to_the_end(&plan));
            Ok(())
        })
        .unwrap();
}

fn job(plan: &Plan, users: &Users, database: &Scripted<Memory>) -> Job<Scripted<Memory>> {
    let plan = plan.clone();
    users.job(database, move |users, s| {
        let mut step = users.step(s).retry(Retry::times(plan.attempts).constant(Duration::from_millis(10)));
        if plan.locks {
            step = step.lock(|user| format!("user {user}"));
        }
        match plan.max_failures {
            Some(most) => step.max_failures(most),
            None => step,
        }
    })
}

/// Launches the job again and again until it completes, checking the repository after each try.
async fn to_the_end(plan: &Plan) {
    let memory = Memory::new();
    let users = plan.fails.iter().fold(Users::new(plan.users), |users, (user, how, times)| users.fails(*user, *how, *times));
    let database = plan.faults.iter().fold(Scripted::new(memory.clone()), |db, (nth, fault)| db.fail(*nth, *fault));
    let job = job(plan, &users, &database);
    for attempt in 0.. {
        assert!(attempt < 100, "the job does not end");
        let mut run = job.launch(Parameters::new());
        if let Some(limit) = plan.limit {
            run = run.limit(limit);
        }
        let ran = check(run.run().await.unwrap(), &memory).await;
        if ran.execution.status == BatchStatus::Completed {
            let done = ran.units.iter().filter(|unit| unit.status == UnitStatus::Success).count();
            assert_eq!((done, ran.units.len()), (usize::try_from(plan.users).unwrap(), done));
            break;
        }
    }
    check_whole(plan, &memory).await;
}

/// Over all tries: each unit succeeded once, and every failure has its skip record.
async fn check_whole(plan: &Plan, memory: &Memory) {
    let instance = memory.instances("statistics", Page::all()).await.unwrap().remove(0).id;
    let (mut written, mut read, mut commits) = (0, 0, 0);
    let mut last = None;
    for execution in memory.executions(instance).await.unwrap().into_iter().rev() {
        for step in memory.steps(execution.id).await.unwrap() {
            (written, read) = (written + step.counts.written, read + step.counts.read);
            commits += i64::try_from(step.counts.commits).unwrap();
            last = Some(step);
        }
    }
    assert_eq!(written, plan.users.unsigned_abs(), "each unit is written once");
    let last = last.unwrap();
    assert_eq!((last.commit_no, last.checkpoint.read), (commits, read));
}
