//! Named locks of a server.

use super::fixture::{OnServer, Speaks, on_every_server};
use batch_core::{ErrorKind, HeldLock, Transactions};
use batch_sql::Server;
use std::time::Duration;

on_every_server!(
    a_lock_whose_connection_ended_is_lost_and_free,
    a_connection_that_idled_and_was_closed_is_replaced,
    locks_of_other_databases_are_apart,
    a_lock_keeps_no_connection_of_the_pool,
);

async fn take<K: Speaks>(server: &Server<K>) -> Result<Box<dyn HeldLock>, batch_core::Error> {
    server.repository().locks().acquire("user 1", Duration::ZERO).await
}

/// The connection that the refusal names as the holder.
async fn holder<K: Speaks>(server: &Server<K>) -> i64 {
    let refused = take(server).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::AlreadyRunning);
    let report = refused.report();
    report.split_whitespace().find_map(|word| word.parse().ok()).unwrap_or_else(|| panic!("{report}"))
}

async fn end<K: Speaks>(f: &OnServer<K>, number: i64) {
    let mut stranger = f.stranger().await;
    K::run(&mut stranger, &K::ending(number)).await.unwrap();
}

async fn a_lock_whose_connection_ended_is_lost_and_free<K: Speaks>(f: OnServer<K>) {
    let mut lock = take(&f.first).await.unwrap();
    end(&f, holder(&f.second).await).await;
    let next = f.second.repository().locks().acquire("user 1", Duration::from_secs(60)).await.unwrap();
    let lost = lock.check().await.unwrap_err();
    assert!(lost.is_transient(), "{}", lost.report());
    lock.release().await;
    assert_eq!(take(&f.first).await.unwrap_err().kind(), ErrorKind::AlreadyRunning);
    next.release().await;
}

async fn a_connection_that_idled_and_was_closed_is_replaced<K: Speaks>(f: OnServer<K>) {
    let lock = take(&f.first).await.unwrap();
    let number = holder(&f.second).await;
    lock.release().await;
    end(&f, number).await;
    let lock = take(&f.first).await.unwrap();
    assert_ne!(holder(&f.second).await, number);
    lock.release().await;
}

async fn locks_of_other_databases_are_apart<K: Speaks>(f: OnServer<K>) {
    let other = OnServer::<K>::fresh().await;
    let (first, second) = (take(&f.first).await.unwrap(), take(&other.first).await.unwrap());
    first.release().await;
    second.release().await;
}

async fn a_lock_keeps_no_connection_of_the_pool<K: Speaks>(f: OnServer<K>) {
    let all = f.first.pool().options().get_max_connections();
    let lock = take(&f.first).await.unwrap();
    let mut taken = Vec::new();
    for _ in 0..all {
        taken.push(f.first.pool().acquire().await.unwrap());
    }
    let tx = f.first.begin().await.unwrap();
    f.first.rollback(tx).await.unwrap();
    lock.release().await;
}
