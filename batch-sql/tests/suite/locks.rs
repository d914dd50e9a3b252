//! Named locks in a file: a row each, which lives as long as its holder.

use crate::fixture::Fixture;
use batch_core::{ErrorKind, HeldLock, Owner, Transactions};
use batch_sql::Sqlite;
use std::time::Duration;

const TTL: Duration = Duration::from_secs(30);
const UNTIL: &str = "SELECT until_uptime FROM batch_lock";

async fn take(db: &Sqlite) -> Result<Box<dyn HeldLock>, batch_core::Error> {
    db.repository().locks().acquire("user 1", Duration::ZERO).await
}

#[tokio::test]
async fn a_lock_whose_lease_is_over_is_taken_and_its_holder_told() {
    let f = Fixture::new().await;
    let second = f.other().await;
    let mut first = take(&f.db).await.unwrap();
    f.clock.advance(TTL - Duration::from_millis(1));
    let refused = take(&second).await.unwrap_err();
    assert!(refused.report().contains(&format!("process {}", std::process::id())), "{}", refused.report());
    f.clock.advance(Duration::from_millis(1));
    // Nobody took it yet, so it is still the first one's.
    first.check().await.unwrap();
    let mut next = take(&second).await.unwrap();
    let lost = first.check().await.unwrap_err();
    assert!(lost.is_transient() && lost.report().contains("the lock was lost"), "{}", lost.report());
    first.release().await;
    next.check().await.unwrap();
    next.release().await;
}

/// Lets so much of tokio's time pass at once.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

/// Waits until the lock's lease ends at another time than `before`.
async fn renewed(f: &Fixture, before: i64) {
    crate::servers::fixture::until(async || f.number(UNTIL).await != before).await;
}

#[tokio::test]
async fn a_lock_is_renewed_while_it_is_held() {
    let f = Fixture::new().await;
    let held = take(&f.db).await.unwrap();
    let before = f.number(UNTIL).await;
    f.clock.advance(TTL * 2 / 3);
    pass(TTL / 3).await;
    renewed(&f, before).await;
    f.clock.advance(TTL * 2 / 3);
    assert_eq!(take(&f.other().await).await.unwrap_err().kind(), ErrorKind::AlreadyRunning);
    held.release().await;
}

/// Soon after it: as long as the chunk is open nobody else can take the lock.
#[tokio::test]
async fn a_lock_is_renewed_after_a_long_chunk_of_the_same_handle() {
    let f = Fixture::new().await;
    let mut held = take(&f.db).await.unwrap();
    let before = f.number(UNTIL).await;
    let tx = f.db.begin().await.unwrap();
    f.clock.advance(TTL * 2);
    pass(TTL / 3).await;
    held.check().await.unwrap();
    assert_eq!(f.number(UNTIL).await, before);
    f.db.rollback(tx).await.unwrap();
    renewed(&f, before).await;
    held.check().await.unwrap();
    held.release().await;
}

#[tokio::test]
async fn a_holder_that_is_gone_is_not_waited_for() {
    let f = Fixture::new().await;
    let gone = Owner { pid: u32::MAX, ..Owner::current() };
    for (owner, boot) in
        [(&gone, Owner::current().boot), (&Owner { namespace: "pid:[1]".into(), ..gone.clone() }, "earlier".into())]
    {
        let held = take(&f.db).await.unwrap();
        let owner = serde_json::to_string(owner).unwrap();
        let change = sqlx::query("UPDATE batch_lock SET owner = ?, boot = ?").bind(owner).bind(boot);
        change.execute(f.db.pool()).await.unwrap();
        take(&f.db).await.unwrap().release().await;
        held.release().await;
    }
}

#[tokio::test]
async fn a_lock_leaves_no_row_behind() {
    let f = Fixture::new().await;
    take(&f.db).await.unwrap().release().await;
    assert_eq!(f.number("SELECT count(*) FROM batch_lock").await, 0);
}
