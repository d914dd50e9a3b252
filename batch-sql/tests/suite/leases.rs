//! How long an owner is believed alive.

use crate::fixture::{Fixture, TTL, commit, guard, launch, lease, owner};
use batch_core::{BatchStatus, ErrorKind, Owner, Request, Transactions};
use std::time::Duration;

#[tokio::test]
async fn a_lease_that_is_over_is_taken_over() {
    let f = Fixture::new().await;
    let old = f.launch(&owner()).await.unwrap();
    f.clock.advance(TTL - Duration::from_millis(1));
    assert_eq!(f.launch(&owner()).await.unwrap_err().kind(), ErrorKind::AlreadyRunning);
    f.clock.advance(Duration::from_millis(1));
    let taken = f.launch(&owner()).await.unwrap().taken_over.unwrap();
    assert_eq!(taken.execution, old.execution.id);
    assert!(taken.reason.contains("its lease ended 0 s ago"), "{}", taken.reason);
}

#[tokio::test]
async fn a_renewal_extends_the_lease_and_brings_back_requests() {
    let f = Fixture::new().await;
    let me = owner();
    let id = f.launch(&me).await.unwrap().execution.id;
    f.clock.advance(TTL / 2);
    assert_eq!(f.repository.renew(&lease(id, &me)).await.unwrap(), None);
    f.clock.advance(TTL - Duration::from_millis(1));
    assert_eq!(f.launch(&owner()).await.unwrap_err().kind(), ErrorKind::AlreadyRunning);
    f.repository.request(id, Some(Request::Pause)).await.unwrap();
    assert_eq!(f.repository.renew(&lease(id, &me)).await.unwrap(), Some(Request::Pause));
    f.repository.request(id, None).await.unwrap();
    assert_eq!(f.repository.renew(&lease(id, &me)).await.unwrap(), None);
}

#[tokio::test]
async fn a_lease_that_is_over_revives_where_nobody_took_it() {
    let f = Fixture::new().await;
    let me = owner();
    let id = f.launch(&me).await.unwrap().execution.id;
    f.clock.advance(TTL * 10);
    f.repository.renew(&lease(id, &me)).await.unwrap();
    assert_eq!(f.launch(&owner()).await.unwrap_err().kind(), ErrorKind::AlreadyRunning);
    let stranger = lease(id, &owner());
    assert_eq!(f.repository.renew(&stranger).await.unwrap_err().kind(), ErrorKind::NotOwner);
}

#[tokio::test]
async fn commits_renew_the_lease_when_a_third_of_it_passed() {
    let f = Fixture::new().await;
    let me = owner();
    let (_, mut step) = f.running(&me).await;
    let until = "SELECT until_uptime FROM batch_lease";
    let begun = f.number(until).await;
    for (advance, renewed) in [(TTL / 4, false), (TTL / 4, true), (TTL / 4, false), (TTL / 4, true)] {
        f.clock.advance(advance);
        let before = f.number(until).await;
        let tx = f.db.begin().await.unwrap();
        f.db.commit(tx, &commit(&step, &me)).await.unwrap();
        step.commit_no += 1;
        assert_eq!(f.number(until).await > before, renewed);
    }
    assert_eq!(f.number(until).await - begun, i64::try_from(TTL.as_micros()).unwrap());
}

#[tokio::test]
async fn while_our_chunk_holds_the_file_its_lock_is_the_lease() {
    let f = Fixture::new().await;
    let me = owner();
    let (launched, step) = f.running(&me).await;
    f.repository.request(launched.execution.id, Some(Request::Stop)).await.unwrap();
    let tx = f.db.begin().await.unwrap();
    f.clock.advance(TTL * 2);
    assert_eq!(f.repository.renew(&guard(&step, &me).lease).await.unwrap(), Some(Request::Stop));
    assert_eq!(f.repository.renew(&lease(launched.execution.id, &owner())).await.unwrap_err().kind(), ErrorKind::NotOwner);
    f.db.commit(tx, &commit(&step, &me)).await.unwrap();
    // The commit carried the renewal.
    assert_eq!(f.launch(&owner()).await.unwrap_err().kind(), ErrorKind::AlreadyRunning);
}

#[tokio::test]
async fn another_boot_of_the_same_host_means_gone() {
    let f = Fixture::new().await;
    f.repository.launch(&launch("import", &Owner { boot: "before".into(), ..owner() })).await.unwrap();
    let taken = f.launch(&owner()).await.unwrap().taken_over.unwrap();
    assert!(taken.reason.contains("was booted since"), "{}", taken.reason);
}

#[tokio::test]
async fn on_another_host_the_wall_clock_decides() {
    let f = Fixture::new().await;
    let far = Owner { boot: "theirs".into(), host: "far".into(), ..owner() };
    f.repository.launch(&launch("import", &far)).await.unwrap();
    let error = f.launch(&owner()).await.unwrap_err();
    assert!(error.report().contains("on host far") && error.report().contains("in 30 s"), "{}", error.report());
    f.clock.advance(TTL);
    f.launch(&owner()).await.unwrap();
}

#[tokio::test]
async fn the_end_of_a_job_gives_up_its_lease() {
    let f = Fixture::new().await;
    let me = owner();
    let launched = f.launch(&me).await.unwrap();
    f.end_job(&launched, &me, BatchStatus::Stopped).await.unwrap();
    assert_eq!(f.number("SELECT count(*) FROM batch_lease").await, 0);
    assert_eq!(f.end_job(&launched, &me, BatchStatus::Stopped).await.unwrap_err().kind(), ErrorKind::NotOwner);
    assert_eq!(f.repository.renew(&lease(launched.execution.id, &me)).await.unwrap_err().kind(), ErrorKind::NotOwner);
}
