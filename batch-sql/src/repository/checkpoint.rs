//! The one statement of a chunk's commit, and what sometimes goes with it.

use super::{lease, record};
use crate::{error, sqlite::Store};
use batch_core::{
    Request,
    repository::{Commit, CommitError},
};
use sqlx::{Row, SqliteConnection, sqlite::SqliteArguments};

/// The guarded update, after a statement of the caller's.
macro_rules! update {
    ($before:literal) => {
        concat!(
            $before,
            "UPDATE @step SET read_count = ?, write_count = ?, filter_count = ?, read_skip_count = ?, process_skip_count = ?,
             write_skip_count = ?, commit_count = ?, rollback_count = ?, checkpoint = ?, context = coalesce(?, context),
             commit_no = commit_no + 1, last_updated = ?
             WHERE id = ? AND epoch = ? AND commit_no = ? AND status = 'STARTED'
             RETURNING execution_id, (SELECT request FROM @execution WHERE @execution.id = @step.execution_id) AS request"
        )
    };
}

/// For a transaction of the repository's own.
const ALONE: &str = update!("");
/// For a chunk's transaction: fails if the user ended it, since the savepoint set at its begin is gone then.
const RELEASING: &str = update!("RELEASE batch_chunk; ");

/// From one JSON array a record.
const SKIPS: &str = "INSERT INTO @skip (step_id, phase, record_number, line, byte, column_name, reason, item)
    SELECT ?, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6 FROM json_each(?)";

/// What the tests of query plans look at.
#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[ALONE, RELEASING, SKIPS];

/// Where the checkpoint is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In a chunk's transaction, with the writer's rows.
    Chunk,
    /// In a transaction of its own.
    Alone,
}

/// Writes counts, checkpoint, context, skip records and, now and then, the lease; the caller commits.
///
/// # Errors
/// `NotOwner` where the guard does not hold, else `Refused`; the caller rolls back.
pub(crate) async fn write(
    conn: &mut SqliteConnection,
    store: &Store,
    commit: &Commit,
    place: Place,
) -> Result<Option<Request>, CommitError> {
    let template = if place == Place::Chunk { RELEASING } else { ALONE };
    let query = sqlx::query_with(store.texts.get(template), values(commit));
    let rows = query.fetch_all(&mut *conn).await.map_err(refused)?;
    let Some(row) = rows.first() else { return Err(CommitError::NotOwner) };
    if row.try_get::<i64, _>(0).map_err(refused)? != commit.guard.lease.execution {
        return Err(CommitError::NotOwner);
    }
    if !commit.skips.is_empty() {
        let query = sqlx::query(store.texts.get(SKIPS)).bind(commit.guard.step).bind(record::skips(&commit.skips));
        query.execute(&mut *conn).await.map_err(refused)?;
    }
    lease::ride(conn, store, &commit.guard.lease).await?;
    let request: Option<&str> = row.try_get(1).map_err(refused)?;
    Ok(request.and_then(Request::parse))
}

fn values(commit: &Commit) -> SqliteArguments {
    let Commit { guard, counts, .. } = commit;
    let mut values = SqliteArguments::default();
    let numbers = [
        counts.read,
        counts.written,
        counts.filtered,
        counts.read_skips,
        counts.process_skips,
        counts.write_skips,
        counts.commits,
        counts.rollbacks,
    ];
    for number in numbers {
        add(&mut values, record::count(number));
    }
    add(&mut values, commit.checkpoint.encode());
    add(&mut values, commit.context.as_ref().map(record::context));
    add(&mut values, record::time(commit.at));
    for number in [guard.step, guard.epoch, guard.commit_no] {
        add(&mut values, number);
    }
    values
}

/// Numbers and texts always encode.
fn add<'t, T: sqlx::Encode<'t, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite> + 't>(values: &mut SqliteArguments, value: T) {
    let _ = sqlx::Arguments::add(values, value);
}

/// An error before the COMMIT was sent: nothing is committed.
pub(crate) fn refused(error: sqlx::Error) -> CommitError {
    if error::says(&error, "no such savepoint") {
        let message = "the chunk's transaction was ended inside the chunk: a writer or tasklet ran COMMIT or ROLLBACK, \
                       or a statement with ON CONFLICT ROLLBACK; leave the transaction to the step";
        return CommitError::Refused(message.into());
    }
    CommitError::Refused(error.into())
}
