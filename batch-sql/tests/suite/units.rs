//! The log of units in a file.

use crate::fixture::{Fixture, commit, lease, owner};
use batch_core::{
    BatchStatus, JobOperator, Purge, StepExecution,
    repository::{Commit, UnitStart},
};
use std::time::Duration;

#[tokio::test]
async fn a_purge_leaves_no_units_behind() {
    let f = Fixture::new().await;
    let me = owner();
    let (launched, step) = f.running(&me).await;
    let start = UnitStart {
        lease: lease(launched.execution.id, &me),
        instance: launched.execution.instance.id,
        step: step.id,
        name: step.name.clone(),
        key: "1".to_owned(),
        at: step.started,
    };
    let unit = f.repository.start_unit(&start).await.unwrap().succeeded(step.started);
    f.repository.commit(&Commit { units: vec![unit], ..commit(&step, &me) }).await.unwrap();
    f.end_step(&StepExecution { commit_no: 1, ..step }, &me, BatchStatus::Completed).await.unwrap();
    f.end_job(&launched, &me, BatchStatus::Completed).await.unwrap();
    f.clock.advance(Duration::from_secs(60));
    let counts = f.repository.explorer().unit_counts(launched.execution.instance.id, "load").await.unwrap();
    assert_eq!(counts.success, 1);
    let purged = JobOperator::new(f.repository.clone()).purge(&Purge::of("import").last_success_too()).await.unwrap();
    assert_eq!((purged.instances, f.number("SELECT count(*) FROM batch_unit").await), (1, 0));
}
