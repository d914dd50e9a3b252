//! The repository's tables, version by version.

use crate::{
    error::Outcome,
    sqlite::{Store, session::Session},
};
use batch_core::{Error, ErrorKind};
use chrono::SecondsFormat;
use sqlx::Row;

/// What leads from one version to the next; the first makes version 1. One that was released never changes.
const SQLITE: &[&str] = &[include_str!("sqlite/0001_repository.sql"), include_str!("sqlite/0003_ledger.sql")];

/// Brings the tables up to date. Two processes may do so at once: the second finds the work done.
///
/// # Errors
/// Kind `NeedsOperator` where the tables are newer than this library.
pub(crate) async fn migrate(store: &Store) -> Result<(), Error> {
    let doing = "bringing the repository's tables up to date";
    let found = current(store).await.map_err(|f| f.into_error(doing))?;
    if found == known() {
        return Ok(());
    }
    let mut session = store.begin(store.wait).await.map_err(|f| f.into_error(doing))?;
    let outcome = upgrade(&mut session, store).await;
    session.end(outcome).await.map_err(|f| f.into_error(doing))
}

fn known() -> i64 {
    SQLITE.len() as i64
}

/// The version found without a lock; 0 where there are no tables.
async fn current(store: &Store) -> Outcome<i64> {
    let mut session = store.read().await?;
    let table = "SELECT name FROM sqlite_schema WHERE type = 'table' AND '\"' || name || '\"' = '@schema_version'";
    let found = match session.rows(session.query(table)).await {
        Ok(rows) if rows.is_empty() => Ok(0),
        Ok(_) => version(&mut session).await,
        Err(e) => Err(e.into()),
    };
    session.end(found).await
}

async fn version(session: &mut Session) -> Outcome<i64> {
    let row = session.row(session.query("SELECT coalesce(max(version), 0) FROM @schema_version")).await?;
    let found = row.map_or(Ok(0), |row| row.try_get(0))?;
    if found > known() {
        let message = format!(
            "the repository's tables have version {found}, this program knows {}; use the newer program, or another table prefix",
            known()
        );
        return Err(Error::new(ErrorKind::NeedsOperator, message).into());
    }
    Ok(found)
}

async fn upgrade(session: &mut Session, store: &Store) -> Outcome<()> {
    session
        .script("CREATE TABLE IF NOT EXISTS @schema_version (version INTEGER PRIMARY KEY, applied TEXT NOT NULL) STRICT")
        .await?;
    let found = version(session).await?;
    for (number, script) in (1..).zip(SQLITE).skip_while(|(number, _)| *number <= found) {
        session.script(script).await?;
        let applied = store.now().to_rfc3339_opts(SecondsFormat::Micros, true);
        let query = session.query("INSERT INTO @schema_version (version, applied) VALUES (?, ?)").bind(number).bind(applied);
        session.execute(query).await?;
    }
    Ok(())
}
