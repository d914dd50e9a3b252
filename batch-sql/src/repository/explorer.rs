//! What operators read; each call sees one state of the database and waits for no writer.

use super::{
    SqlRepository, launch, operate,
    record::{self, Record},
    unit,
};
use crate::{
    error::Outcome,
    session::Session,
    sql::{Row, Statement},
};
use async_trait::async_trait;
use batch_core::{
    Error, ErrorKind, JobExecution, JobExplorer, JobInstance, Page, Parameters, SkipRecord, StepExecution, UnitCounts, UnitRecord,
    UnitStatus,
};
use std::collections::HashMap;

/// Goes from name to name along the index, however many instances a job has.
const JOB_NAMES: &str = "WITH RECURSIVE names (name) AS (SELECT min(job_name) FROM @instance UNION ALL
    SELECT (SELECT min(job_name) FROM @instance WHERE job_name > name) FROM names WHERE name IS NOT NULL)
    SELECT name FROM names WHERE name IS NOT NULL";
const KNOWN: &str = "SELECT id FROM @instance WHERE job_name = ? LIMIT 1";
const KNOWN_INSTANCE: &str = "SELECT id FROM @instance WHERE id = ?";
const KNOWN_STEP: &str = "SELECT id FROM @step WHERE id = ?";
const INSTANCES: &str = "SELECT id, job_name, job_key FROM @instance WHERE job_name = ? ORDER BY id DESC LIMIT ? OFFSET ?";
const INSTANCE_COUNT: &str = "SELECT count(*) AS n FROM @instance WHERE job_name = ?";
const INSTANCE: &str = "SELECT id, job_name, job_key FROM @instance WHERE job_name = ? AND job_key = ?";
const EXECUTIONS: &str = "SELECT e.*, i.job_name, i.job_key FROM @execution e JOIN @instance i ON i.id = e.instance_id
    WHERE e.instance_id = ? ORDER BY e.id DESC";
const EXECUTIONS_PARAMETERS: &str = "SELECT p.execution_id AS id, p.name, p.type, p.value, p.identifying
    FROM @execution e {join} @parameter p ON p.execution_id = e.id WHERE e.instance_id = ?";
const EXECUTION: &str =
    "SELECT e.*, i.job_name, i.job_key FROM @execution e JOIN @instance i ON i.id = e.instance_id WHERE e.id = ?";
/// `active_key > 0` instead of IS NOT NULL, and no order: so it reads the few active ones by their index.
const RUNNING: &str = "SELECT e.*, i.job_name, i.job_key FROM @execution e {join} @instance i ON i.id = e.instance_id
    WHERE e.active_key > 0 AND i.job_name = ?";
const RUNNING_PARAMETERS: &str = "SELECT p.execution_id AS id, p.name, p.type, p.value, p.identifying
    FROM @execution e {join} @parameter p ON p.execution_id = e.id WHERE e.active_key > 0";
const STEPS: &str = "SELECT * FROM @step WHERE execution_id = ? ORDER BY id";
const SKIPS: &str = "SELECT * FROM @skip WHERE step_id = ? ORDER BY id LIMIT ? OFFSET ?";

/// What the tests of query plans look at.
#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[
    JOB_NAMES,
    KNOWN,
    KNOWN_INSTANCE,
    KNOWN_STEP,
    INSTANCES,
    INSTANCE_COUNT,
    INSTANCE,
    EXECUTIONS,
    EXECUTIONS_PARAMETERS,
    EXECUTION,
    RUNNING,
    RUNNING_PARAMETERS,
    STEPS,
    SKIPS,
];

#[async_trait]
impl JobExplorer for SqlRepository {
    async fn job_names(&self) -> Result<Vec<String>, Error> {
        let doing = self.store.error("reading the job names");
        let mut session = self.store.read().await.map_err(&doing)?;
        let names = job_names(&mut session).await;
        session.end(names).await.map_err(&doing)
    }

    async fn instances(&self, job: &str, page: Page) -> Result<Vec<JobInstance>, Error> {
        let doing = self.store.error("reading instances");
        let mut session = self.store.read().await.map_err(&doing)?;
        let instances = instances(&mut session, job, page).await;
        session.end(instances).await.map_err(&doing)
    }

    async fn instance_count(&self, job: &str) -> Result<u64, Error> {
        let doing = self.store.error("counting instances");
        let mut session = self.store.read().await.map_err(&doing)?;
        let count = instance_count(&mut session, job).await;
        session.end(count).await.map_err(&doing)
    }

    async fn instance(&self, job: &str, key: &str) -> Result<Option<JobInstance>, Error> {
        let doing = self.store.error("reading an instance");
        let mut session = self.store.read().await.map_err(&doing)?;
        let instance = instance(&mut session, job, key).await;
        session.end(instance).await.map_err(&doing)
    }

    async fn executions(&self, instance: i64) -> Result<Vec<JobExecution>, Error> {
        let doing = self.store.error("reading executions");
        let mut session = self.store.read().await.map_err(&doing)?;
        let executions = executions(&mut session, instance).await;
        session.end(executions).await.map_err(&doing)
    }

    async fn execution(&self, id: i64) -> Result<JobExecution, Error> {
        let doing = self.store.error("reading an execution");
        let mut session = self.store.read().await.map_err(&doing)?;
        let execution = execution(&mut session, id).await;
        session.end(execution).await.map_err(&doing)
    }

    async fn running(&self, job: &str) -> Result<Vec<JobExecution>, Error> {
        let doing = self.store.error("reading active executions");
        let mut session = self.store.read().await.map_err(&doing)?;
        let running = running(&mut session, job).await;
        session.end(running).await.map_err(&doing)
    }

    async fn steps(&self, execution: i64) -> Result<Vec<StepExecution>, Error> {
        let doing = self.store.error("reading steps");
        let mut session = self.store.read().await.map_err(&doing)?;
        let steps = steps(&mut session, execution).await;
        session.end(steps).await.map_err(&doing)
    }

    async fn skips(&self, step: i64, page: Page) -> Result<Vec<SkipRecord>, Error> {
        let doing = self.store.error("reading skip records");
        let mut session = self.store.read().await.map_err(&doing)?;
        let skips = skips(&mut session, step, page).await;
        session.end(skips).await.map_err(&doing)
    }

    async fn units(&self, instance: i64, step: &str, status: Option<UnitStatus>, page: Page) -> Result<Vec<UnitRecord>, Error> {
        let doing = self.store.error("reading units");
        let mut session = self.store.read().await.map_err(&doing)?;
        let units = units(&mut session, instance, step, status, page).await;
        session.end(units).await.map_err(&doing)
    }

    async fn unit_counts(&self, instance: i64, step: &str) -> Result<UnitCounts, Error> {
        let doing = self.store.error("counting units");
        let mut session = self.store.read().await.map_err(&doing)?;
        let counts = unit_counts(&mut session, instance, step).await;
        session.end(counts).await.map_err(&doing)
    }
}

async fn job_names(session: &mut Session) -> Outcome<Vec<String>> {
    let rows = session.rows(session.query(JOB_NAMES)).await?;
    rows.iter().map(|row| Ok(row.get("name")?)).collect()
}

async fn demand_known(session: &mut Session, job: &str) -> Outcome<()> {
    match session.row(session.query(KNOWN).bind(job)).await? {
        Some(_) => Ok(()),
        None => Err(Error::new(ErrorKind::NotFound, format!("no job named `{job}` was ever launched")).into()),
    }
}

async fn instances(session: &mut Session, job: &str, page: Page) -> Outcome<Vec<JobInstance>> {
    demand_known(session, job).await?;
    let rows = session.rows(window(session.query(INSTANCES).bind(job), page)).await?;
    rows.iter().map(|row| Record::new("batch_instance", row).instance()).collect()
}

async fn instance_count(session: &mut Session, job: &str) -> Outcome<u64> {
    demand_known(session, job).await?;
    let row = session.row(session.query(INSTANCE_COUNT).bind(job)).await?.ok_or(sqlx::Error::RowNotFound)?;
    Ok(row.get::<i64>("n")?.unsigned_abs())
}

async fn instance(session: &mut Session, job: &str, key: &str) -> Outcome<Option<JobInstance>> {
    demand_known(session, job).await?;
    let row = session.row(session.query(INSTANCE).bind(job).bind(key)).await?;
    row.map(|row| Record::new("batch_instance", &row).instance()).transpose()
}

async fn executions(session: &mut Session, instance: i64) -> Outcome<Vec<JobExecution>> {
    let rows = session.rows(session.query(EXECUTIONS).bind(instance)).await?;
    if rows.is_empty() {
        demand(session, KNOWN_INSTANCE, instance, "instance").await?;
    }
    let parameters = session.rows(session.query(EXECUTIONS_PARAMETERS).bind(instance)).await?;
    with_parameters(&rows, &parameters)
}

async fn running(session: &mut Session, job: &str) -> Outcome<Vec<JobExecution>> {
    demand_known(session, job).await?;
    let rows = session.rows(session.query(RUNNING).bind(job)).await?;
    let parameters = session.rows(session.query(RUNNING_PARAMETERS)).await?;
    let mut running = with_parameters(&rows, &parameters)?;
    running.sort_by_key(|e| std::cmp::Reverse(e.id));
    Ok(running)
}

fn with_parameters(rows: &[Row], parameters: &[Row]) -> Outcome<Vec<JobExecution>> {
    let mut of: HashMap<i64, Vec<_>> = HashMap::new();
    for row in parameters {
        of.entry(row.get("id")?).or_default().push(Record::new("batch_parameter", row).parameter()?);
    }
    rows.iter()
        .map(|row| {
            let execution = Record::new("batch_execution", row).execution()?;
            let parameters: Parameters = of.remove(&execution.id).unwrap_or_default().into_iter().collect();
            Ok(JobExecution { parameters, ..execution })
        })
        .collect()
}

async fn execution(session: &mut Session, id: i64) -> Outcome<JobExecution> {
    let row = session.row(session.query(EXECUTION).bind(id)).await?.ok_or_else(|| operate::unknown(id))?;
    let mut execution = Record::new("batch_execution", &row).execution()?;
    execution.parameters = launch::parameters(session, id).await?;
    execution.steps = read_steps(session, id).await?;
    Ok(execution)
}

async fn steps(session: &mut Session, execution: i64) -> Outcome<Vec<StepExecution>> {
    let steps = read_steps(session, execution).await?;
    if steps.is_empty() {
        demand(session, EXECUTION, execution, "execution").await?;
    }
    Ok(steps)
}

/// An empty list is an answer only about something that exists.
async fn demand(session: &mut Session, query: &'static str, id: i64, what: &'static str) -> Outcome<()> {
    match session.row(session.query(query).bind(id)).await? {
        Some(_) => Ok(()),
        None => Err(Error::new(ErrorKind::NotFound, format!("no {what} of that number is known")).with(what, id).into()),
    }
}

async fn read_steps(session: &mut Session, execution: i64) -> Outcome<Vec<StepExecution>> {
    let rows = session.rows(session.query(STEPS).bind(execution)).await?;
    rows.iter().map(|row| Record::new("batch_step", row).step()).collect()
}

async fn skips(session: &mut Session, step: i64, page: Page) -> Outcome<Vec<SkipRecord>> {
    let rows = session.rows(window(session.query(SKIPS).bind(step), page)).await?;
    if rows.is_empty() {
        demand(session, KNOWN_STEP, step, "step").await?;
    }
    rows.iter().map(|row| Record::new("batch_skip", row).skip()).collect()
}

async fn units(
    session: &mut Session,
    instance: i64,
    step: &str,
    status: Option<UnitStatus>,
    page: Page,
) -> Outcome<Vec<UnitRecord>> {
    let units = unit::list(session, instance, step, status, page).await?;
    if units.is_empty() {
        demand(session, KNOWN_INSTANCE, instance, "instance").await?;
    }
    Ok(units)
}

async fn unit_counts(session: &mut Session, instance: i64, step: &str) -> Outcome<UnitCounts> {
    let counts = unit::counts(session, instance, step).await?;
    if counts == UnitCounts::default() {
        demand(session, KNOWN_INSTANCE, instance, "instance").await?;
    }
    Ok(counts)
}

pub(super) fn window(query: Statement, page: Page) -> Statement {
    query.bind(record::count(page.limit)).bind(record::count(page.offset))
}
