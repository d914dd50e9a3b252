//! What tells this repository from every other.

use super::record;
use crate::{
    error::Outcome,
    sqlite::{Store, session::Session},
};
use batch_core::repository::random_id;
use sqlx::Row;

/// The first that asks gives it one.
const INSERT: &str = "INSERT INTO @repository (only, id, create_time) VALUES (1, ?, ?) ON CONFLICT (only) DO NOTHING";
const READ: &str = "SELECT id FROM @repository WHERE only = 1";

/// What the tests of query plans look at.
#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[INSERT, READ];

/// The repository's id, made where it has none yet.
pub(super) async fn id(session: &mut Session, store: &Store) -> Outcome<String> {
    session.execute(session.query(INSERT).bind(random_id()).bind(record::time(store.now()))).await?;
    let row = session.row(session.query(READ)).await?.ok_or(sqlx::Error::RowNotFound)?;
    Ok(row.try_get("id")?)
}
