//! Leases run by the server's clock, whatever a client's says.

use super::fixture::{OnServer, Speaks, on_every_server};
use crate::fixture::{launch, lease, owner};
use batch_core::{ErrorKind, ManualClock, Transactions};
use batch_sql::ServerOptions;
use std::{sync::Arc, time::Duration};

on_every_server!(a_wrong_clock_of_the_client_changes_no_lease, a_lease_of_another_host_is_waited_for);

const HOUR: Duration = Duration::from_secs(3600);

/// Neither a launcher whose clock is a year ahead takes over, nor does one whose clock is behind find its own lease over.
async fn a_wrong_clock_of_the_client_changes_no_lease<K: Speaks>(f: OnServer<K>) {
    let at = |time: &str| {
        let clock = Arc::new(ManualClock::at(time.parse().unwrap()));
        let url = f.database.url();
        async move { ServerOptions::<K>::new().clock(clock).open(&url).await.unwrap().repository() }
    };
    let (ahead, behind) = (at("2031-01-01T00:00:00Z").await, at("2001-01-01T00:00:00Z").await);
    let me = owner();
    let mine = behind.launch(&launch("import", &me)).await.unwrap();
    assert_eq!(ahead.launch(&launch("import", &owner())).await.unwrap_err().kind(), ErrorKind::AlreadyRunning);
    behind.renew(&lease(mine.execution.id, &me)).await.unwrap();
    assert_eq!(ahead.launch(&launch("import", &owner())).await.unwrap_err().kind(), ErrorKind::AlreadyRunning);
    f.sql(&K::earlier(HOUR.as_micros())).await;
    let taken = behind.launch(&launch("import", &owner())).await.unwrap().taken_over.unwrap();
    assert!(taken.reason.contains("lease ended"), "{}", taken.reason);
}

/// Hosts may share a name: unlike with a file, a name and another boot prove nothing.
async fn a_lease_of_another_host_is_waited_for<K: Speaks>(f: OnServer<K>) {
    let rebooted = batch_core::Owner { boot: "another".to_owned(), ..owner() };
    f.repository.launch(&launch("import", &rebooted)).await.unwrap();
    let refused = f.repository.launch(&launch("import", &owner())).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::AlreadyRunning);
    assert!(refused.to_string().contains("its lease ends in 30 s") || refused.to_string().contains("its lease ends in 29 s"));
}
