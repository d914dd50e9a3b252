use crate::model::{SIZES, clock, execute, inserted, listed, quick, sqlite};
use batch_core::{ErrorKind, Job, ListWriter, Memory, Parameters, iter};
use batch_tuner::{Dimension, Setting, Tuner, Tuning};
use std::sync::{Arc, Mutex};

/// What the model's costs demand.
fn assert_found(tuning: &Tuning) {
    let curve = tuning.curve(Dimension::Chunk).unwrap();
    assert_eq!((curve.recommendation.value, tuning.recommended), (Some(500), Setting::chunk(500)), "{tuning}");
    assert!(curve.recommendation.sure, "{tuning}");
    let point = curve.recommended().unwrap();
    assert_eq!((point.trials.len(), point.chunks), (5, 20));
    assert!((point.rate_of_trials() - 98_039.2).abs() < 0.1, "{point:?}");
    assert!((point.us_per_item.write - 10.2).abs() < 1e-6 && (point.lock_ms.p99 - 5.1).abs() < 1e-6, "{point:?}");
    assert_eq!(curve.points[0].given_up, Some(2), "10 make half of what is possible: {tuning}");
}

trait Rate {
    fn rate_of_trials(&self) -> f64;
}

impl Rate for batch_tuner::Point {
    fn rate_of_trials(&self) -> f64 {
        self.trials.iter().sum::<f64>() / self.trials.len() as f64
    }
}

#[tokio::test]
async fn a_job_in_memory_is_tuned() {
    let (clock, database) = (clock(), Memory::new());
    let tuner = Tuner::committed(&database, async |_| Ok(()), |trial| listed(trial, &clock));
    let tuning = quick(tuner, &clock).run().await.unwrap();
    assert!(!tuning.rolled_back && tuning.job == "model" && tuning.seed == 1);
    assert_found(&tuning);
}

#[tokio::test]
async fn a_job_on_sqlite_is_tuned_into_a_scratch_table() {
    let (clock, (_folder, database)) = (clock(), sqlite().await);
    let prepare = async |_: &_| {
        execute(&database, "DELETE FROM row").await;
        Ok(())
    };
    let tuner = Tuner::committed(&database, prepare, |trial| inserted(trial, &clock));
    assert_found(&quick(tuner, &clock).run().await.unwrap());
}

#[tokio::test]
async fn a_job_on_sqlite_is_tuned_and_rolled_back() {
    let (clock, (_folder, database)) = (clock(), sqlite().await);
    let tuning = quick(Tuner::rolled_back(&database, |trial| inserted(trial, &clock)), &clock).run().await.unwrap();
    assert!(tuning.rolled_back);
    assert_found(&tuning);
}

#[tokio::test]
async fn every_trial_is_told_with_its_setting() {
    let (clock, told) = (clock(), Arc::new(Mutex::new(Vec::new())));
    let hear = told.clone();
    let database = Memory::new();
    let tuner = Tuner::committed(&database, async |_| Ok(()), |trial| listed(trial, &clock));
    let tuner = quick(tuner, &clock).workers([2, 1, 2, 0]).in_flight([1, 4]).from(Setting::chunk(7)).exhaustive();
    tuner.on_trial(move |done| hear.lock().unwrap().push((done.number, done.setting, done.retried))).run().await.unwrap();
    let told = told.lock().unwrap();
    // One to warm up; five rounds and a failing chunk for each of 5 sizes, 2 workers, 2 in flight.
    assert_eq!(told.len(), 1 + 6 * (SIZES.len() + 2 + 2));
    assert_eq!(told[0], (1, Setting::chunk(7), false));
    let last = told.last().unwrap();
    assert_eq!((last.1.chunk, last.1.workers, last.1.in_flight, last.2), (500, 1, 4, true));
    assert!(told.iter().all(|(_, setting, _)| setting.workers <= 2 && setting.concurrent == 1));
}

#[tokio::test]
async fn a_job_that_fails_ends_the_tuning_with_its_own_words() {
    let database = Memory::new();
    let job = |trial: &batch_tuner::Trial<Memory>| {
        let size = trial.chunk();
        Job::new("broken", trial.database()).step("all", move |s| {
            let few = |n: i32| if n < 300 { Ok(n) } else { Err("three hundred is enough".into()) };
            Ok(s.chunk(size, iter(0..10_000)).map(few).writer(ListWriter::new()))
        })
    };
    let error = Tuner::committed(&database, async |_| Ok(()), job).from(Setting::chunk(100)).run().await.unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Failed, "a trial failed (chunk 100)"));
    assert!(error.report().contains("three hundred is enough"), "{}", error.report());
}

#[tokio::test]
async fn a_target_that_cannot_be_prepared_ends_the_tuning() {
    let database = Memory::new();
    let tuner = Tuner::committed(&database, async |_| Err("no such schema".into()), |trial| listed(trial, &clock()));
    let report = tuner.run().await.unwrap_err().report();
    assert_eq!(report, "the target of a trial cannot be prepared (chunk 1000): no such schema");
}

#[tokio::test]
async fn nothing_to_tune_is_a_mistake() {
    let database = Memory::new();
    let tuner = Tuner::committed(&database, async |_| Ok(()), |trial| listed(trial, &clock())).chunks([]);
    assert_eq!(tuner.run().await.unwrap_err().kind(), ErrorKind::Configuration);
}

#[tokio::test]
async fn parameters_may_depend_on_the_setting() {
    let (clock, database) = (clock(), Memory::new());
    let job = |trial: &batch_tuner::Trial<Memory>| {
        let own = clock.clone();
        let rules = batch_core::ParameterRules::new().require::<usize>("size");
        Job::new("model", trial.database()).clock(clock.clone()).parameters(rules).step("all", move |s| {
            let writer = crate::model::Costly::new(ListWriter::new(), &own);
            Ok(s.chunk(s.parameter::<usize>("size")?, iter(0..i64::MAX)).writer(writer))
        })
    };
    let tuner = quick(Tuner::committed(&database, async |_| Ok(()), job), &clock);
    let tuning =
        tuner.parameters(|setting| Parameters::new().set_other("size", i64::try_from(setting.chunk).unwrap())).run().await.unwrap();
    assert_eq!(tuning.recommended.chunk, 500);
}
