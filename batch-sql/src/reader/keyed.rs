//! A relation and the key by which it is read.

use super::{
    facts::Facts,
    fault,
    order::{KeyColumn, words},
    relation::{From, Relation},
    source::Source,
    statement::Statement,
};
use crate::sql::Flavor;
use batch_core::Result;

impl<D: Source> Relation<D> {
    /// Refuses a key that is not known to be unique, unless the user vouches for it; and one with NULL in it.
    pub(super) async fn demand_key(&self, source: &D, conn: &mut D::Conn, key: &[KeyColumn], trusted: bool) -> Result<()> {
        if trusted {
            return self.demand_no_nulls(source, conn, key).await;
        }
        match &self.from {
            From::Table(table) => Facts::of(source, conn, table).await?.demand_key(source, conn, key).await,
            From::Query(_) => {
                let words = words(key);
                let message =
                    format!("no catalog tells whether the key ({words}) of a query is unique: say so by .key_is_unique()");
                Err(fault::mistake(message))
            }
        }
    }

    /// A row with NULL in its key is behind no position, so that it would be left out in silence.
    async fn demand_no_nulls(&self, source: &D, conn: &mut D::Conn, key: &[KeyColumn]) -> Result<()> {
        let nulls: Vec<_> = key.iter().map(|c| format!("{} IS NULL", self.column(source.flavor(), &c.name))).collect();
        let mut statement = Statement::with(source, &self.bound);
        statement.push("SELECT 'NULL' FROM ");
        self.push_source(&mut statement, source.flavor());
        self.push_filter(&mut statement);
        statement.push(&format!(" AND ({}) LIMIT 1", nulls.join(" OR ")));
        let found = D::texts(conn, statement.once()).await.map_err(|e| fault::opening(&self.name(), e))?;
        if found.is_empty() {
            return Ok(());
        }
        let (name, words) = (self.name(), words(key));
        Err(fault::mistake(format!("{name} has a row with NULL in its key ({words}), and no row comes after NULL: filter it out")))
    }

    /// PostgreSQL is told the type of a text that stands for a key; the columns' own types are asked without reading a row.
    pub(super) async fn key_types(&self, source: &D, conn: &mut D::Conn, key: &[KeyColumn]) -> Result<Vec<String>> {
        if source.flavor() != Flavor::Postgres {
            return Ok(Vec::new());
        }
        let mut statement = match &self.from {
            From::Table(_) => Statement::new(source),
            From::Query(_) => Statement::with(source, &self.bound),
        };
        let column = |c: &KeyColumn| format!("format_type(pg_typeof({})::oid, -1)", self.column(Flavor::Postgres, &c.name));
        statement.push("SELECT ").push(&key.iter().map(column).collect::<Vec<_>>().join(", "));
        statement.push(" FROM (SELECT 1) AS batch_one LEFT JOIN ");
        self.push_source(&mut statement, Flavor::Postgres);
        statement.push(" ON false");
        let rows = D::texts(conn, statement.once()).await.map_err(|e| fault::opening(&self.name(), e))?;
        Ok(rows.into_iter().flatten().flatten().collect())
    }

    /// Adds the order of the key.
    pub(super) fn push_order(&self, statement: &mut Statement<D>, key: &[KeyColumn]) {
        let flavor = statement.flavor();
        let column = |c: &KeyColumn| format!("{}{}", self.column(flavor, &c.name), if c.descending { " DESC" } else { "" });
        statement.push(" ORDER BY ").push(&key.iter().map(column).collect::<Vec<_>>().join(", "));
    }
}
