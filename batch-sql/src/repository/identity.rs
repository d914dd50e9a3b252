//! What tells this repository from every other.

use crate::{error::Outcome, session::Session, store::Store};
use batch_core::repository::random_id;

/// The first that asks gives it one.
const INSERT: &str = "INSERT INTO @repository (only_one, id, create_time) VALUES (1, ?, ?){or_keep}";
const READ: &str = "SELECT id FROM @repository WHERE only_one = 1";

/// What the tests of query plans look at.
#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[INSERT, READ];

/// The repository's id, made where it has none yet.
pub(super) async fn id(session: &mut Session, store: &dyn Store) -> Outcome<String> {
    session.execute(session.query(INSERT).bind(random_id()).bind(store.now())).await?;
    let row = session.row(session.query(READ)).await?.ok_or(sqlx::Error::RowNotFound)?;
    Ok(row.get::<&str>("id")?.to_owned())
}
