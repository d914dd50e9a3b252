//! Closing the execution of an owner that is gone.

use super::{
    lease::{self, State},
    record::{self, Record},
};
use crate::{error::Outcome, session::Session, store::Store};
use batch_core::{
    Error, ErrorKind, ExitStatus, Owner, failpoint,
    repository::{Launch, TakenOver},
};

const CLOSE_EXECUTION: &str = "UPDATE @execution SET status = 'FAILED', exit_code = 'FAILED', exit_message = ?, end_time = ?,
    last_updated = ?, request = NULL, active_key = NULL WHERE id = ?";
const CLOSE_STEPS: &str = "UPDATE @step SET status = 'FAILED', exit_code = 'FAILED', exit_message = ?, end_time = ?,
    last_updated = ?, epoch = epoch + 1 WHERE execution_id = ? AND status IN ('STARTING', 'STARTED', 'STOPPING')";

/// What the tests of query plans look at.
#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[CLOSE_EXECUTION, CLOSE_STEPS];

/// Whether the active execution, whose row is locked, may be taken over, else the refusal.
pub(super) async fn verdict(
    session: &mut Session,
    active: &Record<'_>,
    store: &dyn Store,
    launch: &Launch,
) -> Outcome<Result<TakenOver, Error>> {
    let execution: i64 = active.get("id")?;
    // An owner that can't be read is unknown: its lease decides.
    let owner: Option<Owner> = serde_json::from_str(active.get("owner")?).ok();
    let name = owner.as_ref().map_or_else(|| "an unknown process".to_owned(), Owner::to_string);
    let lease = lease::judge(session, store.timing(), execution, &launch.owner).await?;
    let rest = match (owner.and_then(|o| o.gone()), lease) {
        (Some(reason), _) | (None, State::Over(reason)) => return Ok(Ok(TakenOver { execution, owner: name, reason })),
        (None, State::Valid(rest)) => rest.as_secs_f64().ceil(),
    };
    let message = format!(
        "job `{}` is already running with these parameters, by {name}; wait for its end or stop it. If that process is gone, launch \
         again when its lease ends in {rest} s",
        launch.job_name
    );
    Ok(Err(Error::new(ErrorKind::AlreadyRunning, message).with("execution", execution)))
}

/// Closes the execution, then its steps, whose new epoch fences the old owner; the lease last.
///
/// Closing the steps waits for a commit in flight; their checkpoints are read by statements of their own, later, since one that closed and
/// read at once would see the checkpoint before that commit.
pub(super) async fn close(session: &mut Session, store: &dyn Store, launch: &Launch, taken: &TakenOver) -> Outcome<()> {
    let message = format!("taken over by {} from {}: {}", launch.owner, taken.owner, taken.reason);
    let message = record::message(&ExitStatus::new("FAILED", &message));
    for template in [CLOSE_EXECUTION, CLOSE_STEPS] {
        let statement = session.once(template).bind(&message).bind(store.now()).bind(store.now()).bind(taken.execution);
        session.execute(statement).await?;
    }
    session.later(session.once(lease::DELETE).bind(taken.execution)).await?;
    failpoint!("takeover.closed");
    Ok(())
}
