//! The guarded statement of a chunk's commit, and what goes with it.

use super::{record, unit};
use crate::{
    error::{self, Fail},
    session::Session,
    sql::{Flavor, Statement, Texts, Value},
};
use batch_core::{
    Request,
    repository::{Commit, CommitError},
};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Where a savepoint that was set when the chunk began is released first: it fails if the user ended the transaction.
macro_rules! update {
    ($before:literal, $after:literal) => {
        concat!(
            $before,
            "UPDATE @step SET read_count = ?, write_count = ?, filter_count = ?, read_skip_count = ?, process_skip_count = ?, \
             write_skip_count = ?, commit_count = ?, rollback_count = ?, checkpoint = ?, context = coalesce(?, context), \
             commit_no = commit_no + 1, last_updated = ? \
             WHERE id = ? AND epoch = ? AND commit_no = ? AND status = 'STARTED' AND execution_id = ?",
            $after
        )
    };
}

/// For a transaction of the repository's own on SQLite.
const ALONE: &str = update!("", "");
/// For a chunk's transaction on SQLite.
const SQLITE: &str = update!(
    "RELEASE batch_chunk; ",
    " RETURNING (SELECT request FROM @execution WHERE @execution.id = @step.execution_id) AS request"
);
/// For a chunk's transaction on PostgreSQL: it shares a round trip with COMMIT, so that the guard has to raise on the server. The cast is
/// of something that is not constant, since the planner would evaluate a constant one in any case.
const POSTGRES: &str = update!(
    "WITH held AS (",
    " RETURNING id) SELECT CASE WHEN n = 1 THEN (SELECT request FROM @execution WHERE id = ?) \
     ELSE CAST(CAST('not the owner: ' || n AS integer) AS text) END AS request FROM (SELECT count(*) AS n FROM held) AS counted"
);
/// As a transaction of its own on PostgreSQL: where the guard does not hold no row comes back, and nothing happened.
const POSTGRES_ALONE: &str = update!("", " RETURNING (SELECT request FROM @execution WHERE id = ?) AS request");
/// The same where it is said whether the commit waits for the disk.
const POSTGRES_DURABLE: &str = update!(
    "",
    " RETURNING (SELECT request FROM @execution WHERE id = ?) AS request, \
     CASE WHEN ? <> current_setting('synchronous_commit') THEN set_config('synchronous_commit', ?, true) END AS durable"
);
/// For a chunk's transaction on MySQL; a subquery of two rows raises.
const MYSQL: &str = update!(
    "",
    "; SELECT IF(ROW_COUNT() = 1, (SELECT request FROM @execution WHERE id = ?), (SELECT 1 UNION SELECT 2)) AS request"
);

const REQUEST: &str = "SELECT request FROM @execution WHERE id = ?";
pub(crate) const SKIPS: &str =
    "INSERT INTO @skip (step_id, phase, record_number, line, byte, column_name, reason, item) VALUES (?, ?, ?, ?, ?, ?, ?, ?)";

/// What the tests of query plans look at.
#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[ALONE, SQLITE, REQUEST];

/// What they look at on PostgreSQL.
#[cfg(test)]
pub(super) const ON_POSTGRES: &[&str] = &[POSTGRES, POSTGRES_ALONE, POSTGRES_DURABLE];

/// The checkpoint of a chunk on SQLite; no row comes back where the guard does not hold.
pub(crate) fn in_chunk(texts: &Texts, commit: &Commit) -> Statement {
    Statement::new(texts.get(SQLITE)).bind_all(values(commit))
}

/// What keeps PostgreSQL's statement of a chunk on a connection, since reading and planning it anew costs more than running it.
pub(crate) fn prepare(texts: &Texts) -> String {
    let statement = texts.get(POSTGRES);
    format!("PREPARE {} AS {statement}", kept_name(&statement))
}

fn run_in_chunk(texts: &Texts, values: &[Value], prepared: bool) -> String {
    if !prepared {
        return texts.inline(POSTGRES, values);
    }
    let places = vec!["?"; values.len()].join(", ");
    format!("EXECUTE {} {}", kept_name(&texts.get(POSTGRES)), texts.inline(&format!("({places})"), values))
}

/// The statement's own name: tables of another prefix or schema, or of another version, never get its rows.
fn kept_name(statement: &str) -> String {
    let mut hasher = DefaultHasher::new();
    statement.hash(&mut hasher);
    format!("batch_checkpoint_{:016x}", hasher.finish())
}

/// What stands before [`and_commit`] in a chunk's transaction: it fails where the user ended that.
pub(crate) const STILL_OPEN: &str = "RELEASE SAVEPOINT batch_chunk; ";

/// Checkpoint and COMMIT on a server, in one text; fails where the guard does not hold. `prepared` where the connection keeps
/// what [`prepare`] made.
pub(crate) fn and_commit(texts: &Texts, commit: &Commit, prepared: bool) -> String {
    let before = skips_inline(texts, commit) + &unit::ends_inline(texts, commit);
    let values = and_request(commit);
    let checkpoint = match texts.flavor() {
        Flavor::Postgres => run_in_chunk(texts, &values, prepared),
        _ => texts.inline(MYSQL, &values),
    };
    format!("{before}{checkpoint}; COMMIT")
}

/// Whether the checkpoint is all of a transaction, and the database takes it as one statement: [`alone`].
pub(crate) fn is_alone(texts: &Texts, commit: &Commit) -> bool {
    texts.flavor() == Flavor::Postgres && commit.skips.is_empty() && commit.units.is_empty()
}

/// The checkpoint as a transaction of its own; no row comes back where the guard does not hold. `synchronous` says whether it waits for the
/// disk, `None` leaves that to the session.
///
/// The driver keeps it prepared and sends the values apart, since EXECUTE in a text is read and evaluated anew each time. `prepares` says
/// whether connections keep statements.
pub(crate) fn alone(texts: &Texts, commit: &Commit, prepares: bool, synchronous: Option<bool>) -> Statement {
    let template = if synchronous.is_some() { POSTGRES_DURABLE } else { POSTGRES_ALONE };
    let waits = synchronous.map(|waits| if waits { "on" } else { "off" });
    let statement = Statement::new(texts.get(template)).bind_all(and_request(commit));
    let statement = statement.bind_all(waits.into_iter().flat_map(|waits| [waits, waits]).map(Value::from));
    if prepares { statement } else { statement.once(template) }
}

/// Whether the server refused [`and_commit`] because the guard did not hold.
pub(crate) fn is_refused_by_guard(error: &sqlx::Error) -> bool {
    error::says(error, "not the owner: ") || error::says(error, "Subquery returns more than 1 row")
}

/// Writes counts, checkpoint, context, skip records and units in a transaction of the repository's own.
pub(crate) async fn write(session: &mut Session, commit: &Commit) -> Result<Option<Request>, CommitError> {
    let refused = |e: sqlx::Error| CommitError::Refused(e.into());
    if session.execute(session.query(ALONE).bind_all(values(commit))).await.map_err(refused)? != 1 {
        return Err(CommitError::NotOwner);
    }
    session.insert_all(SKIPS, &skips(commit)).await.map_err(refused)?;
    for statement in unit::ends(session.texts(), commit) {
        session.execute(statement).await.map_err(refused)?;
    }
    let row = session.row(session.query(REQUEST).bind(commit.guard.lease.execution)).await.map_err(refused)?;
    request(row.as_ref()).map_err(refused)
}

/// What an operator asks, as a row with `request` tells.
pub(crate) fn request(row: Option<&crate::sql::Row>) -> Result<Option<Request>, sqlx::Error> {
    let word = row.map(|row| row.get::<Option<&str>>("request")).transpose()?.flatten();
    Ok(word.and_then(Request::parse))
}

fn values(commit: &Commit) -> Vec<Value> {
    let Commit { guard, counts, .. } = commit;
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
    let mut values: Vec<Value> = numbers.into_iter().map(|n| record::count(n).into()).collect();
    values.push(commit.checkpoint.encode().into());
    values.push(commit.context.as_ref().map(record::context).into());
    values.push(commit.at.into());
    values.extend([guard.step, guard.epoch, guard.commit_no, guard.lease.execution].map(Value::from));
    values
}

/// The values of a statement that also asks what an operator asks of the execution.
fn and_request(commit: &Commit) -> Vec<Value> {
    let mut values = values(commit);
    values.push(commit.guard.lease.execution.into());
    values
}

/// Skip records that go with the checkpoint in one text; more of them go before it, in blocks.
const FEW: usize = 100;

/// The skip records that have to be written before [`and_commit`].
pub(crate) fn skips_before(commit: &Commit) -> Vec<Vec<Value>> {
    if commit.skips.len() > FEW { skips(commit) } else { Vec::new() }
}

fn skips_inline(texts: &Texts, commit: &Commit) -> String {
    if commit.skips.is_empty() || commit.skips.len() > FEW {
        return String::new();
    }
    Statement::rows_inline(SKIPS, texts, &skips(commit)) + "; "
}

/// The rows of a commit's skip records.
pub(crate) fn skips(commit: &Commit) -> Vec<Vec<Value>> {
    commit.skips.iter().map(|skip| record::skip(commit.guard.step, skip)).collect()
}

/// An error before the COMMIT was sent: nothing is committed.
pub(crate) fn refused(error: sqlx::Error) -> CommitError {
    const ENDED: [&str; 4] =
        ["no such savepoint", "SAVEPOINT batch_chunk", "savepoint \"batch_chunk\"", "RELEASE SAVEPOINT can only"];
    if ENDED.iter().any(|words| error::says(&error, words)) {
        let message = "the chunk's transaction was ended inside the chunk: a writer or tasklet ran COMMIT or ROLLBACK, \
                       or a statement that commits or rolls back by itself; leave the transaction to the step";
        return CommitError::Refused(message.into());
    }
    CommitError::Refused(error.into())
}

/// A failure to begin.
pub(crate) fn not_begun(fail: Fail) -> CommitError {
    match fail {
        Fail::Store(e) => CommitError::Refused(e.into()),
        Fail::Refused(e) => CommitError::Refused(e.into()),
    }
}
