//! At most one active execution an instance, whoever launches.

use super::{
    Fixture,
    story::{JOB, Run, TTL, explorer, launch, refusal, repository},
};
use crate::{
    error::ErrorKind,
    execution::{BatchStatus, Parameters},
    repository::{Launch, Owner, Page},
    transaction::Transactions,
};
use futures_util::future::join_all;

/// A first launch creates the instance and an execution that is STARTED and knows no try before it.
pub async fn a_first_launch_begins_an_execution<F: Fixture>(f: &F) {
    let run = Run::begin(f).await;
    let execution = &run.launched.execution;
    assert!(run.launched.previous.is_none() && run.launched.taken_over.is_none());
    assert_eq!((execution.status, execution.instance.job_name.as_str()), (BatchStatus::Started, JOB));
    assert!(execution.context.is_empty() && execution.steps.is_empty() && execution.ended.is_none());
    assert_eq!(run.stored().await.parameters, execution.parameters);
}

/// The refusal names the execution, its owner, what is left of its lease, and what to do.
pub async fn a_second_launch_is_refused<F: Fixture>(f: &F) {
    let run = Run::begin(f).await;
    let refused = f.other().repository().launch(&launch(Owner::current())).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::AlreadyRunning);
    let text = refused.report();
    for word in [run.id().to_string(), format!("process {}", std::process::id()), "lease".to_owned(), "stop".to_owned()] {
        assert!(text.contains(&word), "{text:?} does not say {word:?}");
    }
    let left = text.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse::<u64>().ok()).any(|n| n + 2 >= TTL.as_secs());
    assert!(left, "{text:?} does not say how long the lease lasts");
    assert_eq!(run.stored().await.status, BatchStatus::Started);
}

/// Of eight launches at the same time, by two handles, one succeeds and seven are refused as running.
pub async fn of_many_launches_at_once_one_wins<F: Fixture>(f: &F) {
    let outcomes = at_once(f, (0..8).map(|_| launch(Owner::current()))).await;
    let won = outcomes.iter().filter(|refused| refused.is_none()).count();
    let refused = outcomes.iter().filter(|refused| **refused == Some(ErrorKind::AlreadyRunning)).count();
    assert_eq!((won, refused), (1, 7), "{outcomes:?}");
    assert_eq!(explorer(f).instance_count(JOB).await.unwrap(), 1);
    assert_eq!(explorer(f).running(JOB).await.unwrap().len(), 1);
}

/// Eight instances launched at the same time all begin.
pub async fn instances_do_not_wait_for_each_other<F: Fixture>(f: &F) {
    let outcomes = at_once(f, (0..8).map(|i| keyed(&format!("{i:032x}")))).await;
    assert!(outcomes.iter().all(Option::is_none), "{outcomes:?}");
    assert_eq!(explorer(f).instance_count(JOB).await.unwrap(), 8);
}

/// An owner that asks again for what it has got, since the answer was lost, gets the same execution.
pub async fn a_launch_whose_answer_was_lost_is_recognised<F: Fixture>(f: &F) {
    let owner = Owner::current();
    let run = Run::by(f, owner.clone()).await;
    let again = f.other().repository().launch(&launch(owner)).await.unwrap();
    assert_eq!(again.execution.id, run.id());
    assert_eq!(explorer(f).executions(run.instance()).await.unwrap().len(), 1);
}

/// Refused as complete, with other parameters that do not identify too.
pub async fn a_complete_instance_is_not_launched_again<F: Fixture>(f: &F) {
    let run = Run::begin(f).await;
    run.end(BatchStatus::Completed).await;
    let mut second = launch(Owner::current());
    second.parameters = second.parameters.set_other("comment", "again");
    let refused = run.repository.launch(&second).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::AlreadyComplete);
    assert!(refused.report().contains(&run.id().to_string()), "{}", refused.report());
    assert_eq!(explorer(f).executions(run.instance()).await.unwrap().len(), 1);
}

/// The new execution is another try of the same instance, and names the one before.
pub async fn a_failed_instance_is_launched_again<F: Fixture>(f: &F) {
    ends_and_is_launched_again(f, BatchStatus::Failed).await;
}

/// As a failed one.
pub async fn a_stopped_instance_is_launched_again<F: Fixture>(f: &F) {
    ends_and_is_launched_again(f, BatchStatus::Stopped).await;
}

async fn ends_and_is_launched_again<F: Fixture>(f: &F, status: BatchStatus) {
    let first = Run::begin(f).await;
    first.end(status).await;
    let second = Run::begin(f).await;
    let previous = second.launched.previous.as_ref().unwrap();
    assert_eq!((previous.id, previous.status), (first.id(), status));
    assert!(previous.parameters == Parameters::new() && previous.steps.is_empty());
    assert_eq!(second.instance(), first.instance());
    assert_ne!(second.id(), first.id());
    assert!(second.launched.taken_over.is_none());
    assert_eq!(second.stored().await.status, BatchStatus::Started);
    assert_eq!(first.stored().await.status, status);
}

/// What did not complete stays so.
pub async fn a_job_that_is_not_restartable_needs_an_operator<F: Fixture>(f: &F) {
    let run = Run::of(f, Launch { restartable: false, ..launch(Owner::current()) }).await;
    run.end(BatchStatus::Failed).await;
    let again = run.repository.launch(&Launch { restartable: false, ..launch(Owner::current()) }).await;
    assert_eq!(refusal(&again), Some(ErrorKind::NeedsOperator));
    assert!(again.unwrap_err().report().contains(&run.id().to_string()));
}

/// What was given up stays so.
pub async fn an_abandoned_instance_needs_an_operator<F: Fixture>(f: &F) {
    let run = Run::begin(f).await;
    run.end(BatchStatus::Failed).await;
    run.repository.abandon(run.id()).await.unwrap();
    let again = run.repository.launch(&launch(Owner::current())).await;
    assert_eq!(refusal(&again), Some(ErrorKind::NeedsOperator));
}

/// Giving up any try gives up the instance.
pub async fn an_instance_with_an_older_abandoned_try_needs_an_operator<F: Fixture>(f: &F) {
    let first = Run::begin(f).await;
    first.end(BatchStatus::Failed).await;
    let second = Run::begin(f).await;
    second.end(BatchStatus::Failed).await;
    second.repository.abandon(first.id()).await.unwrap();
    let again = second.repository.launch(&launch(Owner::current())).await;
    assert_eq!(refusal(&again), Some(ErrorKind::NeedsOperator));
}

/// One key under two names is two instances; names that differ only in case or by a space at the end are two.
pub async fn jobs_of_other_names_are_other_instances<F: Fixture>(f: &F) {
    for name in ["import", "IMPORT", "import ", "export"] {
        let run = Run::of(f, Launch { job_name: name.to_owned(), ..launch(Owner::current()) }).await;
        assert_eq!(run.launched.execution.instance.job_name, name);
        assert_eq!(explorer(f).instances(name, Page::all()).await.unwrap().len(), 1, "{name:?}");
    }
}

/// Job, step, parameter and exit code keep any letters.
pub async fn names_are_unicode<F: Fixture>(f: &F) {
    let name = "Überweisungen 日本語 🚀 'quoted\" \\ %_;--";
    let parameters = Parameters::new().set(name, name);
    let run = Run::of(f, Launch { job_name: name.to_owned(), parameters, ..launch(Owner::current()) }).await;
    let step = run.start(name).await;
    run.end_step(&step, BatchStatus::Completed).await;
    let mut end = run.job_end(BatchStatus::Completed);
    end.exit_status = crate::ExitStatus::new(name, name);
    run.repository.end_job(&end).await.unwrap();
    let stored = run.stored().await;
    assert_eq!((stored.instance.job_name.as_str(), stored.steps[0].name.as_str()), (name, name));
    assert_eq!((stored.exit_status.code.as_str(), stored.exit_status.message.as_str()), (name, name));
    assert_eq!(stored.parameters.get::<String>(name).unwrap(), name);
    assert_eq!(explorer(f).job_names().await.unwrap(), [name]);
}

fn keyed(key: &str) -> Launch {
    Launch { job_key: key.to_owned(), ..launch(Owner::current()) }
}

/// Launches all at the same time, on both handles; why each was refused. All owners live meanwhile.
pub(super) async fn at_once<F: Fixture>(f: &F, launches: impl Iterator<Item = Launch>) -> Vec<Option<ErrorKind>> {
    let both = [repository(f), f.other().repository()];
    let mut held = Vec::new();
    let tasks: Vec<_> = launches
        .zip(both.iter().cycle())
        .map(|(launch, repository)| {
            held.push(launch.owner.hold());
            let repository = repository.clone();
            tokio::spawn(async move { refusal(&repository.launch(&launch).await) })
        })
        .collect();
    join_all(tasks).await.into_iter().map(Result::unwrap).collect()
}
