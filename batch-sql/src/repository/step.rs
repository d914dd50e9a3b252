//! Beginning and ending a step execution.

use super::{
    checkpoint,
    record::{self, Record},
};
use crate::{
    error::{Outcome, not_owner},
    session::Session,
    sql::{Answer, Statement, Value},
    store::Store,
};
use batch_core::{
    BatchStatus, Checkpoint, Context, Counts, ExitStatus, StepExecution,
    repository::{Guard, Lease, Resolved, StepEnd, StepStart, StepStarted},
};

const HELD: &str = "SELECT id, context FROM @execution WHERE id = ? AND token = ? AND active_key IS NOT NULL{for_share}";
const HELD_ALONE: &str = "SELECT id, context FROM @execution WHERE id = ? AND token = ? AND active_key IS NOT NULL{for_update}";
const LAST: &str = "SELECT * FROM @step WHERE instance_id = ? AND step_name = ? ORDER BY id DESC LIMIT 1";
const INSERT: &str = "INSERT INTO @step (execution_id, instance_id, step_name, status, exit_code, exit_message, start_no, epoch,
    commit_no, checkpoint, context, start_time, last_updated)
    VALUES (?, ?, ?, 'STARTED', 'STARTED', '', ?, ?, ?, ?, ?, ?, ?){id}";
const END: &str = "UPDATE @step SET status = ?, exit_code = ?, exit_message = ?, read_count = ?, write_count = ?, filter_count = ?,
    read_skip_count = ?, process_skip_count = ?, write_skip_count = ?, commit_count = ?, rollback_count = ?, end_time = ?,
    last_updated = ? WHERE id = ? AND epoch = ? AND commit_no = ? AND status = 'STARTED'";
const JOB_CONTEXT: &str = "UPDATE @execution SET context = ?, last_updated = ? WHERE id = ?";
/// Only the owner raises the epoch of a step that is STARTED: a higher one is its own, whose answer was lost.
const RESOLVE: &str = "UPDATE @step SET epoch = epoch + 1 WHERE id = ? AND epoch >= ? AND status = 'STARTED'";
const RESOLVED: &str =
    "SELECT s.epoch, s.commit_no, e.request FROM @step s JOIN @execution e ON e.id = s.execution_id WHERE s.id = ?";

/// What the tests of query plans look at.
#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[HELD, HELD_ALONE, LAST, INSERT, END, JOB_CONTEXT, RESOLVE, RESOLVED];

/// Begins a step execution where the execution is ours, with what the last try of the step left.
pub(super) async fn start(mut session: Session, store: &dyn Store, start: &StepStart) -> Outcome<StepStarted> {
    match decide(&mut session, store, start).await {
        Ok(StepStarted::Started(step)) => {
            let insert = insert(&session, start.instance, &step);
            let id = session.finish(vec![insert]).await?.number()?;
            Ok(StepStarted::Started(Box::new(StepExecution { id, ..*step })))
        }
        answer => session.end(answer).await,
    }
}

/// Whether the step is to run; it has no number yet.
async fn decide(session: &mut Session, store: &dyn Store, start: &StepStart) -> Outcome<StepStarted> {
    let last = session.once(LAST).bind(start.instance).bind(&start.name);
    let [held, last] = session.all([held(session, &start.lease), last]).await?;
    demand_held(&held, &start.lease)?;
    let last = last.rows.first().map(|row| Record::new("batch_step", row).step()).transpose()?;
    let starts = last.as_ref().map_or(0, |l| l.start_no);
    match last {
        Some(last) if last.status == BatchStatus::Completed && !start.rerun => Ok(StepStarted::Complete(Box::new(last))),
        _ if start.start_limit.is_some_and(|limit| starts >= limit.get()) => Ok(StepStarted::LimitReached(starts)),
        last => Ok(StepStarted::Started(Box::new(inherit(start, last, store.now())))),
    }
}

/// What asks whether an execution is ours, and keeps it so until the transaction ends.
pub(super) fn held(session: &Session, lease: &Lease) -> Statement {
    session.once(HELD).bind(lease.execution).bind(&lease.token)
}

/// A zombie that wakes between two steps, or two units, must not start the next.
pub(super) fn demand_held(held: &Answer, lease: &Lease) -> Outcome<()> {
    if held.rows.is_empty() { Err(not_owner(lease.execution).into()) } else { Ok(()) }
}

/// A completed step that is run again begins from nothing, but its commits go on being counted.
fn inherit(start: &StepStart, last: Option<StepExecution>, now: chrono::DateTime<chrono::Utc>) -> StepExecution {
    let (start_no, epoch, commit_no) = last.as_ref().map_or((0, 0, 0), |l| (l.start_no, l.epoch, l.commit_no));
    let (checkpoint, context) = match last {
        Some(last) if last.status != BatchStatus::Completed => (last.checkpoint, last.context),
        _ => (Checkpoint::default(), Context::default()),
    };
    StepExecution {
        id: 0,
        execution_id: start.lease.execution,
        name: start.name.clone(),
        status: BatchStatus::Started,
        exit_status: ExitStatus::from(BatchStatus::Started),
        start_no: start_no + 1,
        epoch: epoch + 1,
        commit_no,
        counts: Counts::default(),
        checkpoint,
        context,
        started: now,
        ended: None,
        last_updated: now,
    }
}

fn insert(session: &Session, instance: i64, step: &StepExecution) -> Statement {
    let statement = session.once(INSERT).bind(step.execution_id).bind(instance).bind(&step.name);
    let statement = statement.bind(step.start_no).bind(step.epoch).bind(step.commit_no).bind(step.checkpoint.encode());
    statement.bind(record::context(&step.context)).bind(step.started).bind(step.started)
}

/// Ends a step execution; a completed one leaves its values to the job's later steps. The job's row is locked first, as everywhere.
pub(super) async fn end(session: &mut Session, end: &StepEnd) -> Outcome<()> {
    if let Some(context) = &end.job_context {
        save_job_context(session, end, context).await?;
    }
    let guard = &end.guard;
    let statement = session.once(END).bind(end.status.as_str()).bind(&end.exit_status.code).bind(record::message(&end.exit_status));
    let statement = statement.bind_all(counts(end)).bind(end.at).bind(end.at);
    let changed = session.execute(statement.bind(guard.step).bind(guard.epoch).bind(guard.commit_no)).await?;
    if changed == 0 { Err(not_owner(guard.lease.execution).into()) } else { Ok(()) }
}

fn counts(end: &StepEnd) -> impl Iterator<Item = Value> {
    let c = &end.counts;
    let skips = [c.read_skips, c.process_skips, c.write_skips];
    let all = [c.read, c.written, c.filtered].into_iter().chain(skips).chain([c.commits, c.rollbacks]);
    all.map(|n| record::count(n).into())
}

/// Merged, since another step of a split may have ended meanwhile; this step's values win.
async fn save_job_context(session: &mut Session, end: &StepEnd, context: &Context) -> Outcome<()> {
    let lease = &end.guard.lease;
    let row = session.row(session.once(HELD_ALONE).bind(lease.execution).bind(&lease.token)).await?;
    let row = row.ok_or_else(|| not_owner(lease.execution))?;
    let mut merged: Context = Record::new("batch_execution", &row).json("context")?;
    merged.merge(context);
    session.later(session.once(JOB_CONTEXT).bind(record::context(&merged)).bind(end.at).bind(lease.execution)).await?;
    Ok(())
}

/// Raises the epoch, which waits for a commit in flight, and says how many commits there are.
pub(super) async fn resolve(session: &mut Session, guard: &Guard) -> Outcome<Resolved> {
    if session.execute(session.once(RESOLVE).bind(guard.step).bind(guard.epoch)).await? == 0 {
        return Err(not_owner(guard.lease.execution).into());
    }
    let row = session.row(session.once(RESOLVED).bind(guard.step)).await?.ok_or(sqlx::Error::RowNotFound)?;
    Ok(Resolved { epoch: row.get("epoch")?, commit_no: row.get("commit_no")?, request: checkpoint::request(Some(&row))? })
}
