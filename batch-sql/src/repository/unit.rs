//! The log of units of work.

use super::{record::Record, step};
use crate::{
    error::Outcome,
    session::Session,
    sql::{Row, Statement, Texts, Value},
};
use batch_core::{
    Page, UnitCounts, UnitRecord, UnitStatus,
    repository::{Commit, UnitStart},
};

/// Inserts or replaces a unit's row; instance and step name are those of the step execution.
const PUT: &str = "INSERT INTO @unit (instance_id, step_name, unit_key, status, attempts, error, start_time, end_time, step_id)
    SELECT instance_id, step_name, ?, ?, ?, ?, ?, ?, id FROM @step WHERE id = ?{or_replace_unit}";
const ONE: &str = "SELECT * FROM @unit WHERE instance_id = ? AND step_name = ? AND unit_key = ?";
/// Fifty at once: so the text is always the same.
const SOME: &str = "SELECT * FROM @unit WHERE instance_id = ? AND step_name = ? AND unit_key IN (
    ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
    ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
const BLOCK: usize = 50;
const ALL: &str = "SELECT * FROM @unit WHERE instance_id = ? AND step_name = ? ORDER BY id LIMIT ? OFFSET ?";
const OF_STATUS: &str = "SELECT * FROM @unit WHERE instance_id = ? AND step_name = ? AND status = ? ORDER BY id LIMIT ? OFFSET ?";
const COUNTS: &str = "SELECT status, count(*) AS n FROM @unit WHERE instance_id = ? AND step_name = ? GROUP BY status";

/// What the tests of query plans look at.
#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[PUT, ONE, SOME, ALL, OF_STATUS, COUNTS];

/// Begins an attempt where the execution is ours. Nobody else writes the row meanwhile, since that row of the execution is locked.
pub(super) async fn start(session: &mut Session, start: &UnitStart) -> Outcome<UnitRecord> {
    let one = session.once(ONE).bind(start.instance).bind(&start.name).bind(&start.key);
    let [held, before] = session.all([step::held(session, &start.lease), one]).await?;
    step::demand_held(&held, &start.lease)?;
    let before = before.rows.first().map(unit).transpose()?;
    let record = UnitRecord {
        key: start.key.clone(),
        status: UnitStatus::InProgress,
        attempts: before.map_or(0, |unit| unit.attempts).saturating_add(1),
        error: None,
        step: start.step,
        started: start.at,
        ended: None,
    };
    session.later(session.once(PUT).bind_all(values(&record))).await?;
    Ok(record)
}

/// The statements that write the units of a commit.
pub(crate) fn ends(texts: &Texts, commit: &Commit) -> Vec<Statement> {
    stored(commit).map(|unit| Statement::new(texts.get(PUT)).bind_all(values(&unit))).collect()
}

/// The same as one text, for a protocol that takes several statements at once only without values.
pub(crate) fn ends_inline(texts: &Texts, commit: &Commit) -> String {
    stored(commit).map(|unit| texts.inline(PUT, &values(&unit)) + "; ").collect()
}

fn stored(commit: &Commit) -> impl Iterator<Item = UnitRecord> {
    commit.units.iter().map(|unit| UnitRecord { step: commit.guard.step, ..unit.clone().stored() })
}

fn values(unit: &UnitRecord) -> [Value; 7] {
    [
        (&unit.key).into(),
        unit.status.as_str().into(),
        unit.attempts.into(),
        unit.error.clone().into(),
        unit.started.into(),
        unit.ended.into(),
        unit.step.into(),
    ]
}

/// What the log says of these units.
pub(super) async fn find(session: &mut Session, instance: i64, step: &str, keys: &[String]) -> Outcome<Vec<UnitRecord>> {
    let mut found = Vec::new();
    for block in keys.chunks(BLOCK) {
        // The last one fills the places that are left.
        let filled = block.iter().chain(block.last().into_iter().cycle()).take(BLOCK).map(Value::from);
        let query = session.query(SOME).bind(instance).bind(step).bind_all(filled);
        for row in session.rows(query).await? {
            found.push(unit(&row)?);
        }
    }
    Ok(found)
}

/// A page of a step's units.
pub(super) async fn list(
    session: &mut Session,
    instance: i64,
    step: &str,
    status: Option<UnitStatus>,
    page: Page,
) -> Outcome<Vec<UnitRecord>> {
    let query = match status {
        None => session.query(ALL).bind(instance).bind(step),
        Some(status) => session.query(OF_STATUS).bind(instance).bind(step).bind(status.as_str()),
    };
    let rows = session.rows(super::explorer::window(query, page)).await?;
    rows.iter().map(unit).collect()
}

/// How many units of the step have which status.
pub(super) async fn counts(session: &mut Session, instance: i64, step: &str) -> Outcome<UnitCounts> {
    let mut counts = UnitCounts::default();
    for row in session.rows(session.query(COUNTS).bind(instance).bind(step)).await? {
        let record = Record::new("batch_unit", &row);
        counts.add(record.parse("status")?, record.count("n")?);
    }
    Ok(counts)
}

fn unit(row: &Row) -> Outcome<UnitRecord> {
    let record = Record::new("batch_unit", row);
    Ok(UnitRecord {
        key: record.get("unit_key")?,
        status: record.parse("status")?,
        attempts: record.get("attempts")?,
        error: record.get("error")?,
        step: record.get("step_id")?,
        started: record.get("start_time")?,
        ended: record.get("end_time")?,
    })
}
