//! The ledger of steps whose rows are in this database while their repository is another one.

use crate::{
    error::Outcome,
    session::Session,
    sql::{Flavor, Statement, Texts, Value},
    store::Store,
};
use batch_core::{
    Error, ErrorKind,
    transaction::{LedgerGuard, LedgerKey, LedgerState},
};
use chrono::{DateTime, Utc};

/// A row that is there already stays as it is.
const INSERT: &str = "INSERT INTO @ledger (repository, instance_id, step_name, holder, epoch, commit_no, create_time, last_updated)
    VALUES (?, ?, ?, ?, 0, 0, ?, ?){or_keep}";
/// Waits for a commit in flight; a later holder keeps the row.
const CLAIM: &str = "UPDATE @ledger SET epoch = epoch + 1, holder = ?, last_updated = ?
    WHERE repository = ? AND instance_id = ? AND step_name = ? AND holder <= ?";
/// After the epoch was raised, so that nothing changes it any more.
const READ: &str = "SELECT epoch, commit_no, entry FROM @ledger WHERE repository = ? AND instance_id = ? AND step_name = ?";

/// The guarded statement of a chunk's commit. The savepoint that was set when the chunk began is released first: it fails if the user
/// ended the transaction.
macro_rules! note {
    ($before:literal, $after:literal) => {
        concat!(
            $before,
            "UPDATE @ledger SET entry = ?, commit_no = commit_no + 1, last_updated = ? \
             WHERE repository = ? AND instance_id = ? AND step_name = ? AND epoch = ? AND commit_no = ?",
            $after
        )
    };
}

const SQLITE: &str = note!("RELEASE batch_chunk; ", " RETURNING commit_no");
/// Guard and COMMIT in one round trip, so that the guard has to raise on the server. The row decides what a restart goes on from, so the
/// commit waits for the disk whatever the server's settings.
const POSTGRES: &str = note!(
    "RELEASE SAVEPOINT batch_chunk; SET LOCAL synchronous_commit = on; WITH held AS (",
    " RETURNING commit_no) SELECT CASE WHEN n = 1 THEN NULL ELSE CAST(CAST('not the owner: ' || n AS integer) AS text) END AS noted \
     FROM (SELECT count(*) AS n FROM held) AS counted; COMMIT"
);
/// A subquery of two rows raises.
const MYSQL: &str =
    note!("RELEASE SAVEPOINT batch_chunk; ", "; SELECT IF(ROW_COUNT() = 1, NULL, (SELECT 1 UNION SELECT 2)) AS noted; COMMIT");

/// What the tests of query plans look at.
#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[INSERT, CLAIM, READ, SQLITE];

/// Those that every database runs.
#[cfg(test)]
pub(crate) const SHARED: &[&str] = &[CLAIM, READ];

/// Takes the row at `key` for `holder`, and reads it.
pub(crate) async fn claim(store: &dyn Store, key: &LedgerKey, holder: i64) -> Result<LedgerState, Error> {
    let doing = store.error("taking the ledger of a step");
    let mut session = store.begin(store.wait()).await.map_err(&doing)?;
    let outcome = take(&mut session, store.now(), key, holder).await;
    session.end(outcome).await.map_err(&doing)
}

async fn take(session: &mut Session, now: DateTime<Utc>, key: &LedgerKey, holder: i64) -> Outcome<LedgerState> {
    session.execute(session.query(INSERT).bind_all(named(key)).bind(holder).bind(now).bind(now)).await?;
    let claim = session.query(CLAIM).bind(holder).bind(now).bind_all(named(key)).bind(holder);
    if session.execute(claim).await? == 0 {
        return Err(Error::new(ErrorKind::NotOwner, "a later step execution has taken the ledger").into());
    }
    let row = session.row(session.query(READ).bind_all(named(key))).await?.ok_or(sqlx::Error::RowNotFound)?;
    let entry = row.get::<Option<&str>>("entry")?.map(str::to_owned);
    Ok(LedgerState { epoch: row.get("epoch")?, commit_no: row.get("commit_no")?, entry })
}

fn named(key: &LedgerKey) -> [Value; 3] {
    [Value::from(&key.repository), key.instance.into(), Value::from(&key.step)]
}

/// The entry of a chunk on SQLite; no row comes back where the guard does not hold.
pub(crate) fn in_chunk(texts: &Texts, guard: &LedgerGuard, entry: &str, now: DateTime<Utc>) -> Statement {
    Statement::new(texts.get(SQLITE)).bind_all(values(guard, entry, now))
}

/// Entry and COMMIT of a chunk on a server, in one text; fails where the guard does not hold, as that of
/// [`checkpoint`](crate::repository::checkpoint) does.
pub(crate) fn and_commit(texts: &Texts, guard: &LedgerGuard, entry: &str, now: DateTime<Utc>) -> String {
    let template = if texts.flavor() == Flavor::Postgres { POSTGRES } else { MYSQL };
    let values: Vec<Value> = values(guard, entry, now).collect();
    texts.inline(template, &values)
}

fn values(guard: &LedgerGuard, entry: &str, now: DateTime<Utc>) -> impl Iterator<Item = Value> {
    let before = [entry.into(), now.into()];
    before.into_iter().chain(named(&guard.key)).chain([guard.epoch.into(), guard.commit_no.into()])
}
