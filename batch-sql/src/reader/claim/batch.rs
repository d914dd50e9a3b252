//! Claims some rows in a transaction of its own.

use super::plan::Plan;
use crate::{
    reader::{
        fault,
        source::{Fetched, Query, Source, SqlSource},
        statement::Statement,
        value::KeyValue,
    },
    sql::Flavor,
};
use batch_core::{BoxError, Error, ErrorKind, Result};
use std::sync::Arc;

/// What one claim needs; it runs on a task of its own, so that it is never dropped in the middle.
pub(super) struct Batch<D: Source> {
    pub(super) source: D,
    pub(super) plan: Arc<Plan<D>>,
    pub(super) doubtful: Vec<Vec<KeyValue>>,
}

/// What became of a claim.
pub(super) enum Claimed<T> {
    /// These rows are ours; none at the end.
    Rows(Vec<Row<T>>),
    /// The commit's answer was lost: they may be ours, or not.
    Doubtful(Vec<Vec<KeyValue>>, sqlx::Error),
}

impl<T> Claimed<T> {
    pub(super) fn is_end(&self) -> bool {
        matches!(self, Self::Rows(rows) if rows.is_empty())
    }
}

/// A row, or why it is no item, and its key.
pub(super) type Row<T> = (Result<T, sqlx::Error>, Vec<KeyValue>);

/// Why a claim was not made.
enum Broken {
    Database(sqlx::Error),
    Other(BoxError),
}

impl From<sqlx::Error> for Broken {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl From<BoxError> for Broken {
    fn from(error: BoxError) -> Self {
        Self::Other(error)
    }
}

impl<D: Source> Batch<D> {
    /// Claims the next rows, after giving back those whose claim is in doubt.
    pub(super) async fn claim<T: Send + 'static>(&self) -> Result<Claimed<T>>
    where
        D: SqlSource<T>,
    {
        let what = self.plan.relation.name();
        let mut conn = self.source.acquire().await.map_err(|e| fault::reading(&what, e))?;
        match self.mark(&mut conn).await {
            Ok((rows, keys)) => match D::batch(&mut conn, "COMMIT").await {
                Ok(()) => Ok(Claimed::Rows(rows)),
                Err(error) => {
                    D::discard(conn);
                    Ok(Claimed::Doubtful(keys, error))
                }
            },
            Err(broken) => {
                if D::batch(&mut conn, "ROLLBACK").await.is_err() {
                    D::discard(conn);
                }
                Err(match broken {
                    Broken::Database(error) => fault::reading(&what, error),
                    Broken::Other(error) => error,
                })
            }
        }
    }

    /// Selects, locks and marks the next rows; the transaction stays open.
    async fn mark<T: Send + 'static>(&self, conn: &mut D::Conn) -> Result<(Vec<Row<T>>, Vec<Vec<KeyValue>>), Broken>
    where
        D: SqlSource<T>,
    {
        D::batch(conn, self.source.flavor().begin()).await?;
        if !self.doubtful.is_empty() {
            D::execute(conn, self.unmark()?).await?;
        }
        let fetched = D::fetch(conn, self.select()?, self.plan.key.len()).await?;
        let mut rows = Vec::with_capacity(fetched.len());
        for Fetched { item, key } in fetched {
            rows.push((item, key.map_err(|problem| self.refusal(problem.column, &problem.reason))?));
        }
        let keys: Vec<_> = rows.iter().map(|(_, key)| key.clone()).collect();
        let changed = if keys.is_empty() { 0 } else { D::execute(conn, self.update(&keys)?).await? };
        if changed != keys.len() as u64 {
            let message = format!("claiming {} rows changed {changed} of {}", keys.len(), self.plan.relation.name());
            return Err(Broken::Other(Error::new(ErrorKind::Failed, message).into()));
        }
        Ok((rows, keys))
    }

    fn select(&self) -> Result<Query<D>> {
        let (plan, flavor) = (&self.plan, self.source.flavor());
        let mut statement = plan.relation.select(&self.source, &plan.key);
        statement.push(&format!(" AND {} IS NULL", plan.relation.column(flavor, &plan.mark)));
        plan.relation.push_order(&mut statement, &plan.key);
        statement.push(&format!(" LIMIT {}", plan.size)).push(flavor.lock_rows());
        Ok(statement.recurring())
    }

    fn update(&self, keys: &[Vec<KeyValue>]) -> Result<Query<D>> {
        let mut statement = self.plan.update(&self.source);
        statement.push_text(&self.plan.owner)?;
        statement.push(" WHERE ");
        self.push_keys(&mut statement, keys)?;
        // A full batch comes again and again; the last one does not.
        Ok(if keys.len() == self.plan.size { statement.recurring() } else { statement.once() })
    }

    /// Rows that look unclaimed are among them: their commit may still be in flight, and the update waits for it.
    fn unmark(&self) -> Result<Query<D>> {
        let mark = self.plan.relation.column(self.source.flavor(), &self.plan.mark);
        let mut statement = self.plan.update(&self.source);
        statement.push(&format!("NULL WHERE ({mark} IS NULL OR {mark} = ")).push_text(&self.plan.owner)?.push(") AND ");
        self.push_keys(&mut statement, &self.doubtful)?;
        Ok(statement.once())
    }

    /// `key IN (..)`; the one form for rows that SQLite knows is another than that of the servers.
    fn push_keys(&self, statement: &mut Statement<D>, keys: &[Vec<KeyValue>]) -> Result<()> {
        let flavor = self.source.flavor();
        let columns: Vec<_> = self.plan.key.iter().map(|c| self.plan.relation.column(flavor, &c.name)).collect();
        let is_row = columns.len() > 1;
        let list = if is_row && flavor == Flavor::Sqlite { "VALUES " } else { "" };
        statement.push(&format!("({}) IN ({list}", columns.join(", ")));
        for (number, key) in keys.iter().enumerate() {
            statement.push(if number == 0 { "" } else { ", " }).push(if is_row { "(" } else { "" });
            for (at, value) in key.iter().enumerate() {
                statement.push(if at == 0 { "" } else { ", " });
                statement.push_key(value, self.plan.types.get(at).map(String::as_str))?;
            }
            statement.push(if is_row { ")" } else { "" });
        }
        statement.push(")");
        Ok(())
    }

    fn refusal(&self, column: usize, reason: &str) -> BoxError {
        let column = self.plan.key.get(column).map_or("", |c| &c.name);
        Error::new(ErrorKind::Failed, format!("key column `{column}` of {} {reason}", self.plan.relation.name())).into()
    }
}
