use crate::model::{Costly, clock, listed, quick};
use batch_core::{ErrorKind, Job, ListWriter, Memory, iter};
use batch_tuner::{Dimension, Trial, Tuner};
use std::time::Duration;

#[tokio::test]
async fn chunks_that_the_sample_has_not_are_not_tried() {
    let (clock, database) = (clock(), Memory::new());
    let tuner = Tuner::committed(&database, async |_| Ok(()), |trial| listed(trial, &clock));
    let tuning = quick(tuner, &clock).sample(1000).run().await.unwrap();
    let curve = tuning.curve(Dimension::Chunk).unwrap();
    assert_eq!(curve.not_tried.as_ref().unwrap().values, [1000, 5000], "{tuning}");
    assert_eq!(curve.points.last().unwrap().chunks, 5 * 2, "two chunks of 500 a round");
}

#[tokio::test]
async fn a_trial_lasts_its_time() {
    let (clock, database) = (clock(), Memory::new());
    let tuner = Tuner::committed(&database, async |_| Ok(()), |trial| listed(trial, &clock));
    let tuning = quick(tuner, &clock).trial_time(Duration::from_millis(102)).run().await.unwrap();
    // 102 ms are 20 chunks of 500 at 5.1 ms.
    assert_eq!(tuning.curve(Dimension::Chunk).unwrap().recommended().unwrap().chunks, 5 * 20);
}

/// Two steps: the first always reads 60 in chunks of 10.
fn two_steps(trial: &Trial<Memory>, clock: &batch_core::ManualClock) -> Job<Memory> {
    let (size, own) = (trial.chunk(), clock.clone());
    Job::new("two", trial.database())
        .clock(clock.clone())
        .step("first", |s| Ok(s.chunk(10, iter(0..60)).writer(ListWriter::new())))
        .step("second", move |s| Ok(s.chunk(size, iter(0..i64::MAX)).writer(Costly::new(ListWriter::new(), &own))))
}

#[tokio::test]
async fn one_step_of_several_is_measured() {
    let (clock, database) = (clock(), Memory::new());
    let tuner = Tuner::committed(&database, async |_| Ok(()), |trial| two_steps(trial, &clock));
    let tuning = quick(tuner, &clock).step("second").run().await.unwrap();
    let point = tuning.curve(Dimension::Chunk).unwrap().recommended().unwrap();
    assert_eq!((point.value, point.chunks), (500, 5 * 4));
}

#[tokio::test]
async fn a_step_that_is_not_there_is_told() {
    let (clock, database) = (clock(), Memory::new());
    let tuner = Tuner::committed(&database, async |_| Ok(()), |trial| two_steps(trial, &clock));
    let error = quick(tuner, &clock).step("third").sample(200).run().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Failed);
    assert!(error.to_string().starts_with("a trial committed no chunk: no step of that name"), "{error}");
}
