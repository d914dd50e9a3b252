//! A takeover while the old owner's commit is in flight.

use super::{
    fixture::{OnServer, Speaks, on_every_server, until},
    transactions::step,
};
use crate::fixture::{commit, launch, owner, step_start};
use batch_core::{ErrorKind, Transactions, repository::StepStarted};
use batch_sql::ServerOptions;
use std::time::Duration;

on_every_server!(
    a_takeover_waits_for_a_commit_in_flight_and_inherits_it,
    a_takeover_waits_for_a_step_that_is_being_started,
    a_launch_that_is_locked_out_names_the_owner,
    resolving_waits_for_the_commit_in_flight,
);

/// What the server still has to do: the guarded update is done, the COMMIT is not.
const IN_FLIGHT: &str = "START TRANSACTION; UPDATE batch_step SET commit_no = commit_no + 1, read_count = 10, write_count = 10,
    checkpoint = '{\"v\":1,\"read\":10,\"reader\":10,\"writer\":null}' WHERE status = 'STARTED'";

/// How many statements of others wait for a lock.
async fn waiting<K: Speaks>(f: &OnServer<K>) -> i64 {
    f.number(match K::NAME {
        "Postgres" => "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()",
        // Whatever has run for so long waits: the table of lock waits is refreshed only when nobody looks at it.
        _ => {
            "SELECT CAST(count(*) AS SIGNED) FROM information_schema.processlist
                WHERE db = DATABASE() AND id <> CONNECTION_ID() AND command <> 'Sleep' AND time_ms > 100"
        }
    })
    .await
}

async fn a_takeover_waits_for_a_commit_in_flight_and_inherits_it<K: Speaks>(f: OnServer<K>) {
    step(&f).await;
    let mut server = f.stranger().await;
    K::run(&mut server, IN_FLIGHT).await.unwrap();
    f.sql(&K::earlier(60_000_000)).await;

    let (repository, me) = (f.second.repository(), owner());
    let successor = me.clone();
    let takeover = tokio::spawn(async move {
        let launched = repository.launch(&launch("import", &successor)).await.unwrap();
        repository.start_step(&step_start(&launched, &successor, "load")).await.unwrap()
    });
    until(async || waiting(&f).await > 0).await;
    K::run(&mut server, "COMMIT").await.unwrap();
    let StepStarted::Started(next) = takeover.await.unwrap() else { panic!() };
    assert_eq!((next.commit_no, next.checkpoint.read), (1, 10));
}

/// A zombie that woke between two steps must not have started the next one when the takeover is done.
async fn a_takeover_waits_for_a_step_that_is_being_started<K: Speaks>(f: OnServer<K>) {
    let me = owner();
    let old = f.repository.launch(&launch("import", &me)).await.unwrap();
    let mut server = f.stranger().await;
    let share = if K::NAME == "Postgres" { "FOR SHARE" } else { "LOCK IN SHARE MODE" };
    K::run(&mut server, &format!("START TRANSACTION; SELECT id FROM batch_execution {share}")).await.unwrap();
    f.sql(&K::earlier(60_000_000)).await;
    let repository = f.second.repository();
    let takeover = tokio::spawn(async move { repository.launch(&launch("import", &owner())).await.unwrap() });
    until(async || waiting(&f).await > 0).await;
    K::run(&mut server, "COMMIT").await.unwrap();
    assert!(takeover.await.unwrap().taken_over.is_some());
    let refused = f.repository.start_step(&step_start(&old, &me, "next")).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NotOwner);
}

async fn a_launch_that_is_locked_out_names_the_owner<K: Speaks>(f: OnServer<K>) {
    step(&f).await;
    let mut server = f.stranger().await;
    K::run(&mut server, IN_FLIGHT).await.unwrap();
    f.sql(&K::earlier(60_000_000)).await;
    let hasty = ServerOptions::<K>::new().launch_wait(Duration::from_secs(1)).open(&f.database.url()).await.unwrap();
    let refused = hasty.repository().launch(&launch("import", &owner())).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::AlreadyRunning, "{}", refused.report());
    assert!(refused.to_string().contains("keeps the database locked"), "{refused}");
    K::run(&mut server, "ROLLBACK").await.unwrap();
    assert!(hasty.repository().launch(&launch("import", &owner())).await.unwrap().taken_over.is_some());
}

async fn resolving_waits_for_the_commit_in_flight<K: Speaks>(f: OnServer<K>) {
    let (me, step) = step(&f).await;
    let mut server = f.stranger().await;
    K::run(&mut server, IN_FLIGHT).await.unwrap();
    let (repository, guard) = (f.second.repository(), commit(&step, &me).guard);
    let resolving = tokio::spawn(async move { repository.resolve(&guard).await.unwrap() });
    until(async || waiting(&f).await > 0).await;
    K::run(&mut server, "COMMIT").await.unwrap();
    assert_eq!(resolving.await.unwrap().commit_no, 1);
}
