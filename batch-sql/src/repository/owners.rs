//! Who keeps a launch waiting.

use crate::{error::Fail, session::Session, store::Store};
use batch_core::{Error, ErrorKind, Owner, repository::Launch};

const ACTIVE: &str = "SELECT e.id, e.owner, i.job_name, i.job_key FROM @execution e {join} @instance i ON i.id = e.instance_id
    WHERE e.active_key > 0";

/// What the tests of query plans look at.
#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[ACTIVE];

/// The active execution of the process that holds the lock; where nobody can tell which process that is, of the instance asked for.
pub(crate) async fn blocking(store: &dyn Store, launch: &Launch, pid: Option<u32>) -> Option<(i64, Owner)> {
    let mut session = store.read().await.ok()?;
    let found = find(&mut session, launch, pid).await;
    session.end(found.map_err(Fail::from)).await.ok()?
}

async fn find(session: &mut Session, launch: &Launch, pid: Option<u32>) -> Result<Option<(i64, Owner)>, sqlx::Error> {
    for row in session.rows(session.query(ACTIVE)).await? {
        let Ok(owner) = serde_json::from_str::<Owner>(row.get("owner")?) else { continue };
        let ours = row.get::<&str>("job_name")? == launch.job_name && row.get::<&str>("job_key")? == launch.job_key;
        if pid.map_or(ours, |pid| pid == owner.pid) {
            return Ok(Some((row.get("id")?, owner)));
        }
    }
    Ok(None)
}

/// What is said to that launch; `state` adds what is known of the process.
pub(crate) fn locked_out(launch: &Launch, execution: i64, owner: &Owner, state: &str) -> Error {
    let message = format!(
        "job `{}` cannot be launched: {owner} keeps the database locked inside a chunk{state}; \
         a launch takes over as soon as the lock is free and that process is gone or its lease is over",
        launch.job_name
    );
    Error::new(ErrorKind::AlreadyRunning, message).with("execution", execution)
}
