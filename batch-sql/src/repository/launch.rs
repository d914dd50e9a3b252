//! Beginning and ending a job execution.

use super::{
    lease,
    record::{self, Record},
    takeover,
};
use crate::{
    error::{Fail, Outcome, not_owner},
    session::Session,
    sql::{Row, Statement, Value},
    store::Store,
};
use batch_core::{
    BatchStatus, Context, Error, ErrorKind, ExitStatus, JobExecution, JobInstance, Parameters,
    repository::{JobEnd, Launch, Launched},
};
use chrono::SecondsFormat;

const INSTANCE: &str = "INSERT INTO @instance (job_name, job_key, create_time) VALUES (?, ?, ?) {or_find}";
/// Locks the execution whatever its status: a takeover then waits for nothing that waits for it.
const ACTIVE: &str = "SELECT * FROM @execution WHERE active_key = ?{for_update}";
const LATEST: &str = "SELECT * FROM @execution WHERE instance_id = ? ORDER BY id DESC LIMIT 1";
const ABANDONED: &str = "SELECT id FROM @execution WHERE instance_id = ? AND status = 'ABANDONED' LIMIT 1";
const PARAMETERS: &str =
    "SELECT execution_id AS id, name, type, value, identifying FROM @parameter WHERE execution_id = ? ORDER BY name";
const CHECKPOINTS: &str = "SELECT * FROM @step WHERE execution_id = ? AND status <> 'COMPLETED'";
const INSERT: &str = "INSERT INTO @execution (instance_id, status, exit_code, exit_message, create_time, start_time, last_updated,
    context, owner, token, active_key) VALUES (?, 'STARTED', 'STARTED', '', ?, ?, ?, ?, ?, ?, ?){id}";
const PARAMETER: &str = "INSERT INTO @parameter (execution_id, name, type, value, identifying) VALUES";
const BEFORE: &str = "SELECT * FROM @execution WHERE instance_id = ? AND id < ? ORDER BY id DESC LIMIT 1";
const END: &str =
    "UPDATE @execution SET status = ?, exit_code = ?, exit_message = ?, end_time = ?, last_updated = ?, request = NULL,
    active_key = NULL WHERE id = ? AND token = ? AND active_key IS NOT NULL";

/// What the tests of query plans look at.
#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[INSTANCE, ACTIVE, LATEST, ABANDONED, PARAMETERS, CHECKPOINTS, INSERT, BEFORE, END];

/// The answer to a launch: begun, or refused for a reason that is no failure of the store.
pub(super) type Answer = Result<Launched, Error>;

/// Finds or creates the instance, closes what a dead owner left, and begins a new execution.
pub(super) async fn launch(session: &mut Session, store: &dyn Store, launch: &Launch) -> Outcome<Answer> {
    let instance = instance(session, store, launch).await?;
    let active = session.once(ACTIVE).bind(instance.id);
    let [latest, abandoned] = history(session, instance.id);
    // The row is locked before the others are read.
    let [active, latest, abandoned] = session.all([active, latest, abandoned]).await?;
    let (mut history, mut taken_over) = ([latest, abandoned], None);
    if let Some(row) = active.first() {
        let active = Record::new("batch_execution", row);
        if active.get::<&str>("token")? == launch.owner.token {
            return answered(session, &active, instance).await.map(Ok);
        }
        match takeover::verdict(session, &active, store, launch).await? {
            Err(refusal) => return Ok(Err(refusal)),
            Ok(taken) => {
                takeover::close(session, store, launch, &taken).await?;
                taken_over = Some(taken);
            }
        }
        history = session.all(self::history(session, instance.id)).await?;
    }
    let (previous, refusal) = previous(session, launch, &instance, history).await?;
    if let Some(refusal) = refusal {
        return Ok(Err(refusal));
    }
    let execution = insert(session, store, launch, instance, previous.as_ref()).await?;
    Ok(Ok(Launched { execution, previous, taken_over }))
}

/// What asks for the last try of an instance, and for one that was given up.
fn history(session: &Session, instance: i64) -> [Statement; 2] {
    [LATEST, ABANDONED].map(|template| session.once(template).bind(instance))
}

async fn instance(session: &mut Session, store: &dyn Store, launch: &Launch) -> Outcome<JobInstance> {
    let statement = session.once(INSTANCE).bind(&launch.job_name).bind(&launch.job_key).bind(store.now());
    let id = session.insert(statement).await?;
    Ok(JobInstance { id, job_name: launch.job_name.clone(), job_key: launch.job_key.clone() })
}

/// The launch was committed before, and its answer lost.
async fn answered(session: &mut Session, active: &Record<'_>, instance: JobInstance) -> Outcome<Launched> {
    let before = session.once(BEFORE).bind(instance.id);
    let mut execution = active.execution_of(instance.clone())?;
    execution.parameters = parameters(session, execution.id).await?;
    let row = session.row(before.bind(execution.id)).await?;
    let previous = row.as_ref().map(|r| Record::new("batch_execution", r).execution_of(instance)).transpose()?;
    Ok(Launched { execution, previous, taken_over: None })
}

/// The last try, and why it forbids another; damaged data is such a reason.
async fn previous(
    session: &mut Session,
    launch: &Launch,
    instance: &JobInstance,
    history: [Vec<Row>; 2],
) -> Outcome<(Option<JobExecution>, Option<Error>)> {
    match read_previous(session, launch, instance, history).await {
        Ok(previous) => Ok((previous, None)),
        Err(Fail::Refused(refusal)) => Ok((None, Some(refusal))),
        Err(fail) => Err(fail),
    }
}

async fn read_previous(
    session: &mut Session,
    launch: &Launch,
    instance: &JobInstance,
    [latest, abandoned]: [Vec<Row>; 2],
) -> Outcome<Option<JobExecution>> {
    let Some(row) = latest.first() else { return Ok(None) };
    let record = Record::new("batch_execution", row);
    let mut previous = record.execution_of(instance.clone())?;
    refuse_complete(launch, &previous)?;
    if let Some(row) = abandoned.first() {
        return Err(given_up(launch, row.get("id")?).into());
    }
    refuse_restart(launch, &previous)?;
    let details = [PARAMETERS, CHECKPOINTS].map(|template| session.once(template).bind(previous.id));
    let [parameters, steps] = session.all(details).await?;
    previous.parameters = read_parameters(&parameters)?;
    for row in &steps {
        Record::new("batch_step", row).step()?;
    }
    Ok(Some(previous))
}

fn refuse_complete(launch: &Launch, previous: &JobExecution) -> Result<(), Error> {
    let job = &launch.job_name;
    if previous.status == BatchStatus::Completed {
        let ended = previous.ended.map_or_else(String::new, |at| format!(" at {}", at.to_rfc3339_opts(SecondsFormat::Secs, true)));
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
    store: &dyn Store,
    launch: &Launch,
    instance: JobInstance,
    previous: Option<&JobExecution>,
) -> Outcome<JobExecution> {
    let now = store.now();
    let context = previous.map_or_else(Context::default, |p| p.context.clone());
    let parameters = launch.parameters.stored();
    let statement = session.once(INSERT).bind(instance.id).bind(now).bind(now).bind(now).bind(record::context(&context));
    let statement = statement.bind(serde_json::json!(launch.owner).to_string()).bind(&launch.owner.token).bind(instance.id);
    let id = session.insert(statement).await?;
    insert_parameters(session, id, &parameters).await?;
    lease::insert(session, store.timing(), id, &launch.owner, launch.ttl).await?;
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
    let rows: Vec<Vec<Value>> = parameters
        .iter()
        .filter_map(|(name, p)| {
            let (kind, value) = record::parameter(&p.value)?;
            Some(vec![execution.into(), name.into(), kind.into(), value.into(), p.identifying.into()])
        })
        .collect();
    Ok(session.insert_all(PARAMETER, &rows).await?)
}

/// The stored parameters of an execution.
pub(super) async fn parameters(session: &mut Session, execution: i64) -> Outcome<Parameters> {
    read_parameters(&session.rows(session.once(PARAMETERS).bind(execution)).await?)
}

fn read_parameters(rows: &[Row]) -> Outcome<Parameters> {
    rows.iter().map(|row| Record::new("batch_parameter", row).parameter()).collect()
}

/// Ends an execution and gives up its lease.
pub(super) async fn end(session: &mut Session, end: &JobEnd) -> Outcome<()> {
    let statement = session.once(END).bind(end.status.as_str()).bind(&end.exit_status.code).bind(record::message(&end.exit_status));
    let statement = statement.bind(end.at).bind(end.at).bind(end.lease.execution).bind(&end.lease.token);
    let changed = session.execute(statement).await?;
    if changed == 0 {
        return Err(not_owner(end.lease.execution).into());
    }
    session.later(session.once(lease::DELETE).bind(end.lease.execution)).await?;
    Ok(())
}
