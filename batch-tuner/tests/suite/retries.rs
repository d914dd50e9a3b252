use crate::model::{Costly, clock, inserted, listed, quick, sqlite};
use batch_core::{Job, ListWriter, Memory, Retry, iter};
use batch_tuner::{Dimension, Trial, Tuner, Tuning};

/// Of a chunk of 500: 5.1 ms a write, one of them thrown away.
fn assert_cost(tuning: &Tuning) {
    let point = tuning.curve(Dimension::Chunk).unwrap().recommended().unwrap();
    let cost = point.retried_chunk.unwrap();
    assert!((cost.lost_ms - 5.1).abs() < 1e-6 && (cost.extra_ms - 5.1).abs() < 1e-6, "{cost:?}");
}

#[tokio::test]
async fn a_retried_chunk_costs_its_writing_once_more() {
    let (clock, database) = (clock(), Memory::new());
    let tuner = Tuner::committed(&database, async |_| Ok(()), |trial| listed(trial, &clock));
    assert_cost(&quick(tuner, &clock).run().await.unwrap());
}

#[tokio::test]
async fn a_retried_chunk_is_rolled_back_on_sqlite() {
    let (clock, (_folder, database)) = (clock(), sqlite().await);
    let tuner = Tuner::rolled_back(&database, |trial| inserted(trial, &clock));
    assert_cost(&quick(tuner, &clock).run().await.unwrap());
}

#[tokio::test]
async fn a_job_that_does_not_retry_has_no_such_cost() {
    let (clock, database) = (clock(), Memory::new());
    let job = |trial: &Trial<Memory>| {
        let (size, own) = (trial.chunk(), clock.clone());
        Job::new("model", trial.database()).clock(clock.clone()).step("all", move |s| {
            let writer = Costly::new(ListWriter::new(), &own);
            Ok(s.chunk(size, iter(0..i64::MAX)).writer(writer).retry(Retry::times(1)))
        })
    };
    let tuning = quick(Tuner::committed(&database, async |_| Ok(()), job), &clock).run().await.unwrap();
    assert_eq!(tuning.curve(Dimension::Chunk).unwrap().recommended().unwrap().retried_chunk, None);
}
