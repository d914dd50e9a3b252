//! Opening: connections, WAL, tables.

use super::{
    Sqlite, SqliteOptions, SqliteStore, holder,
    live::Opening,
    url::{Target, target},
    wait::{Pace, poll},
};
use crate::{
    error::{self, Place},
    identifier, migrations,
    slot::Slot,
    sql::{Flavor, Texts},
};
use batch_core::{Error, ErrorKind};
use sqlx::{
    ConnectOptions,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions, SqliteSynchronous},
};
use std::{
    path::Path,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

/// How long statements outside chunks wait for a lock, by SQLite's own handler.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

pub(super) async fn open(options: SqliteOptions, url: &str) -> Result<Sqlite, Error> {
    check_prefix(&options.prefix)?;
    let Target { path, connect } = target(url)?;
    let synchronous = if options.full { SqliteSynchronous::Full } else { SqliteSynchronous::Normal };
    let shared = connect.foreign_keys(true).synchronous(synchronous).busy_timeout(BUSY_TIMEOUT);
    let own = shared.clone().disable_statement_logging();
    let durable = Arc::new(AtomicBool::new(false));
    let store = SqliteStore {
        pool: pool(&options).connect_lazy_with(shared),
        writer: Slot::new(Opening::polled(own.clone()).durable_by(&durable), 1),
        durable,
        control: Slot::new(Opening::polled(own.clone()), 1),
        reader: Slot::new(Opening::new(own.clone()), 1),
        texts: Arc::new(Texts::new(Flavor::Sqlite, options.prefix, None)),
        clock: options.clock,
        wait: options.wait,
        launch_wait: options.launch_wait,
        pace: Pace::new(),
        renewed: parking_lot::Mutex::default(),
        chunk_open: AtomicBool::new(false),
        statements: Arc::default(),
        place: Place { key: "file", name: path.display().to_string() },
        path,
    };
    set_wal(&own, &store).await.map_err(|e| at_file(e, &store.path))?;
    migrate(&store).await.map_err(|e| at_file(e, &store.path))?;
    Ok(Sqlite { store: Arc::new(store) })
}

fn pool(options: &SqliteOptions) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(options.pool_size.get())
        .min_connections(0)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
}

fn check_prefix(prefix: &str) -> Result<(), Error> {
    identifier::check("table prefix", prefix)?;
    if prefix.to_ascii_lowercase().starts_with("sqlite_") {
        let message = format!("{prefix:?} cannot be a table prefix: names that begin with sqlite_ are SQLite's own");
        return Err(Error::new(ErrorKind::Configuration, message));
    }
    Ok(())
}

/// WAL is a property of the file; the switch needs the file for itself for a moment, so another process may be in the way.
async fn set_wal(connect: &SqliteConnectOptions, store: &SqliteStore) -> Result<(), Error> {
    let doing = "opening the database";
    let mut conn = connect.connect().await.map_err(|e| error::store(doing, e))?;
    poll(&mut conn, "PRAGMA journal_mode = WAL", store.wait).await.map_err(|e| locked(e, &store.path))?;
    let mode: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut conn).await.map_err(|e| error::store(doing, e))?;
    // Closing could fail only for a connection that is in use.
    let _ = sqlx::Connection::close(conn).await;
    if mode.eq_ignore_ascii_case("wal") {
        return Ok(());
    }
    let message = format!(
        "the database stays in journal mode `{mode}`; WAL needs a local disk and a file that no other program keeps locked"
    );
    Err(Error::new(ErrorKind::Configuration, message))
}

async fn migrate(store: &SqliteStore) -> Result<(), Error> {
    let lent = store.reader.lend(store.wait).await.map_err(|e| error::store("opening the database", e))?;
    let mut lent = lent.ok_or_else(|| store.busy())?;
    let are_current = migrations::are_current(lent.conn(), &store.texts).await?;
    lent.give_back();
    if are_current { Ok(()) } else { migrations::migrate(store).await }
}

fn locked(error: sqlx::Error, path: &Path) -> Error {
    let is_busy = error::class(&error) == error::Class::Busy;
    let error = error::store("opening the database", error);
    match holder::pid(path) {
        Some(pid) if is_busy => error.with("locked by process", pid),
        _ => error,
    }
}

fn at_file(error: Error, path: &Path) -> Error {
    error.with("file", path.display())
}
