//! Beginning and ending a job execution.

use super::{
    lease,
    record::{self, Record},
    takeover,
};
use crate::{
    error::{Fail, Outcome, not_owner},
    session::{Session, blocks},
    sql::{Row, Statement, Value},
    store::Store,
};
use batch_core::{
    BatchStatus, Context, Error, ErrorKind, ExitStatus, JobExecution, JobInstance, Parameters,
    repository::{JobEnd, Launch, Launched, TakenOver},
};
use chrono::SecondsFormat;

const INSTANCE: &str = "INSERT INTO @instance (job_name, job_key, create_time) VALUES (?, ?, ?) {or_find}";
/// Locks the execution whatever its status: a takeover then waits for nothing that waits for it. The instance by its key, since one text
/// makes it and asks for this.
const LATEST: &str = "SELECT * FROM @execution WHERE instance_id = (SELECT id FROM @instance WHERE job_name = ? AND job_key = ?)
    ORDER BY id DESC LIMIT 1{for_update}";
const ABANDONED: &str = "SELECT id FROM @execution WHERE instance_id = ? AND status = 'ABANDONED' LIMIT 1";
const PARAMETERS: &str =
    "SELECT execution_id AS id, name, type, value, identifying FROM @parameter WHERE execution_id = ? ORDER BY name";
const CHECKPOINTS: &str = "SELECT * FROM @step WHERE execution_id = ? AND status <> 'COMPLETED'";
const INSERT: &str = "INSERT INTO @execution (instance_id, status, exit_code, exit_message, create_time, start_time, last_updated,
    context, owner, token, active_key) VALUES (?, 'STARTED', 'STARTED', '', ?, ?, ?, ?, ?, ?, ?){id}";
const PARAMETER: &str = "INSERT INTO @parameter (execution_id, name, type, value, identifying)
    VALUES ((SELECT id FROM @execution WHERE active_key = ?), ?, ?, ?, ?)";
const BEFORE: &str = "SELECT * FROM @execution WHERE instance_id = ? AND id < ? ORDER BY id DESC LIMIT 1";
const END: &str =
    "UPDATE @execution SET status = ?, exit_code = ?, exit_message = ?, end_time = ?, last_updated = ?, request = NULL,
    active_key = NULL WHERE id = ? AND token = ? AND active_key IS NOT NULL";

/// What the tests of query plans look at.
#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[INSTANCE, LATEST, ABANDONED, PARAMETERS, CHECKPOINTS, INSERT, PARAMETER, BEFORE, END];

/// The answer to a launch: begun, or refused for a reason that is no failure of the store.
pub(super) type Answer = Result<Launched, Error>;

/// What becomes of a launch.
enum Decision {
    /// A new execution begins.
    Begin { instance: JobInstance, previous: Option<JobExecution>, taken_over: Option<TakenOver> },
    /// It is answered already: it was begun before, or is refused.
    Answer(Answer),
}

/// Finds or creates the instance, closes what a dead owner left, and begins a new execution.
pub(super) async fn launch(mut session: Session, store: &dyn Store, launch: &Launch) -> Outcome<Answer> {
    match decide(&mut session, store, launch).await {
        Ok(Decision::Begin { instance, previous, taken_over }) => {
            let execution = begin(session, store, launch, instance, previous.as_ref()).await?;
            Ok(Ok(Launched { execution, previous, taken_over }))
        }
        // A refusal may have closed the execution of a dead owner first, so it is committed.
        Ok(Decision::Answer(answer)) => session.end(Ok(answer)).await,
        Err(fail) => session.end(Err(fail)).await,
    }
}

async fn decide(session: &mut Session, store: &dyn Store, launch: &Launch) -> Outcome<Decision> {
    let instance = session.once(INSTANCE).bind(&launch.job_name).bind(&launch.job_key).bind(store.now());
    // The instance is locked before its latest execution is, and that before the others are read.
    let [instance, latest] = session.all([instance, latest(session, launch)]).await?;
    let id = instance.number()?;
    let instance = JobInstance { id, job_name: launch.job_name.clone(), job_key: launch.job_key.clone() };
    let (mut last, mut taken_over) = (latest.rows.into_iter().next(), None);
    if let Some(active) = active(last.as_ref())? {
        if active.get::<&str>("token")? == launch.owner.token {
            let launched = answered(session, &active, instance).await?;
            return Ok(Decision::Answer(Ok(launched)));
        }
        match takeover::verdict(session, &active, store, launch).await? {
            Err(refusal) => return Ok(Decision::Answer(Err(refusal))),
            Ok(taken) => {
                takeover::close(session, store, launch, &taken).await?;
                taken_over = Some(taken);
            }
        }
        last = session.row(self::latest(session, launch)).await?;
    }
    match previous(session, launch, &instance, last.as_ref()).await {
        Ok(previous) => Ok(Decision::Begin { instance, previous, taken_over }),
        // Damaged data is such a reason too.
        Err(Fail::Refused(refusal)) => Ok(Decision::Answer(Err(refusal))),
        Err(fail) => Err(fail),
    }
}

/// What asks for the last try of an instance, and keeps it as it is until the transaction ends.
fn latest(session: &Session, launch: &Launch) -> Statement {
    session.once(LATEST).bind(&launch.job_name).bind(&launch.job_key)
}

/// The last try of an instance, while it is active.
fn active(last: Option<&Row>) -> Outcome<Option<Record<'_>>> {
    let Some(row) = last else { return Ok(None) };
    let record = Record::new("batch_execution", row);
    Ok(record.get::<Option<i64>>("active_key")?.map(|_| record))
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

/// The last try.
///
/// # Errors
/// Why it forbids another.
async fn previous(
    session: &mut Session,
    launch: &Launch,
    instance: &JobInstance,
    last: Option<&Row>,
) -> Outcome<Option<JobExecution>> {
    let Some(row) = last else { return Ok(None) };
    let previous = Record::new("batch_execution", row).execution_of(instance.clone())?;
    refuse_complete(launch, &previous)?;
    let abandoned = session.once(ABANDONED).bind(instance.id);
    let steps = session.once(CHECKPOINTS).bind(previous.id);
    let [abandoned, steps] = session.all([abandoned, steps]).await?;
    if let Some(row) = abandoned.rows.first() {
        return Err(given_up(launch, row.get("id")?).into());
    }
    refuse_restart(launch, &previous)?;
    for row in &steps.rows {
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

async fn begin(
    session: Session,
    store: &dyn Store,
    launch: &Launch,
    instance: JobInstance,
    previous: Option<&JobExecution>,
) -> Outcome<JobExecution> {
    let now = store.now();
    let context = previous.map_or_else(Context::default, |p| p.context.clone());
    let parameters = launch.parameters.stored();
    let insert = session.once(INSERT).bind(instance.id).bind(now).bind(now).bind(now).bind(record::context(&context));
    let insert = insert.bind(serde_json::json!(launch.owner).to_string()).bind(&launch.owner.token).bind(instance.id);
    let mut statements = vec![insert];
    statements.extend(blocks(session.texts(), PARAMETER, &rows(instance.id, &parameters)));
    statements.push(lease::grant(&session, store.timing(), instance.id, &launch.owner, launch.ttl));
    let id = session.finish(statements).await?.number()?;
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

/// The rows of parameters, those of the instance's active execution.
fn rows(instance: i64, parameters: &Parameters) -> Vec<Vec<Value>> {
    let stored = parameters.iter().filter_map(|(name, p)| {
        let (kind, value) = record::parameter(&p.value)?;
        Some(vec![instance.into(), name.into(), kind.into(), value.into(), p.identifying.into()])
    });
    stored.collect()
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
