//! Deleting history in batches.

use crate::{error::Outcome, session::Session, sql::Statement, store::Store};
use batch_core::repository::{Purge, Purged};

/// The newest execution of each instance says whether anything can go on from it. Parts of the condition that are not asked for hold.
const FOUND: &str = "SELECT i.id FROM @instance i
    JOIN @execution e ON e.id = (SELECT max(newest.id) FROM @execution newest WHERE newest.instance_id = i.id)
    WHERE i.job_name = ? AND i.id < ? AND i.id <> ? AND e.active_key IS NULL AND coalesce(e.end_time, e.last_updated) <= ?
    AND (e.status = 'COMPLETED' OR coalesce(e.end_time, e.last_updated) <= ?
        OR EXISTS (SELECT 1 FROM @execution given_up WHERE given_up.instance_id = i.id AND given_up.status = 'ABANDONED'))
    ORDER BY i.id LIMIT ?";
const LATER: &str = "SELECT id FROM @instance WHERE job_name = ? ORDER BY id DESC LIMIT 1 OFFSET ?";
const LAST_SUCCESS: &str = "SELECT e.instance_id AS id FROM @execution e JOIN @instance i ON i.id = e.instance_id
    WHERE i.job_name = ? AND e.status = 'COMPLETED' ORDER BY i.id DESC LIMIT 1";

/// What is deleted of the instances chosen, what refers to a table before it. `#` stands for their numbers.
const DELETIONS: [&str; 7] = [
    "DELETE FROM @unit WHERE instance_id IN (#)",
    "DELETE FROM @skip WHERE step_id IN (SELECT id FROM @step WHERE instance_id IN (#))",
    "DELETE FROM @step WHERE instance_id IN (#)",
    "DELETE FROM @parameter WHERE execution_id IN (SELECT id FROM @execution WHERE instance_id IN (#))",
    "DELETE FROM @lease WHERE execution_id IN (SELECT id FROM @execution WHERE instance_id IN (#))",
    EXECUTIONS,
    "DELETE FROM @instance WHERE id IN (#)",
];
const EXECUTIONS: &str = "DELETE FROM @execution WHERE instance_id IN (#)";
const COUNT: &str = "SELECT count(*) AS n FROM @execution WHERE instance_id IN (#)";
/// As a launch does first, which then waits and finds the instance gone.
const LOCK: &str = "SELECT id FROM @instance WHERE id IN (#) ORDER BY id{for_update}";

/// Deletes one batch; counts everything in a dry run.
pub(super) async fn purge(session: &mut Session, store: &dyn Store, purge: &Purge) -> Outcome<Purged> {
    let limit = if purge.dry_run { i64::MAX } else { purge.batch.get().into() };
    let found = found(session, store, purge, limit).await?;
    if found.is_empty() {
        return Ok(Purged::default());
    }
    if purge.dry_run {
        let mut counted = Purged::default();
        for block in found.chunks(1000) {
            let row = session.row(of(session, COUNT, block)).await?.ok_or(sqlx::Error::RowNotFound)?;
            counted += Purged { instances: block.len() as u64, executions: row.get::<i64>("n")?.unsigned_abs() };
        }
        return Ok(counted);
    }
    session.rows(of(session, LOCK, &found)).await?;
    // What a launch began before the lock was ours is active by now.
    let still: Vec<i64> = self::found(session, store, purge, limit).await?.into_iter().filter(|id| found.contains(id)).collect();
    delete(session, &still).await
}

async fn delete(session: &mut Session, instances: &[i64]) -> Outcome<Purged> {
    let mut purged = Purged { instances: instances.len() as u64, executions: 0 };
    if instances.is_empty() {
        return Ok(purged);
    }
    for deletion in DELETIONS {
        let deleted = session.execute(of(session, deletion, instances)).await?;
        if deletion == EXECUTIONS {
            purged.executions = deleted;
        }
    }
    Ok(purged)
}

async fn found(session: &mut Session, store: &dyn Store, purge: &Purge, limit: i64) -> Outcome<Vec<i64>> {
    let now = store.now();
    let before = match i64::try_from(purge.keep_last) {
        Ok(0) => i64::MAX,
        kept => {
            let offset = kept.unwrap_or(i64::MAX) - 1;
            number(session, session.query(LATER).bind(&purge.job).bind(offset)).await?.unwrap_or(0)
        }
    };
    let last_success = match purge.keep_last_success {
        true => number(session, session.query(LAST_SUCCESS).bind(&purge.job)).await?,
        false => None,
    };
    let statement = session.query(FOUND).bind(&purge.job).bind(before).bind(last_success.unwrap_or(0));
    let statement = statement.bind(purge.ended_before(now)).bind(purge.restartable_before(now));
    let rows = session.rows(statement.bind(limit)).await?;
    rows.iter().map(|row| Ok(row.get("id")?)).collect()
}

async fn number(session: &mut Session, statement: Statement) -> Outcome<Option<i64>> {
    Ok(session.row(statement).await?.map(|row| row.get("id")).transpose()?)
}

/// A statement about these instances.
fn of(session: &Session, template: &str, instances: &[i64]) -> Statement {
    let numbers = instances.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
    let mut statement = Statement::new(session.texts().inline(&template.replace('#', &numbers), &[]).into());
    statement.keep = false;
    statement
}

/// What the tests of query plans look at.
#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[LATER, LAST_SUCCESS];
