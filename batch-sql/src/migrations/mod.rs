//! The repository's tables, version by version.

use crate::{
    error::{Fail, Outcome, is_deadlock, is_no_table},
    session::{self, Session},
    sql::{Flavor, Link, Row, Statement, Texts},
    store::Store,
};
use batch_core::{Error, ErrorKind};
use std::time::Duration;

/// What leads from one version to the next; the first makes version 1. One that was released never changes.
const SQLITE: &[&str] = &[
    include_str!("sqlite/0001_repository.sql"),
    include_str!("sqlite/0002_units_and_locks.sql"),
    include_str!("sqlite/0003_ledger.sql"),
];
const POSTGRES: &[&str] = &[
    include_str!("postgres/0001_repository.sql"),
    include_str!("postgres/0002_units.sql"),
    include_str!("postgres/0003_ledger.sql"),
];
/// Each statement can be run again, since every one of them commits what came before it.
const MYSQL: &[&str] =
    &[include_str!("mysql/0001_repository.sql"), include_str!("mysql/0002_units.sql"), include_str!("mysql/0003_ledger.sql")];

const VERSIONS: &str =
    "CREATE TABLE IF NOT EXISTS @schema_version (version BIGINT NOT NULL PRIMARY KEY, applied VARCHAR(40) NOT NULL)";
const SQLITE_VERSIONS: &str =
    "CREATE TABLE IF NOT EXISTS @schema_version (version INTEGER PRIMARY KEY, applied TEXT NOT NULL) STRICT";
/// All of them: a new connection's server is longer at planning how to find the last one.
const FOUND: &str = "SELECT version FROM @schema_version";
const APPLIED: &str = "INSERT INTO @schema_version (version, applied) VALUES (?, ?)";

/// What an error says that it was met at.
const DOING: &str = "bringing the repository's tables up to date";

/// Tries of a migration that another one disturbs; the second finds the work done.
const TRIES: u32 = 10;

fn scripts(flavor: Flavor) -> &'static [&'static str] {
    match flavor {
        Flavor::Sqlite => SQLITE,
        Flavor::Postgres => POSTGRES,
        Flavor::MySql | Flavor::MariaDb => MYSQL,
    }
}

/// Whether the tables are up to date, found without a lock.
///
/// # Errors
/// Kind `NeedsOperator` where they are newer than this library.
pub(crate) async fn are_current(link: &mut dyn Link, texts: &Texts) -> Result<bool, Error> {
    let statement = Statement::new(texts.get(FOUND)).once(FOUND);
    let found = match session::run(link, texts, statement).await {
        Err(e) if is_no_table(&e) => return Ok(false),
        found => found.map_err(Fail::from).and_then(|answer| version(texts.flavor(), &answer.rows)),
    };
    Ok(found.map_err(|f| f.into_error(DOING))? == known(texts.flavor()))
}

/// Brings the tables up to date. Two processes may do so at once: the second finds the work done.
///
/// # Errors
/// As for [`are_current`].
pub(crate) async fn migrate(store: &dyn Store) -> Result<(), Error> {
    let mut tried = 1;
    loop {
        match migrate_once(store).await {
            Err(Fail::Store(e)) if is_deadlock(&e) && tried < TRIES => tried += 1,
            outcome => return outcome.map_err(|f| f.into_error(DOING)),
        }
    }
}

async fn migrate_once(store: &dyn Store) -> Outcome<()> {
    let mut session = store.begin(store.wait()).await?;
    let outcome = alone(&mut session, store).await;
    session.end(outcome).await
}

fn known(flavor: Flavor) -> i64 {
    scripts(flavor).len() as i64
}

fn version(flavor: Flavor, rows: &[Row]) -> Outcome<i64> {
    let found = rows.iter().try_fold(0, |last, row| row.get("version").map(|version: i64| last.max(version)))?;
    if found > known(flavor) {
        let message = format!(
            "the repository's tables have version {found}, this program knows {}; use the newer program, or another table prefix",
            known(flavor)
        );
        return Err(Error::new(ErrorKind::NeedsOperator, message).into());
    }
    Ok(found)
}

/// Upgrades under a lock of our own. SQLite's transaction is that lock.
async fn alone(session: &mut Session, store: &dyn Store) -> Outcome<()> {
    let texts = session.texts().clone();
    match texts.flavor() {
        Flavor::Sqlite => upgrade(session, store).await,
        Flavor::Postgres => {
            // Ends with the transaction.
            let name = format!("batch migration {} {}", texts.schema().unwrap_or_default(), texts.prefix());
            session.rows(session.query("SELECT pg_advisory_xact_lock(hashtextextended(?, 0)) AS locked").bind(name)).await?;
            if let Some(schema) = texts.schema() {
                session.make_schema(schema).await?;
            }
            upgrade(session, store).await
        }
        Flavor::MySql | Flavor::MariaDb => {
            lock(session, store.wait()).await?;
            let outcome = upgrade(session, store).await;
            // The lock also ends with the connection.
            session.rows(session.query(UNLOCK).bind(texts.prefix())).await?;
            outcome
        }
    }
}

/// Named after the database, since names are the server's; hashed, since they may have 64 characters.
const LOCK: &str = "SELECT GET_LOCK(MD5(CONCAT('batch migration ', DATABASE(), ' ', ?)), ?) AS locked";
const UNLOCK: &str = "SELECT RELEASE_LOCK(MD5(CONCAT('batch migration ', DATABASE(), ' ', ?))) AS locked";

async fn lock(session: &mut Session, limit: Duration) -> Outcome<()> {
    let seconds = i64::try_from(limit.as_secs()).unwrap_or(i64::MAX).clamp(1, 3600);
    let statement = session.query(LOCK).bind(session.texts().prefix()).bind(seconds);
    match session.row(statement).await?.map(|row| row.get("locked")).transpose()? {
        Some(Some(1_i64)) => Ok(()),
        _ => {
            let message = "another process is bringing the repository's tables up to date, and did not end within the limit";
            Err(Error::new(ErrorKind::Unavailable, message).transient().into())
        }
    }
}

async fn upgrade(session: &mut Session, store: &dyn Store) -> Outcome<()> {
    let flavor = session.texts().flavor();
    session.script(if flavor == Flavor::Sqlite { SQLITE_VERSIONS } else { VERSIONS }).await?;
    let found = version(flavor, &session.script(FOUND).await?)?;
    for (number, script) in (1_i64..).zip(scripts(flavor)).skip_while(|(number, _)| *number <= found) {
        session.script(script).await?;
        let applied = crate::sql::stored(store.now());
        session.execute(session.query(APPLIED).bind(number).bind(applied)).await?;
    }
    Ok(())
}
