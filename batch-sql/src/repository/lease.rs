//! How long an owner is believed alive without a sign.
//!
//! A server has a clock of its own, and only that one counts: a client's may be off by hours. A file has none, so its leases are timed by
//! the kernel's clock since boot, which no change of the wall clock moves: it is compared only within one boot. Another boot of the same
//! host means that the owner is gone; on another host the wall clock decides.

use super::record::Record;
use crate::{
    error::{Fail, Outcome, not_owner},
    session::Session,
    sql::{Row, Statement, Texts},
};
use batch_core::{Clock, Owner, Request, repository::Lease};
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use std::time::Duration;

/// The execution by what makes it active, since one text begins it and grants its lease.
const INSERT: &str = "INSERT INTO @lease (execution_id, token, host, boot, until_time)
    VALUES ((SELECT id FROM @execution WHERE active_key = ?), ?, ?, ?, {later})";
const INSERT_BOOT: &str = "INSERT INTO @lease (execution_id, token, host, boot, until_uptime, until_time)
    VALUES ((SELECT id FROM @execution WHERE active_key = ?), ?, ?, ?, ?, ?)";
const RENEW: &str = "UPDATE @lease SET until_time = {later} WHERE execution_id = ? AND token = ?";
const RENEW_BOOT: &str = "UPDATE @lease SET until_uptime = ?, until_time = ? WHERE execution_id = ? AND token = ?";
const HELD: &str =
    "SELECT e.request FROM @lease l JOIN @execution e ON e.id = l.execution_id WHERE l.execution_id = ? AND l.token = ?";
const FIND: &str = "SELECT execution_id AS id, {left} AS micros FROM @lease WHERE execution_id = ?";
const FIND_BOOT: &str = "SELECT execution_id AS id, host, boot, until_uptime, until_time FROM @lease WHERE execution_id = ?";
pub(super) const DELETE: &str = "DELETE FROM @lease WHERE execution_id = ?";

/// What the tests of query plans look at.
#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[INSERT_BOOT, RENEW_BOOT, HELD, FIND_BOOT, DELETE];

/// What they look at on a server.
#[cfg(test)]
pub(super) const ON_A_SERVER: &[&str] = &[INSERT, RENEW, HELD, FIND, DELETE];

/// By what clock leases run.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Timing<'a> {
    /// The database's own.
    Server,
    /// The machine's, since it booted.
    Boot(&'a dyn Clock),
}

/// Until when, by both clocks of the machine.
fn until(clock: &dyn Clock, ttl: Duration) -> (i64, DateTime<Utc>) {
    let now = clock.now().trunc_subsecs(6);
    let time = now.checked_add_signed(TimeDelta::from_std(ttl).unwrap_or(TimeDelta::MAX));
    (micros(clock.uptime() + ttl), time.unwrap_or(DateTime::<Utc>::MAX_UTC))
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

/// The statement that grants the lease of the instance's active execution.
pub(super) fn grant(session: &Session, timing: Timing<'_>, instance: i64, owner: &Owner, ttl: Duration) -> Statement {
    let template = match timing {
        Timing::Server => INSERT,
        Timing::Boot(_) => INSERT_BOOT,
    };
    let statement = session.once(template).bind(instance).bind(&owner.token).bind(&owner.host).bind(&owner.boot);
    end_of(statement, timing, ttl)
}

fn end_of(statement: Statement, timing: Timing<'_>, ttl: Duration) -> Statement {
    match timing {
        Timing::Server => statement.bind(micros(ttl)),
        Timing::Boot(clock) => {
            let (uptime, time) = until(clock, ttl);
            statement.bind(uptime).bind(time)
        }
    }
}

/// The statement that renews a lease, even one that is over, as long as nobody took it.
pub(crate) fn renewal(texts: &Texts, timing: Timing<'_>, lease: &Lease) -> Statement {
    let template = match timing {
        Timing::Server => RENEW,
        Timing::Boot(_) => RENEW_BOOT,
    };
    end_of(Statement::new(texts.get(template)).once(template), timing, lease.ttl).bind(lease.execution).bind(&lease.token)
}

/// Renews a lease that is still ours; what an operator asks comes back.
pub(super) async fn renew(mut session: Session, timing: Timing<'_>, lease: &Lease) -> Outcome<Option<Request>> {
    let statement = renewal(session.texts(), timing, lease);
    match session.later(statement).await {
        Ok(()) => held(session, lease).await,
        Err(error) => session.end(Err(error.into())).await,
    }
}

/// Whether the lease is still ours, without renewing it.
pub(super) async fn held(session: Session, lease: &Lease) -> Outcome<Option<Request>> {
    let statement = session.once(HELD).bind(lease.execution).bind(&lease.token);
    let answer = session.finish(vec![statement]).await?;
    let row = answer.rows.first().ok_or_else(|| not_owner(lease.execution))?;
    Ok(row.get::<Option<&str>>("request")?.and_then(Request::parse))
}

/// What a launcher finds out about the lease of an active execution.
pub(super) enum State {
    /// For about so long the owner counts as alive.
    Valid(Duration),
    /// It is over, and why.
    Over(String),
}

/// Judges the lease of `execution`, as the launcher `here` sees it.
pub(super) async fn judge(session: &mut Session, timing: Timing<'_>, execution: i64, here: &Owner) -> Outcome<State> {
    let template = match timing {
        Timing::Server => FIND,
        Timing::Boot(_) => FIND_BOOT,
    };
    let Some(row) = session.row(session.once(template).bind(execution)).await? else {
        return Ok(State::Over("it has no lease".to_owned()));
    };
    match timing {
        Timing::Server => Ok(compare(row.get("micros")?)),
        Timing::Boot(clock) => by_boot(&row, clock, here),
    }
}

fn by_boot(row: &Row, clock: &dyn Clock, here: &Owner) -> Result<State, Fail> {
    let record = Record::new("batch_lease", row);
    let (boot, host): (&str, &str) = (record.get("boot")?, record.get("host")?);
    let known = !boot.is_empty() && !here.boot.is_empty();
    if known && boot == here.boot {
        return Ok(compare(record.get::<i64>("until_uptime")?.saturating_sub(micros(clock.uptime()))));
    }
    if known && host == here.host {
        return Ok(State::Over(format!("host {host} was booted since")));
    }
    let until: DateTime<Utc> = record.get("until_time")?;
    Ok(compare(until.timestamp_micros().saturating_sub(clock.now().timestamp_micros())))
}

/// `left` in microseconds.
fn compare(left: i64) -> State {
    match u64::try_from(left) {
        Ok(left) if left > 0 => State::Valid(Duration::from_micros(left)),
        _ => State::Over(format!("its lease ended {} s ago", left.unsigned_abs() / 1_000_000)),
    }
}
