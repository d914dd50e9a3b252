//! How steps and jobs end, and what stays of them.

use super::{
    Fixture,
    story::{Run, context, launch, refusal},
};
use crate::{
    error::ErrorKind,
    execution::{BatchStatus, ExitStatus},
    repository::Owner,
};
use std::time::Duration;

/// Status, exit status, final counts and time; nothing of it changes the checkpoint.
pub async fn a_step_keeps_its_outcome<F: Fixture>(f: &F) {
    let run = Run::begin(f).await;
    for (name, status) in [("a", BatchStatus::Completed), ("b", BatchStatus::Failed), ("c", BatchStatus::Stopped)] {
        let mut step = run.start(name).await;
        run.commit(&mut step).await;
        let mut end = run.end_of(&step, status);
        end.exit_status = ExitStatus::new("PARTLY", "half of it");
        end.counts.rollbacks = 7;
        run.repository.end_step(&end).await.unwrap();
        let stored = run.stored().await.step(name).unwrap().clone();
        assert_eq!((stored.status, &stored.exit_status, stored.counts), (status, &end.exit_status, end.counts));
        assert_eq!((stored.commit_no, &stored.checkpoint), (1, &step.checkpoint));
        assert!(stored.ended.is_some());
    }
}

/// Status, exit status and time.
pub async fn a_job_keeps_its_outcome<F: Fixture>(f: &F) {
    for status in [BatchStatus::Failed, BatchStatus::Stopped, BatchStatus::Completed] {
        let run = Run::begin(f).await;
        let mut end = run.job_end(status);
        end.exit_status = ExitStatus::new("PARTLY", "half of it");
        run.repository.end_job(&end).await.unwrap();
        let stored = run.stored().await;
        assert_eq!((stored.status, &stored.exit_status), (status, &end.exit_status));
        assert!(stored.ended.is_some());
    }
}

/// Two steps at the same time do not overwrite each other's values, and the next try has all of them.
pub async fn values_of_completed_steps_are_merged<F: Fixture>(f: &F) {
    let run = Run::begin(f).await;
    for (name, value) in [("a", 1), ("b", 2), ("a2", 3)] {
        let step = run.start(name).await;
        let mut end = run.end_of(&step, BatchStatus::Completed);
        end.job_context = Some(context(&name[..1], value));
        run.repository.end_step(&end).await.unwrap();
    }
    let mut both = context("a", 3);
    both.merge(&context("b", 2));
    assert_eq!(run.stored().await.context, both);
    run.end(BatchStatus::Failed).await;
    assert_eq!(Run::begin(f).await.launched.execution.context, both);
}

/// NUL is left out and ten million characters are cut, rather than that the end is lost.
pub async fn an_exit_message_may_hold_any_text<F: Fixture>(f: &F) {
    let text = format!("a\0b 日本語 🚀 '\"\\ {}", "é".repeat(10_000_000));
    let run = Run::begin(f).await;
    let step = run.start("load").await;
    let mut end = run.end_of(&step, BatchStatus::Failed);
    end.exit_status = ExitStatus { code: "FAILED".to_owned(), message: text.clone() };
    run.repository.end_step(&end).await.unwrap();
    let mut end = run.job_end(BatchStatus::Failed);
    end.exit_status = ExitStatus { code: "FAILED".to_owned(), message: text.clone() };
    run.repository.end_job(&end).await.unwrap();
    let (stored, expected) = (run.stored().await, ExitStatus::new("FAILED", &text));
    assert_eq!((&stored.exit_status, &stored.steps[0].exit_status), (&expected, &expected));
}

/// Created, started, ended: in this order, of job and step, up to a second for stores that round.
pub async fn times_are_in_order<F: Fixture>(f: &F) {
    let run = Run::begin(f).await;
    let second = Duration::from_secs(1);
    f.advance(second).await;
    let mut step = run.start("load").await;
    run.commit(&mut step).await;
    f.advance(second).await;
    run.end_step(&step, BatchStatus::Completed).await;
    run.end(BatchStatus::Completed).await;
    let job = run.stored().await;
    let step = &job.steps[0];
    let times = [Some(job.created), job.started, Some(step.started), step.ended, job.ended, Some(f.now())];
    let times: Vec<_> = times.into_iter().map(Option::unwrap).collect();
    assert!(times.is_sorted_by(|a, b| *a <= *b + second), "{times:?}");
    assert!(job.last_updated + second >= job.ended.unwrap() && step.last_updated + second >= step.ended.unwrap());
}

/// What ended is renewed, ended and stepped on by nobody, and the instance is free at once.
pub async fn an_execution_that_ended_has_no_lease<F: Fixture>(f: &F) {
    let run = Run::begin(f).await;
    run.end(BatchStatus::Stopped).await;
    assert_eq!(refusal(&run.repository.renew(&run.lease).await), Some(ErrorKind::NotOwner));
    assert_eq!(refusal(&run.try_start(&run.start_of("load")).await), Some(ErrorKind::NotOwner));
    let before = run.stored().await;
    assert_eq!(refusal(&run.repository.end_job(&run.job_end(BatchStatus::Completed)).await), Some(ErrorKind::NotOwner));
    assert_eq!(run.stored().await, before);
    assert!(run.repository.launch(&launch(Owner::current())).await.unwrap().taken_over.is_none());
}
