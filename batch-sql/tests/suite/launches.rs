//! One active execution an instance, and what a launch says when it does not begin one.

use crate::fixture::{Fixture, commit, guard, launch, lease, owner, step_end, step_start};
use batch_core::{
    BatchStatus, ErrorKind, JobRepository, Owner, Parameters, Transactions,
    repository::{CommitError, Launch},
};
use std::sync::Arc;

#[tokio::test]
async fn a_launch_begins_an_execution_with_its_parameters() {
    let f = Fixture::new().await;
    let me = owner();
    let parameters = Parameters::new()
        .set("input", "a;'\"\0b")
        .set("day", "2026-02-28".parse::<chrono::NaiveDate>().unwrap())
        .set_other("rate", 0.5)
        .set_other("files", vec!["a", "b"])
        .set_secret("password", "hunter2");
    let launched = f.repository.launch(&Launch { parameters: parameters.clone(), ..launch("import", &me) }).await.unwrap();
    assert_eq!((launched.execution.status, launched.previous, launched.taken_over), (BatchStatus::Started, None, None));
    let stored = f.repository.explorer().execution(launched.execution.id).await.unwrap();
    assert_eq!(stored, launched.execution);
    assert_eq!(stored.parameters, parameters.stored());
    let everything = f.text("SELECT group_concat(name || type || value) FROM batch_parameter").await;
    assert!(!everything.contains("hunter2") && !everything.contains("password"));
}

#[tokio::test]
async fn a_second_launch_is_refused_while_the_first_may_be_alive() {
    let f = Fixture::new().await;
    let first = f.launch(&owner()).await.unwrap();
    let error = f.launch(&owner()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyRunning);
    let report = error.report();
    for part in [
        "already running",
        &format!("process {}", std::process::id()),
        "lease ends in 30 s",
        &format!("execution {}", first.execution.id),
    ] {
        assert!(report.contains(part), "{report}");
    }
}

#[tokio::test]
async fn a_launch_whose_answer_was_lost_recognises_itself() {
    let f = Fixture::new().await;
    let me = owner();
    let first = f.launch(&me).await.unwrap();
    let again = f.launch(&me).await.unwrap();
    assert_eq!(first.execution, again.execution);
    assert_eq!(f.number("SELECT count(*) FROM batch_execution").await, 1);
}

#[tokio::test]
async fn a_completed_instance_is_never_run_again() {
    let f = Fixture::new().await;
    let me = owner();
    let launched = f.launch(&me).await.unwrap();
    f.end_job(&launched, &me, BatchStatus::Completed).await.unwrap();
    let error = f.launch(&owner()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyComplete);
    assert!(error.report().contains("completed with these parameters at 2026-03-01T12:00:03"), "{}", error.report());
}

#[tokio::test]
async fn a_failed_instance_is_restarted_with_its_context() {
    let f = Fixture::new().await;
    let me = owner();
    let (launched, step) = f.running(&me).await;
    let mut end = step_end(&step, &me, BatchStatus::Completed);
    end.job_context = Some(serde_json::from_value(serde_json::json!({"total": 7})).unwrap());
    f.repository.end_step(&end).await.unwrap();
    f.end_job(&launched, &me, BatchStatus::Failed).await.unwrap();
    let again = f.launch(&owner()).await.unwrap();
    assert_eq!(again.execution.instance, launched.execution.instance);
    assert_eq!(again.execution.context.get::<i64>("total").unwrap(), 7);
    let previous = again.previous.unwrap();
    assert_eq!((previous.id, previous.status), (launched.execution.id, BatchStatus::Failed));
}

#[tokio::test]
async fn a_job_that_is_not_restartable_and_an_abandoned_one_need_an_operator() {
    let f = Fixture::new().await;
    let me = owner();
    let launched = f.launch(&me).await.unwrap();
    f.end_job(&launched, &me, BatchStatus::Failed).await.unwrap();
    let error = f.repository.launch(&Launch { restartable: false, ..launch("import", &owner()) }).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NeedsOperator);
    assert!(error.to_string().contains("not restartable"));

    assert_eq!(f.repository.abandon(launched.execution.id).await.unwrap(), BatchStatus::Failed);
    let error = f.launch(&owner()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NeedsOperator);
    assert!(error.to_string().contains("ABANDONED"));
}

#[tokio::test]
async fn a_dead_owner_is_taken_over_at_once_and_fenced() {
    let f = Fixture::new().await;
    // Its token is not among this process's running ones.
    let dead = Owner::current();
    let (old, step) = f.running(&dead).await;
    let tx = f.db.begin().await.unwrap();
    f.db.commit(tx, &commit(&step, &dead)).await.unwrap();
    let new_owner = owner();
    let new = f.launch(&new_owner).await.unwrap();
    let taken = new.taken_over.clone().unwrap();
    assert_eq!(taken.execution, old.execution.id);
    assert!(taken.reason.contains("was dropped"), "{}", taken.reason);

    let closed = f.repository.explorer().execution(old.execution.id).await.unwrap();
    assert_eq!((closed.status, closed.steps[0].status), (BatchStatus::Failed, BatchStatus::Failed));
    assert_eq!(closed.steps[0].epoch, step.epoch + 1);
    assert!(closed.exit_status.message.contains("taken over by process"), "{}", closed.exit_status.message);
    fenced(&f, &dead, &old, &step).await;

    let resumed = f.step(&new, &new_owner, "load").await;
    assert_eq!((resumed.checkpoint.read, resumed.commit_no, resumed.start_no), (10, 1, 2));
}

/// Nothing of the old owner takes effect.
async fn fenced(f: &Fixture, old: &Owner, launched: &batch_core::repository::Launched, step: &batch_core::StepExecution) {
    let stale = batch_core::StepExecution { commit_no: 1, ..step.clone() };
    let tx = f.db.begin().await.unwrap();
    assert!(matches!(f.db.commit(tx, &commit(&stale, old)).await, Err(CommitError::NotOwner)));
    assert!(matches!(f.repository.commit(&commit(&stale, old)).await, Err(CommitError::NotOwner)));
    let kinds = [
        f.repository.start_step(&step_start(launched, old, "next")).await.unwrap_err().kind(),
        f.end_step(&stale, old, BatchStatus::Completed).await.unwrap_err().kind(),
        f.end_job(launched, old, BatchStatus::Completed).await.unwrap_err().kind(),
        f.repository.renew(&lease(launched.execution.id, old)).await.unwrap_err().kind(),
        f.repository.resolve(&guard(&stale, old)).await.unwrap_err().kind(),
    ];
    assert_eq!(kinds, [ErrorKind::NotOwner; 5]);
}

#[tokio::test]
async fn of_two_launchers_one_wins_whether_fresh_or_restarting() {
    let f = Fixture::new().await;
    let other = f.other().await.repository();
    for round in 0..20 {
        let (mine, theirs) = (owner(), owner());
        let [a, b] = race(f.repository.clone(), other.clone(), round, &mine, &theirs).await;
        let (winner, owner, loser) = match (a, b) {
            (Ok(w), Err(l)) => (w, mine, l),
            (Err(l), Ok(w)) => (w, theirs, l),
            both => panic!("{both:?}"),
        };
        assert_eq!(loser.kind(), ErrorKind::AlreadyRunning);
        if round % 2 == 0 {
            // The next round restarts this instance.
            f.end_job(&winner, &owner, BatchStatus::Failed).await.unwrap();
        }
    }
    assert_eq!(f.number("SELECT count(*) FROM batch_execution").await, 20);
}

type Outcome = Result<batch_core::repository::Launched, batch_core::Error>;

async fn race(a: Arc<dyn JobRepository>, b: Arc<dyn JobRepository>, round: usize, mine: &Owner, theirs: &Owner) -> [Outcome; 2] {
    let job = format!("job{}", round / 2);
    let (first, second) = (launch(&job, mine), launch(&job, theirs));
    let first = tokio::spawn(async move { a.launch(&first).await });
    let second = tokio::spawn(async move { b.launch(&second).await });
    [first.await.unwrap(), second.await.unwrap()]
}

#[tokio::test]
async fn damaged_data_is_refused_and_named() {
    for (damage, table, column) in [
        ("UPDATE batch_execution SET context = '{\"a\":'", "batch_execution", "context"),
        ("UPDATE batch_execution SET status = 'UNKNOWN'", "batch_execution", "status"),
        ("UPDATE batch_execution SET end_time = 'yesterday'", "batch_execution", "end_time"),
        ("UPDATE batch_step SET checkpoint = 'null'", "batch_step", "checkpoint"),
        ("UPDATE batch_step SET checkpoint = '{\"v\":99,\"read\":1,\"reader\":null,\"writer\":null}'", "batch_step", "checkpoint"),
        ("UPDATE batch_step SET context = x'00' || ''", "batch_step", "context"),
        ("UPDATE batch_step SET read_count = -1", "batch_step", "read_count"),
    ] {
        let f = Fixture::new().await;
        let me = owner();
        let (launched, step) = f.running(&me).await;
        f.end_step(&step, &me, BatchStatus::Failed).await.unwrap();
        f.end_job(&launched, &me, BatchStatus::Failed).await.unwrap();
        f.sql(damage).await;
        let error = f.launch(&owner()).await.unwrap_err();
        let report = error.report();
        assert_eq!(error.kind(), ErrorKind::NeedsOperator, "{report}");
        for part in ["corrupt", &format!("table {table}"), "row 1", &format!("column {column}")] {
            assert!(report.contains(part), "{damage}: {report}");
        }
        assert_eq!(f.number("SELECT count(*) FROM batch_execution").await, 1, "{damage}");
    }
}

#[tokio::test]
async fn damaged_parameters_are_named_where_they_are_read() {
    for damage in ["UPDATE batch_parameter SET value = 'x'", "UPDATE batch_parameter SET type = 'map'"] {
        let f = Fixture::new().await;
        let launched = f.launch(&owner()).await.unwrap();
        f.sql(damage).await;
        let error = f.repository.explorer().execution(launched.execution.id).await.unwrap_err();
        let report = error.report();
        assert_eq!(error.kind(), ErrorKind::NeedsOperator, "{report}");
        for part in ["corrupt", "table batch_parameter", "row 1", "column value"] {
            assert!(report.contains(part), "{damage}: {report}");
        }
    }
}

#[tokio::test]
async fn a_step_that_an_older_try_damaged_is_refused_when_it_begins() {
    let f = Fixture::new().await;
    let first = owner();
    let (launched, step) = f.running(&first).await;
    f.end_step(&step, &first, BatchStatus::Failed).await.unwrap();
    f.end_job(&launched, &first, BatchStatus::Failed).await.unwrap();
    let second = owner();
    let launched = f.launch(&second).await.unwrap();
    f.sql("UPDATE batch_step SET checkpoint = '{}'").await;
    let error = f.repository.start_step(&step_start(&launched, &second, "load")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NeedsOperator);
    assert!(error.report().contains("column checkpoint"), "{}", error.report());
}

#[tokio::test]
async fn a_refused_restart_still_closes_what_a_dead_owner_left() {
    let f = Fixture::new().await;
    let dead = Owner::current();
    let old = f.launch(&dead).await.unwrap();
    f.repository.launch(&Launch { restartable: false, ..launch("import", &owner()) }).await.unwrap_err();
    let closed = f.repository.explorer().execution(old.execution.id).await.unwrap();
    assert_eq!(closed.status, BatchStatus::Failed);
}
