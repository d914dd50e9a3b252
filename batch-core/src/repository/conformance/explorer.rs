//! What operators read, and in which order.

use super::{
    Fixture,
    story::{JOB, Run, explorer, launch, refusal},
};
use crate::{
    error::ErrorKind,
    execution::BatchStatus,
    repository::{Launch, Owner, Page},
};

/// Each once, however often it was launched.
pub async fn job_names_are_sorted<F: Fixture>(f: &F) {
    assert!(explorer(f).job_names().await.unwrap().is_empty());
    for (name, key) in [("load", "1"), ("export", "1"), ("load", "2"), ("archive", "1")] {
        Run::of(f, of(name, key)).await;
    }
    assert_eq!(explorer(f).job_names().await.unwrap(), ["archive", "export", "load"]);
}

/// The count is of all; a page beyond the end is empty.
pub async fn instances_are_newest_first_and_paged<F: Fixture>(f: &F) {
    for key in 0..5 {
        Run::of(f, of(JOB, &key.to_string())).await;
    }
    Run::of(f, of("another", "9")).await;
    let keys = async |page| {
        let instances = explorer(f).instances(JOB, page).await.unwrap();
        instances.into_iter().map(|i| i.job_key).collect::<Vec<_>>()
    };
    assert_eq!(keys(Page::all()).await, ["4", "3", "2", "1", "0"]);
    assert_eq!(keys(Page::first(2)).await, ["4", "3"]);
    assert_eq!(keys(Page { offset: 3, limit: 10 }).await, ["1", "0"]);
    assert!(keys(Page { offset: 5, limit: 10 }).await.is_empty());
    assert_eq!(explorer(f).instance_count(JOB).await.unwrap(), 5);
}

/// And another key is none.
pub async fn an_instance_is_found_by_its_key<F: Fixture>(f: &F) {
    let run = Run::of(f, of(JOB, "k1")).await;
    Run::of(f, of("another", "k2")).await;
    let found = explorer(f).instance(JOB, "k1").await.unwrap().unwrap();
    assert_eq!(found, run.launched.execution.instance);
    assert_eq!(explorer(f).instance(JOB, "k2").await.unwrap(), None);
}

/// All tries, each once, as they are stored.
pub async fn executions_are_newest_first_without_steps<F: Fixture>(f: &F) {
    let mut ids = Vec::new();
    for _ in 0..3 {
        let run = Run::begin(f).await;
        let step = run.start("load").await;
        run.end_step(&step, BatchStatus::Failed).await;
        run.end(BatchStatus::Failed).await;
        ids.insert(0, run.id());
    }
    let other = Run::of(f, of(JOB, "other")).await;
    let instance = explorer(f).execution(ids[0]).await.unwrap().instance.id;
    let found = explorer(f).executions(instance).await.unwrap();
    assert_eq!(found.iter().map(|e| e.id).collect::<Vec<_>>(), ids);
    assert!(found.iter().all(|e| e.steps.is_empty() && e.status == BatchStatus::Failed && e.parameters.contains("run")));
    assert_eq!(explorer(f).executions(other.instance()).await.unwrap().len(), 1);
}

/// Newest first; none that ended.
pub async fn running_executions_are_the_active_ones<F: Fixture>(f: &F) {
    let (a, b, c) = (Run::of(f, of(JOB, "a")).await, Run::of(f, of(JOB, "b")).await, Run::of(f, of(JOB, "c")).await);
    Run::of(f, of("another", "a")).await;
    b.end(BatchStatus::Stopped).await;
    let running = explorer(f).running(JOB).await.unwrap();
    assert_eq!(running.iter().map(|e| e.id).collect::<Vec<_>>(), [c.id(), a.id()]);
    a.end(BatchStatus::Completed).await;
    c.end(BatchStatus::Failed).await;
    assert!(explorer(f).running(JOB).await.unwrap().is_empty());
}

/// Of that try alone.
pub async fn steps_are_in_the_order_they_began<F: Fixture>(f: &F) {
    let first = Run::begin(f).await;
    for name in ["c", "a", "b"] {
        let step = first.start(name).await;
        run_to_end(&first, &step).await;
    }
    first.end(BatchStatus::Failed).await;
    let second = Run::begin(f).await;
    second.start("d").await;
    let names = async |id| {
        let steps = explorer(f).steps(id).await.unwrap();
        steps.into_iter().map(|s| s.name).collect::<Vec<_>>()
    };
    assert_eq!(names(first.id()).await, ["c", "a", "b"]);
    assert_eq!(names(second.id()).await, ["d"]);
    assert_eq!(second.stored().await.steps.len(), 1);
}

async fn run_to_end<F: Fixture>(run: &Run<'_, F>, step: &crate::StepExecution) {
    run.end_step(step, BatchStatus::Completed).await;
}

/// An error, so that a slip of the pen does not read as "nothing is running".
pub async fn what_nobody_launched_is_not_found<F: Fixture>(f: &F) {
    Run::begin(f).await;
    let explorer = explorer(f);
    let not_found = Some(ErrorKind::NotFound);
    assert_eq!(refusal(&explorer.instances("nobody's", Page::all()).await), not_found);
    assert_eq!(refusal(&explorer.instance_count("nobody's").await), not_found);
    assert_eq!(refusal(&explorer.running("nobody's").await), not_found);
    assert_eq!(refusal(&explorer.execution(404_404).await), not_found);
    assert_eq!(refusal(&explorer.executions(404_404).await), not_found);
}

fn of(job: &str, key: &str) -> Launch {
    Launch { job_name: job.to_owned(), job_key: key.to_owned(), ..launch(Owner::current()) }
}
