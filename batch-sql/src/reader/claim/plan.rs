//! What is claimed, and for whom.

use crate::{
    identifier,
    reader::{
        fault,
        order::{self, KeyColumn},
        relation::Relation,
        source::Source,
        statement::Statement,
    },
};
use batch_core::Result;

/// What is claimed, and for whom.
#[derive(Debug, Clone)]
pub(super) struct Plan<D: Source> {
    pub(super) relation: Relation<D>,
    pub(super) table: String,
    pub(super) key: Vec<KeyColumn>,
    pub(super) mark: String,
    pub(super) owner: String,
    pub(super) size: usize,
    pub(super) trusted: bool,
    /// PostgreSQL's types of the key columns.
    pub(super) types: Vec<String>,
}

impl<D: Source> Plan<D> {
    /// Checks what can be known before the first claim.
    pub(super) async fn prepare(&mut self, source: &D) -> Result<()> {
        order::check(&self.key)?;
        self.relation.check(source)?;
        if self.relation.filter.is_none() {
            return Err(fault::mistake("name the condition of a row that is still to do by .pending(..)"));
        }
        if self.mark.is_empty() {
            return Err(fault::mistake("name the column that holds the claim by .claimed_by(..)"));
        }
        identifier::check("column of a claim", &self.mark)?;
        // Each value of each key is a placeholder, of which SQLite has 32,766.
        self.size = self.size.min(30_000 / self.key.len()).max(1);
        let mut conn = source.acquire().await.map_err(|e| fault::opening(&self.relation.name(), e))?;
        self.relation.demand_key(source, &mut conn, &self.key, self.trusted).await?;
        self.types = self.relation.key_types(source, &mut conn, &self.key).await?;
        Ok(())
    }

    /// `UPDATE table SET claimed_by = `
    pub(super) fn update(&self, source: &D) -> Statement<D> {
        let flavor = source.flavor();
        let mut statement = Statement::new(source);
        statement.push("UPDATE ").push(&flavor.quoted(&self.table)).push(" SET ").push(&flavor.quoted(&self.mark)).push(" = ");
        statement
    }
}
