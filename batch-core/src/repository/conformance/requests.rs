//! What operators ask of executions, and the leases by which these live.

use super::{
    Fixture,
    story::{Run, TTL, elsewhere, launch, refusal, repository},
};
use crate::{
    error::ErrorKind,
    execution::BatchStatus,
    repository::{Launch, Owner, Request},
    transaction::Transactions,
};
use std::time::Duration;

/// By the next commit, by a renewal and by resolving; the guarded status is not touched by it.
pub async fn a_stop_is_read_back<F: Fixture>(f: &F) {
    let run = Run::begin(f).await;
    let mut step = run.start("load").await;
    assert_eq!(run.commit(&mut step).await, None);
    assert_eq!(run.repository.renew(&run.lease).await.unwrap(), None);
    f.other().repository().request(run.id(), Some(Request::Stop)).await.unwrap();
    assert_eq!(run.commit(&mut step).await, Some(Request::Stop));
    assert_eq!(run.repository.renew(&run.lease).await.unwrap(), Some(Request::Stop));
    assert_eq!(run.repository.resolve(&run.guard(&step)).await.unwrap().request, Some(Request::Stop));
    assert!(run.stored().await.status.is_active());
}

/// Then nothing is asked.
pub async fn a_pause_is_taken_back<F: Fixture>(f: &F) {
    let run = Run::begin(f).await;
    let mut step = run.start("load").await;
    run.repository.request(run.id(), Some(Request::Pause)).await.unwrap();
    assert_eq!(run.commit(&mut step).await, Some(Request::Pause));
    run.repository.request(run.id(), None).await.unwrap();
    assert_eq!(run.repository.renew(&run.lease).await.unwrap(), None);
    assert_eq!(run.commit(&mut step).await, None);
}

/// The next try is asked nothing.
pub async fn a_request_ends_with_its_execution<F: Fixture>(f: &F) {
    let run = Run::begin(f).await;
    run.repository.request(run.id(), Some(Request::Stop)).await.unwrap();
    run.end(BatchStatus::Stopped).await;
    let next = Run::begin(f).await;
    assert_eq!(next.repository.renew(&next.lease).await.unwrap(), None);
    let mut step = next.start("load").await;
    assert_eq!(next.commit(&mut step).await, None);
}

/// Refused, since nobody would hear it.
pub async fn nothing_is_asked_of_an_execution_that_ended<F: Fixture>(f: &F) {
    let run = Run::begin(f).await;
    run.end(BatchStatus::Failed).await;
    for request in [Some(Request::Stop), Some(Request::Pause), None] {
        let outcome = run.repository.request(run.id(), request).await;
        assert_eq!(refusal(&outcome), Some(ErrorKind::Configuration));
    }
}

/// Neither asked nor abandoned.
pub async fn an_unknown_execution_is_not_found<F: Fixture>(f: &F) {
    let repository = repository(f);
    assert_eq!(refusal(&repository.request(404, Some(Request::Stop)).await), Some(ErrorKind::NotFound));
    assert_eq!(refusal(&repository.abandon(404).await), Some(ErrorKind::NotFound));
}

/// From the renewal on it lasts its whole length.
pub async fn a_renewal_lengthens_the_lease<F: Fixture>(f: &F) {
    let run = Run::by(f, elsewhere()).await;
    for _ in 0..3 {
        f.advance(TTL * 2 / 3).await;
        run.repository.renew(&run.lease).await.unwrap();
    }
    let refused = run.repository.launch(&launch(Owner::current())).await;
    assert_eq!(refusal(&refused), Some(ErrorKind::AlreadyRunning));
}

/// An outage longer than the lease costs nothing, if nobody launched meanwhile.
pub async fn a_lease_that_is_over_is_revived_where_nobody_took_it<F: Fixture>(f: &F) {
    let run = Run::by(f, elsewhere()).await;
    let mut step = run.start("load").await;
    f.advance(2 * TTL).await;
    run.repository.renew(&run.lease).await.unwrap();
    let refused = run.repository.launch(&launch(Owner::current())).await;
    assert_eq!(refusal(&refused), Some(ErrorKind::AlreadyRunning));
    run.commit(&mut step).await;
    f.advance(TTL + Duration::from_secs(1)).await;
    assert!(run.repository.launch(&launch(Owner::current())).await.unwrap().taken_over.is_some());
}

/// Refused, and changed by nothing.
pub async fn a_running_execution_is_not_abandoned<F: Fixture>(f: &F) {
    let run = Run::begin(f).await;
    assert_eq!(refusal(&run.repository.abandon(run.id()).await), Some(ErrorKind::AlreadyRunning));
    assert_eq!(run.stored().await.status, BatchStatus::Started);
    let mut step = run.start("load").await;
    run.commit(&mut step).await;
}

/// Whatever it was; what was abandoned stays so.
pub async fn abandoning_returns_the_status_before<F: Fixture>(f: &F) {
    for (name, status) in [("a", BatchStatus::Failed), ("b", BatchStatus::Stopped), ("c", BatchStatus::Completed)] {
        let run = Run::of(f, Launch { job_name: name.to_owned(), ..launch(Owner::current()) }).await;
        run.end(status).await;
        assert_eq!(run.repository.abandon(run.id()).await.unwrap(), status);
        assert_eq!(run.stored().await.status, BatchStatus::Abandoned);
        assert_eq!(run.repository.abandon(run.id()).await.unwrap(), BatchStatus::Abandoned);
    }
}
