//! A tuning neither disturbs real runs of the job nor leaves anything in the repository.

use crate::model::{clock, execute, inserted, listed, quick, sqlite};
use batch_core::{BatchStatus, Job, JobRepository, ListWriter, Memory, Page, Parameters, Transactions, iter};
use batch_sql::{Database, Sqlite};
use batch_tuner::Tuner;

#[tokio::test]
async fn no_execution_is_left() {
    let (clock, (_folder, database)) = (clock(), sqlite().await);
    let prepare = async |_: &_| {
        execute(&database, "DELETE FROM row").await;
        Ok(())
    };
    let tuner = Tuner::committed(&database, prepare, |trial| inserted(trial, &clock));
    quick(tuner, &clock).run().await.unwrap();
    assert_eq!(database.repository().explorer().job_names().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_rolled_back_tuning_leaves_no_row() {
    let (clock, (_folder, database)) = (clock(), sqlite().await);
    quick(Tuner::rolled_back(&database, |trial| inserted(trial, &clock)), &clock).run().await.unwrap();
    assert_eq!(database.repository().explorer().job_names().await.unwrap(), Vec::<String>::new());
    assert_eq!(rows(&database).await, 0);
}

/// How many rows there are, by deleting them.
async fn rows(database: &Sqlite) -> u64 {
    Database::Sqlite(database.clone()).execute("DELETE FROM row").await.unwrap()
}

#[tokio::test]
async fn a_failed_trial_is_forgotten_too() {
    let database = Memory::new();
    let job = |trial: &batch_tuner::Trial<Memory>| {
        Job::new("broken", trial.database())
            .step("all", |s| Ok(s.chunk(1, iter([1])).map(|_: i32| Err::<i32, _>("no".into())).writer(ListWriter::new())))
    };
    Tuner::committed(&database, async |_| Ok(()), job).run().await.unwrap_err();
    assert_eq!(database.explorer().instance_count("batch-tuner").await.unwrap(), 0);
}

#[tokio::test]
async fn a_real_run_that_was_stopped_goes_on_where_it_was() {
    let (clock, database, list) = (clock(), Memory::new(), ListWriter::new());
    let target = list.clone();
    let real = Job::new("model", &database).step("all", move |s| Ok(s.chunk(10, iter(0..100)).writer(target.clone())));
    let stopped = real.launch(Parameters::new()).limit(30).run().await.unwrap();
    assert_eq!(stopped.status, BatchStatus::Stopped);

    let tuner = Tuner::committed(&database, async |_| Ok(()), |trial| listed(trial, &clock));
    quick(tuner, &clock).run().await.unwrap();

    let done = real.run(Parameters::new()).await.unwrap();
    assert_eq!((done.status, done.steps[0].counts.read), (BatchStatus::Completed, 70));
    assert_eq!(list.items(), (0..100).collect::<Vec<_>>());
    assert_eq!(database.explorer().executions(done.instance.id).await.unwrap().len(), 2);
    assert_eq!(database.explorer().instances("model", Page::all()).await.unwrap().len(), 1);
}
