//! What operators ask of executions.

use super::record::Record;
use crate::{error::Outcome, session::Session, store::Store};
use batch_core::{BatchStatus, Error, ErrorKind, Request};

const REQUEST: &str = "UPDATE @execution SET request = ?, last_updated = ? WHERE id = ? AND active_key IS NOT NULL";
const STATUS: &str = "SELECT id, status FROM @execution WHERE id = ?{for_update}";
const ABANDON: &str = "UPDATE @execution SET status = 'ABANDONED', last_updated = ? WHERE id = ?";

/// Leaves a request for the owner, who finds it with the next commit or renewal.
pub(super) async fn request(session: &mut Session, store: &dyn Store, execution: i64, request: Option<Request>) -> Outcome<()> {
    let statement = session.query(REQUEST).bind(request.map(Request::as_str)).bind(store.now()).bind(execution);
    if session.execute(statement).await? > 0 {
        return Ok(());
    }
    let status = status(session, execution).await?;
    let message = format!("the execution is not active ({status}), so nothing can be asked of it");
    Err(Error::new(ErrorKind::Configuration, message).with("execution", execution).into())
}

/// Gives up an execution that is not active; returns its status before.
pub(super) async fn abandon(session: &mut Session, store: &dyn Store, execution: i64) -> Outcome<BatchStatus> {
    let status = status(session, execution).await?;
    if status.is_active() {
        let message = "the execution is running, so it cannot be abandoned; stop it first";
        return Err(Error::new(ErrorKind::AlreadyRunning, message).with("execution", execution).into());
    }
    session.execute(session.query(ABANDON).bind(store.now()).bind(execution)).await?;
    Ok(status)
}

async fn status(session: &mut Session, execution: i64) -> Outcome<BatchStatus> {
    let row = session.row(session.query(STATUS).bind(execution)).await?;
    let row = row.ok_or_else(|| unknown(execution))?;
    Record::new("batch_execution", &row).status()
}

/// The error for a number that names no execution.
pub(super) fn unknown(execution: i64) -> Error {
    Error::new(ErrorKind::NotFound, "no execution of that number is known").with("execution", execution)
}
