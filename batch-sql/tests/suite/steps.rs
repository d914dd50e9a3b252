//! What a step inherits, and how it ends.

use crate::fixture::{Fixture, commit, guard, owner, step_end, step_start};
use batch_core::{
    BatchStatus, Counts, ErrorKind, ExitStatus, Request, StepExecution,
    repository::{StepStart, StepStarted},
};

#[tokio::test]
async fn a_failed_step_goes_on_from_its_checkpoint() {
    let f = Fixture::new().await;
    let first = owner();
    let (launched, step) = f.running(&first).await;
    let mut last = commit(&step, &first);
    last.context = Some(serde_json::from_value(serde_json::json!({"seen": [1, 2]})).unwrap());
    f.repository.commit(&last).await.unwrap();
    let step = StepExecution { commit_no: 1, counts: last.counts, ..step };
    f.end_step(&step, &first, BatchStatus::Failed).await.unwrap();
    f.end_job(&launched, &first, BatchStatus::Failed).await.unwrap();

    let second = owner();
    let launched = f.launch(&second).await.unwrap();
    let again = f.step(&launched, &second, "load").await;
    assert_eq!((&again.checkpoint, Some(&again.context)), (&last.checkpoint, last.context.as_ref()));
    assert_eq!((again.commit_no, again.start_no, again.counts), (1, 2, Counts::default()));
    assert_eq!(f.repository.explorer().steps(launched.execution.id).await.unwrap(), [again]);
}

#[tokio::test]
async fn a_completed_step_is_passed_over_or_run_again_from_nothing() {
    let f = Fixture::new().await;
    let me = owner();
    let (launched, step) = f.running(&me).await;
    f.repository.commit(&commit(&step, &me)).await.unwrap();
    let step = StepExecution { commit_no: 1, ..step };
    f.end_step(&step, &me, BatchStatus::Completed).await.unwrap();
    let start = step_start(&launched, &me, "load");
    let StepStarted::Complete(done) = f.repository.start_step(&start).await.unwrap() else { panic!() };
    assert_eq!((done.id, done.status), (step.id, BatchStatus::Completed));
    let StepStarted::Started(again) = f.repository.start_step(&StepStart { rerun: true, ..start }).await.unwrap() else { panic!() };
    assert!(again.checkpoint.is_start() && again.context.is_empty());
    assert_eq!((again.commit_no, again.start_no), (1, 2));
}

#[tokio::test]
async fn a_start_limit_counts_all_tries() {
    let f = Fixture::new().await;
    let me = owner();
    let launched = f.launch(&me).await.unwrap();
    let start = StepStart { start_limit: std::num::NonZeroU32::new(2), ..step_start(&launched, &me, "load") };
    for _ in 0..2 {
        let StepStarted::Started(step) = f.repository.start_step(&start).await.unwrap() else { panic!() };
        f.end_step(&step, &me, BatchStatus::Failed).await.unwrap();
    }
    assert!(matches!(f.repository.start_step(&start).await.unwrap(), StepStarted::LimitReached(2)));
    assert_eq!(f.number("SELECT count(*) FROM batch_step").await, 2);
}

#[tokio::test]
async fn an_end_is_guarded_and_its_message_is_bounded_and_without_nul() {
    let f = Fixture::new().await;
    let me = owner();
    let (launched, step) = f.running(&me).await;
    let stale = StepExecution { commit_no: 5, ..step.clone() };
    assert_eq!(f.end_step(&stale, &me, BatchStatus::Failed).await.unwrap_err().kind(), ErrorKind::NotOwner);
    let mut end = step_end(&step, &me, BatchStatus::Failed);
    end.exit_status = ExitStatus { code: "FAILED".into(), message: format!("bad\0 {}", "ü".repeat(10_000_000)) };
    end.counts.rollbacks = 3;
    f.repository.end_step(&end).await.unwrap();
    let stored = &f.repository.explorer().steps(launched.execution.id).await.unwrap()[0];
    assert_eq!((stored.status, stored.counts.rollbacks, stored.ended), (BatchStatus::Failed, 3, Some(end.at)));
    assert!(stored.exit_status.message.starts_with("bad ü"));
    assert_eq!(stored.exit_status.message.chars().count(), ExitStatus::MESSAGE_LIMIT);
    assert_eq!(f.repository.end_step(&end).await.unwrap_err().kind(), ErrorKind::NotOwner);
}

#[tokio::test]
async fn values_of_steps_that_ended_are_merged_into_the_jobs() {
    let f = Fixture::new().await;
    let me = owner();
    let launched = f.launch(&me).await.unwrap();
    for (name, value) in [("a", 1), ("b", 2)] {
        let step = f.step(&launched, &me, name).await;
        let mut end = step_end(&step, &me, BatchStatus::Completed);
        end.job_context = Some(serde_json::from_value(serde_json::json!({ name: value, "last": name })).unwrap());
        f.repository.end_step(&end).await.unwrap();
    }
    let context = f.repository.explorer().execution(launched.execution.id).await.unwrap().context;
    assert_eq!(serde_json::json!(context), serde_json::json!({"a": 1, "b": 2, "last": "b"}));
}

#[tokio::test]
async fn resolving_raises_the_epoch_and_says_what_was_committed() {
    let f = Fixture::new().await;
    let me = owner();
    let (launched, step) = f.running(&me).await;
    f.repository.commit(&commit(&step, &me)).await.unwrap();
    f.repository.request(launched.execution.id, Some(Request::Stop)).await.unwrap();
    let resolved = f.repository.resolve(&guard(&step, &me)).await.unwrap();
    assert_eq!((resolved.epoch, resolved.commit_no, resolved.request), (step.epoch + 1, 1, Some(Request::Stop)));
    f.end_job(&launched, &me, BatchStatus::Stopped).await.unwrap();
    let step = StepExecution { commit_no: 1, epoch: resolved.epoch, ..step };
    f.end_step(&step, &me, BatchStatus::Stopped).await.unwrap();
    assert_eq!(f.repository.resolve(&guard(&step, &me)).await.unwrap_err().kind(), ErrorKind::NotOwner);
}

#[tokio::test]
async fn requests_are_for_active_executions() {
    let f = Fixture::new().await;
    let me = owner();
    let launched = f.launch(&me).await.unwrap();
    let id = launched.execution.id;
    assert_eq!(f.repository.request(id + 1, Some(Request::Stop)).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(f.repository.abandon(id + 1).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert!(f.repository.abandon(id).await.unwrap_err().to_string().contains("running"));
    f.end_job(&launched, &me, BatchStatus::Stopped).await.unwrap();
    assert_eq!(f.repository.request(id, Some(Request::Stop)).await.unwrap_err().kind(), ErrorKind::Configuration);
    assert_eq!(f.repository.abandon(id).await.unwrap(), BatchStatus::Stopped);
    assert_eq!(f.repository.abandon(id).await.unwrap(), BatchStatus::Abandoned);
}
