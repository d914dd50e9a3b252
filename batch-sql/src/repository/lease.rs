//! How long an owner is believed alive without a sign.
//!
//! A file has no clock of its own, so a lease is timed by the kernel's clock since boot, which no change of the wall clock moves: it
//! is compared only within one boot. Another boot of the same host means that the owner is gone; on another host the wall clock
//! decides.

use super::record::{self, Record};
use crate::{
    error::{Fail, Outcome, not_owner},
    repository::checkpoint::refused,
    sqlite::{Store, session::Session},
};
use batch_core::{
    Owner, Request,
    repository::{CommitError, Lease},
};
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};
use std::time::Duration;

const INSERT: &str = "INSERT INTO @lease (execution_id, token, host, boot, until_uptime, until_time) VALUES (?, ?, ?, ?, ?, ?)";
const RENEW: &str = "UPDATE @lease SET until_uptime = ?, until_time = ? WHERE execution_id = ? AND token = ?
    RETURNING (SELECT request FROM @execution WHERE @execution.id = @lease.execution_id) AS request";
const HELD: &str =
    "SELECT e.request FROM @lease l JOIN @execution e ON e.id = l.execution_id WHERE l.execution_id = ? AND l.token = ?";
pub(super) const DELETE: &str = "DELETE FROM @lease WHERE execution_id = ?";

/// What the tests of query plans look at.
#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[INSERT, RENEW, HELD, DELETE];

/// Until when, by both clocks, as stored.
fn until(store: &Store, ttl: Duration) -> (i64, String) {
    let uptime = i64::try_from((store.clock.uptime() + ttl).as_micros()).unwrap_or(i64::MAX);
    let time = store.now().checked_add_signed(TimeDelta::from_std(ttl).unwrap_or(TimeDelta::MAX));
    (uptime, record::time(time.unwrap_or(DateTime::<Utc>::MAX_UTC)))
}

/// Grants the lease of a new execution.
pub(super) async fn insert(session: &mut Session, store: &Store, execution: i64, owner: &Owner, ttl: Duration) -> Outcome<()> {
    let (uptime, time) = until(store, ttl);
    let query = session.query(INSERT).bind(execution).bind(owner.token.clone()).bind(owner.host.clone());
    session.execute(query.bind(owner.boot.clone()).bind(uptime).bind(time)).await?;
    Ok(())
}

/// Renews a lease, even one that is over, as long as nobody took it.
pub(super) async fn renew(session: &mut Session, store: &Store, lease: &Lease) -> Outcome<Option<Request>> {
    let (uptime, time) = until(store, lease.ttl);
    let query = session.query(RENEW).bind(uptime).bind(time).bind(lease.execution).bind(lease.token.clone());
    request(session.row(query).await?.as_ref(), lease)
}

/// Whether the lease is still ours, without renewing it: while our own chunk holds the file's lock, that lock is the lease.
pub(super) async fn held(session: &mut Session, lease: &Lease) -> Outcome<Option<Request>> {
    let query = session.query(HELD).bind(lease.execution).bind(lease.token.clone());
    request(session.row(query).await?.as_ref(), lease)
}

fn request(row: Option<&SqliteRow>, lease: &Lease) -> Outcome<Option<Request>> {
    let row = row.ok_or_else(|| not_owner(lease.execution))?;
    Ok(row.try_get::<Option<&str>, _>(0)?.and_then(Request::parse))
}

/// Renews the lease in a chunk's transaction, if a third of it passed since the last time.
pub(super) async fn ride(conn: &mut SqliteConnection, store: &Store, lease: &Lease) -> Result<(), CommitError> {
    let now = store.clock.uptime();
    let last = store.renewed.lock().get(&lease.execution).copied();
    if last.is_some_and(|last| now.saturating_sub(last) < lease.ttl / 3) {
        return Ok(());
    }
    let (uptime, time) = until(store, lease.ttl);
    let query = sqlx::query(store.texts.get(RENEW)).bind(uptime).bind(time).bind(lease.execution).bind(lease.token.clone());
    let rows = query.fetch_all(conn).await.map_err(refused)?;
    if rows.is_empty() {
        return Err(CommitError::NotOwner);
    }
    remember(store, lease.execution);
    Ok(())
}

/// Notes that the lease was renewed just now. Noted before the commit: if that fails, the next renewal comes a third later at worst.
pub(super) fn remember(store: &Store, execution: i64) {
    store.renewed.lock().insert(execution, store.clock.uptime());
}

/// What a launcher finds out about the lease of an active execution.
pub(super) enum State {
    /// For about so long the owner counts as alive.
    Valid(Duration),
    /// It is over, and why.
    Over(String),
}

/// Judges the lease in `row`, as the launcher `here` sees it.
pub(super) fn judge(row: &SqliteRow, store: &Store, here: &Owner) -> Result<State, Fail> {
    let record = Record::new("batch_lease", row);
    let Some(boot) = record.get::<Option<String>>("boot")? else {
        return Ok(State::Over("it has no lease".to_owned()));
    };
    let known = !boot.is_empty() && !here.boot.is_empty();
    if known && boot == here.boot {
        let until = Duration::from_micros(record.get::<i64>("until_uptime")?.try_into().unwrap_or(0));
        return Ok(compare(until, store.clock.uptime()));
    }
    let host: String = record.get("host")?;
    if known && host == here.host {
        return Ok(State::Over(format!("host {host} was booted since")));
    }
    let until: DateTime<Utc> =
        record.get::<&str>("until_time")?.parse().map_err(|e: chrono::ParseError| record.damaged("until_time", e))?;
    let micros = |t: DateTime<Utc>| Duration::from_micros(t.timestamp_micros().try_into().unwrap_or(0));
    Ok(compare(micros(until), micros(store.now())))
}

fn compare(until: Duration, now: Duration) -> State {
    match until.checked_sub(now) {
        Some(rest) if !rest.is_zero() => State::Valid(rest),
        _ => State::Over(format!("its lease ended {} s ago", now.saturating_sub(until).as_secs())),
    }
}
