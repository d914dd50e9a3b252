//! Beginning and ending a job execution.

use super::{
    lease,
    record::{self, Record},
    takeover,
};
use crate::{
    error::{Class, Fail, Outcome, class, not_owner},
    sqlite::{Store, holder, session::Session},
};
use batch_core::{
    BatchStatus, Context, Error, ErrorKind, ExitStatus, JobExecution, JobInstance, Owner, Parameters,
    repository::{JobEnd, Launch, Launched},
};
use sqlx::Row;

const INSTANCE: &str = "INSERT INTO @instance (job_name, job_key, create_time) VALUES (?, ?, ?)
    ON CONFLICT (job_name, job_key) DO UPDATE SET job_name = excluded.job_name RETURNING id";
const ACTIVE: &str = "SELECT e.*, i.job_name, i.job_key, l.host, l.boot, l.until_uptime, l.until_time
    FROM @execution e JOIN @instance i ON i.id = e.instance_id LEFT JOIN @lease l ON l.execution_id = e.id WHERE e.active_key = ?";
const LATEST: &str = "SELECT e.*, i.job_name, i.job_key FROM @execution e JOIN @instance i ON i.id = e.instance_id
    WHERE e.instance_id = ? ORDER BY e.id DESC LIMIT 1";
const ABANDONED: &str = "SELECT id FROM @execution WHERE instance_id = ? AND status = 'ABANDONED' LIMIT 1";
const PARAMETERS: &str =
    "SELECT execution_id AS id, name, type, value, identifying FROM @parameter WHERE execution_id = ? ORDER BY name";
const CHECKPOINTS: &str = "SELECT * FROM @step WHERE execution_id = ? AND status <> 'COMPLETED'";
const INSERT: &str = "INSERT INTO @execution (instance_id, status, exit_code, exit_message, create_time, start_time, last_updated,
    context, owner, token, active_key) VALUES (?, 'STARTED', 'STARTED', '', ?, ?, ?, ?, ?, ?, ?) RETURNING id";
const PARAMETER: &str = "INSERT INTO @parameter (execution_id, name, type, value, identifying)
    SELECT ?, value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?)";
const END: &str =
    "UPDATE @execution SET status = ?, exit_code = ?, exit_message = ?, end_time = ?, last_updated = ?, request = NULL,
    active_key = NULL WHERE id = ? AND token = ? AND active_key IS NOT NULL";

/// What the tests of query plans look at.
#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[INSTANCE, ACTIVE, LATEST, ABANDONED, PARAMETERS, CHECKPOINTS, INSERT, PARAMETER, END];

/// The answer to a launch: begun, or refused for a reason that is no failure of the store.
pub(super) type Answer = Result<Launched, Error>;

/// Finds or creates the instance, closes what a dead owner left, and begins a new execution.
pub(super) async fn launch(session: &mut Session, store: &Store, launch: &Launch) -> Outcome<Answer> {
    let instance = instance(session, store, launch).await?;
    let mut taken_over = None;
    if let Some(row) = session.row(session.query(ACTIVE).bind(instance.id)).await? {
        let active = Record::new("batch_execution", &row);
        if active.get::<&str>("token")? == launch.owner.token {
            return answered(session, &active, instance.id).await.map(Ok);
        }
        match takeover::verdict(&active, &row, store, launch)? {
            Err(refusal) => return Ok(Err(refusal)),
            Ok(taken) => {
                takeover::close(session, store, launch, &taken).await?;
                taken_over = Some(taken);
            }
        }
    }
    let (previous, refusal) = previous(session, launch, instance.id).await?;
    if let Some(refusal) = refusal {
        return Ok(Err(refusal));
    }
    let execution = insert(session, store, launch, instance, previous.as_ref()).await?;
    Ok(Ok(Launched { execution, previous, taken_over }))
}

async fn instance(session: &mut Session, store: &Store, launch: &Launch) -> Outcome<JobInstance> {
    let query = session.query(INSTANCE).bind(launch.job_name.clone()).bind(launch.job_key.clone());
    let row = session.row(query.bind(record::time(store.now()))).await?.ok_or(sqlx::Error::RowNotFound)?;
    Ok(JobInstance { id: row.try_get(0)?, job_name: launch.job_name.clone(), job_key: launch.job_key.clone() })
}

/// The launch was committed before, and its answer lost.
async fn answered(session: &mut Session, active: &Record<'_>, instance: i64) -> Outcome<Launched> {
    let mut execution = active.execution()?;
    execution.parameters = parameters(session, execution.id).await?;
    let query = session.query(
        "SELECT e.*, i.job_name, i.job_key FROM @execution e JOIN @instance i ON i.id = e.instance_id
        WHERE e.instance_id = ? AND e.id < ? ORDER BY e.id DESC LIMIT 1",
    );
    let row = session.row(query.bind(instance).bind(execution.id)).await?;
    let previous = row.as_ref().map(|r| Record::new("batch_execution", r).execution()).transpose()?;
    Ok(Launched { execution, previous, taken_over: None })
}

/// The last try, and why it forbids another; damaged data is such a reason.
async fn previous(session: &mut Session, launch: &Launch, instance: i64) -> Outcome<(Option<JobExecution>, Option<Error>)> {
    match read_previous(session, launch, instance).await {
        Ok(previous) => Ok((previous, None)),
        Err(Fail::Refused(refusal)) => Ok((None, Some(refusal))),
        Err(fail) => Err(fail),
    }
}

async fn read_previous(session: &mut Session, launch: &Launch, instance: i64) -> Outcome<Option<JobExecution>> {
    let Some(row) = session.row(session.query(LATEST).bind(instance)).await? else { return Ok(None) };
    let record = Record::new("batch_execution", &row);
    let mut previous = record.execution()?;
    refuse_complete(launch, &previous)?;
    if let Some(row) = session.row(session.query(ABANDONED).bind(instance)).await? {
        return Err(given_up(launch, row.try_get(0)?).into());
    }
    refuse_restart(launch, &previous)?;
    previous.parameters = parameters(session, previous.id).await?;
    for row in session.rows(session.query(CHECKPOINTS).bind(previous.id)).await? {
        Record::new("batch_step", &row).step()?;
    }
    Ok(Some(previous))
}

fn refuse_complete(launch: &Launch, previous: &JobExecution) -> Result<(), Error> {
    let job = &launch.job_name;
    if previous.status == BatchStatus::Completed {
        let ended = previous.ended.map_or_else(String::new, |at| format!(" at {}", record::time(at)));
        let message = format!(
            "job `{job}` completed with these parameters{ended}; to run it again, change an identifying parameter (a run date or number)"
        );
        return Err(Error::new(ErrorKind::AlreadyComplete, message).with("execution", previous.id));
    }
    Ok(())
}

fn refuse_restart(launch: &Launch, previous: &JobExecution) -> Result<(), Error> {
    let job = &launch.job_name;
    if !launch.restartable {
        let message = format!(
            "job `{job}` is not restartable, and its last execution ended {}; change an identifying parameter to begin anew",
            previous.status
        );
        return Err(Error::new(ErrorKind::NeedsOperator, message).with("execution", previous.id));
    }
    Ok(())
}

fn given_up(launch: &Launch, execution: i64) -> Error {
    let message = format!(
        "job `{}` was given up with these parameters (ABANDONED) and is never restarted; change an identifying parameter to begin anew",
        launch.job_name
    );
    Error::new(ErrorKind::NeedsOperator, message).with("execution", execution)
}

async fn insert(
    session: &mut Session,
    store: &Store,
    launch: &Launch,
    instance: JobInstance,
    previous: Option<&JobExecution>,
) -> Outcome<JobExecution> {
    let now = store.now();
    let context = previous.map_or_else(Context::default, |p| p.context.clone());
    let parameters = launch.parameters.stored();
    let query = session.query(INSERT).bind(instance.id).bind(record::time(now)).bind(record::time(now)).bind(record::time(now));
    let query = query.bind(record::context(&context)).bind(serde_json::json!(launch.owner).to_string());
    let row = session.row(query.bind(launch.owner.token.clone()).bind(instance.id)).await?.ok_or(sqlx::Error::RowNotFound)?;
    let id: i64 = row.try_get(0)?;
    insert_parameters(session, id, &parameters).await?;
    lease::insert(session, store, id, &launch.owner, launch.ttl).await?;
    Ok(JobExecution {
        id,
        instance,
        parameters,
        status: BatchStatus::Started,
        exit_status: ExitStatus::from(BatchStatus::Started),
        created: now,
        started: Some(now),
        ended: None,
        last_updated: now,
        context,
        steps: Vec::new(),
    })
}

async fn insert_parameters(session: &mut Session, execution: i64, parameters: &Parameters) -> Outcome<()> {
    let rows: Vec<_> = parameters
        .iter()
        .filter_map(|(name, p)| {
            let (kind, value) = record::parameter(&p.value)?;
            Some(serde_json::json!([name, kind, value, i64::from(p.identifying)]))
        })
        .collect();
    if !rows.is_empty() {
        let query = session.query(PARAMETER).bind(execution).bind(serde_json::Value::from(rows).to_string());
        session.execute(query).await?;
    }
    Ok(())
}

/// The stored parameters of an execution.
pub(super) async fn parameters(session: &mut Session, execution: i64) -> Outcome<Parameters> {
    let rows = session.rows(session.query(PARAMETERS).bind(execution)).await?;
    rows.iter().map(|row| Record::new("batch_parameter", row).parameter()).collect()
}

/// Ends an execution and gives up its lease.
pub(super) async fn end(session: &mut Session, end: &JobEnd) -> Outcome<()> {
    let at = record::time(end.at);
    let query = session.query(END).bind(end.status.as_str()).bind(end.exit_status.code.clone());
    let query = query.bind(record::message(&end.exit_status)).bind(at.clone()).bind(at);
    let changed = session.execute(query.bind(end.lease.execution).bind(end.lease.token.clone())).await?;
    if changed == 0 {
        return Err(not_owner(end.lease.execution).into());
    }
    session.execute(session.query(lease::DELETE).bind(end.lease.execution)).await?;
    Ok(())
}

/// What to say to a launch that could not get the write lock: in WAL mode owners are read without it.
pub(super) async fn blocked(store: &Store, launch: &Launch, fail: Fail) -> Error {
    let busy = match fail {
        Fail::Refused(busy) => busy,
        Fail::Store(e) if class(&e) == Class::Busy => store.busy().because(e),
        Fail::Store(_) => return store.error("launching the job")(fail),
    };
    let Some(active) = active_of_holder(store, launch).await else { return busy };
    let stopped = if holder::is_stopped(active.1.pid) { ", which is stopped: continue it (SIGCONT) or kill it" } else { "" };
    let message = format!(
        "job `{}` cannot be launched: {} keeps the database locked inside a chunk{stopped}; \
         a launch takes over as soon as the lock is free and that process is gone or its lease is over",
        launch.job_name, active.1
    );
    Error::new(ErrorKind::AlreadyRunning, message).with("execution", active.0).because(busy)
}

/// The active execution whose process holds the lock; where the kernel does not tell, the one of the instance asked for.
async fn active_of_holder(store: &Store, launch: &Launch) -> Option<(i64, Owner)> {
    let mut session = store.read().await.ok()?;
    let query = "SELECT e.id, e.owner, i.job_name, i.job_key FROM @execution e CROSS JOIN @instance i ON i.id = e.instance_id
        WHERE e.active_key > 0";
    let rows = session.rows(session.query(query)).await.map_err(Fail::from);
    let rows = session.end(rows).await.ok()?;
    let pid = holder::pid(&store.path);
    rows.iter().find_map(|row| {
        let owner: Owner = serde_json::from_str(row.try_get("owner").ok()?).ok()?;
        let ours = row.try_get::<&str, _>("job_name").ok()? == launch.job_name
            && row.try_get::<&str, _>("job_key").ok()? == launch.job_key;
        let holds = pid.map_or(ours, |pid| pid == owner.pid);
        holds.then(|| row.try_get("id").ok().map(|id| (id, owner))).flatten()
    })
}
