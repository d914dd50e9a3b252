//! Beginning and ending a step execution.

use super::record::{self, Record};
use crate::{
    error::{Outcome, not_owner},
    sqlite::{Store, session::Session},
};
use batch_core::{
    BatchStatus, Checkpoint, Context, Counts, ExitStatus, Request, StepExecution,
    repository::{Guard, Lease, Resolved, StepEnd, StepStart, StepStarted},
};
use chrono::SubsecRound;
use sqlx::Row;

const HELD: &str = "SELECT id, context FROM @execution WHERE id = ? AND token = ? AND active_key IS NOT NULL";
const LAST: &str = "SELECT * FROM @step WHERE instance_id = ? AND step_name = ? ORDER BY id DESC LIMIT 1";
const INSERT: &str = "INSERT INTO @step (execution_id, instance_id, step_name, status, exit_code, exit_message, start_no, epoch,
    commit_no, checkpoint, context, start_time, last_updated)
    VALUES (?, ?, ?, 'STARTED', 'STARTED', '', ?, ?, ?, ?, ?, ?, ?) RETURNING id";
const END: &str = "UPDATE @step SET status = ?, exit_code = ?, exit_message = ?, read_count = ?, write_count = ?, filter_count = ?,
    read_skip_count = ?, process_skip_count = ?, write_skip_count = ?, commit_count = ?, rollback_count = ?, end_time = ?,
    last_updated = ? WHERE id = ? AND epoch = ? AND commit_no = ? AND status = 'STARTED'";
const JOB_CONTEXT: &str = "UPDATE @execution SET context = ?, last_updated = ? WHERE id = ?";
const RESOLVE: &str = "UPDATE @step SET epoch = epoch + 1 WHERE id = ? AND epoch = ? AND status = 'STARTED'
    RETURNING epoch, commit_no, (SELECT request FROM @execution WHERE @execution.id = @step.execution_id) AS request";

/// What the tests of query plans look at.
#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[HELD, LAST, INSERT, END, JOB_CONTEXT, RESOLVE];

/// Begins a step execution where the execution is ours, with what the last try of the step left.
pub(super) async fn start(session: &mut Session, store: &Store, start: &StepStart) -> Outcome<StepStarted> {
    demand_active(session, &start.lease).await?;
    let query = session.query(LAST).bind(start.instance).bind(start.name.clone());
    let row = session.row(query).await?;
    let last = row.as_ref().map(|row| Record::new("batch_step", row).step()).transpose()?;
    let starts = last.as_ref().map_or(0, |l| l.start_no);
    match &last {
        Some(last) if last.status == BatchStatus::Completed && !start.rerun => {
            return Ok(StepStarted::Complete(Box::new(last.clone())));
        }
        _ => {}
    }
    if start.start_limit.is_some_and(|limit| starts >= limit.get()) {
        return Ok(StepStarted::LimitReached(starts));
    }
    let step = inherit(start, last, store.clock.now().trunc_subsecs(6));
    let id = insert(session, start.instance, &step).await?;
    Ok(StepStarted::Started(Box::new(StepExecution { id, ..step })))
}

/// A zombie that wakes between two steps must not start the next.
async fn demand_active(session: &mut Session, lease: &Lease) -> Outcome<()> {
    let query = session.query(HELD).bind(lease.execution).bind(lease.token.clone());
    match session.row(query).await? {
        Some(_) => Ok(()),
        None => Err(not_owner(lease.execution).into()),
    }
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

async fn insert(session: &mut Session, instance: i64, step: &StepExecution) -> Outcome<i64> {
    let query = session.query(INSERT).bind(step.execution_id).bind(instance).bind(step.name.clone());
    let query = query.bind(step.start_no).bind(step.epoch).bind(step.commit_no).bind(step.checkpoint.encode());
    let query = query.bind(record::context(&step.context)).bind(record::time(step.started)).bind(record::time(step.started));
    let row = session.row(query).await?.ok_or(sqlx::Error::RowNotFound)?;
    Ok(row.try_get(0)?)
}

/// Ends a step execution; a completed one leaves its values to the job's later steps.
pub(super) async fn end(session: &mut Session, end: &StepEnd) -> Outcome<()> {
    let (guard, counts, at) = (&end.guard, &end.counts, record::time(end.at));
    let query = session.query(END).bind(end.status.as_str()).bind(end.exit_status.code.clone());
    let query = query.bind(record::message(&end.exit_status)).bind(record::count(counts.read)).bind(record::count(counts.written));
    let query = query.bind(record::count(counts.filtered)).bind(record::count(counts.read_skips));
    let query = query.bind(record::count(counts.process_skips)).bind(record::count(counts.write_skips));
    let query = query.bind(record::count(counts.commits)).bind(record::count(counts.rollbacks)).bind(at.clone()).bind(at.clone());
    let changed = session.execute(query.bind(guard.step).bind(guard.epoch).bind(guard.commit_no)).await?;
    if changed == 0 {
        return Err(not_owner(guard.lease.execution).into());
    }
    match &end.job_context {
        Some(context) => save_job_context(session, end, context).await,
        None => Ok(()),
    }
}

/// Merged, since another step of a split may have ended meanwhile; this step's values win.
async fn save_job_context(session: &mut Session, end: &StepEnd, context: &Context) -> Outcome<()> {
    let lease = &end.guard.lease;
    let query = session.query(HELD).bind(lease.execution).bind(lease.token.clone());
    let row = session.row(query).await?.ok_or_else(|| not_owner(lease.execution))?;
    let mut merged: Context = Record::new("batch_execution", &row).json("context")?;
    merged.merge(context);
    let query = session.query(JOB_CONTEXT).bind(record::context(&merged)).bind(record::time(end.at)).bind(lease.execution);
    session.execute(query).await?;
    Ok(())
}

/// Raises the epoch, which waits for a commit in flight, and says how many commits there are.
pub(super) async fn resolve(session: &mut Session, guard: &Guard) -> Outcome<Resolved> {
    let row = session.row(session.query(RESOLVE).bind(guard.step).bind(guard.epoch)).await?;
    let row = row.ok_or_else(|| not_owner(guard.lease.execution))?;
    let request: Option<&str> = row.try_get("request")?;
    Ok(Resolved { epoch: row.try_get("epoch")?, commit_no: row.try_get("commit_no")?, request: request.and_then(Request::parse) })
}
