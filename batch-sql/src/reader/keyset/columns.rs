//! Pages of a table or query by the columns of its key.

use super::{Paging, Record, predicate};
use crate::{
    identifier,
    reader::{
        fault,
        order::{self, KeyColumn},
        range::KeyRange,
        relation::Relation,
        source::{Fetched, Query, Source, SqlSource},
        statement::Statement,
        value::KeyValue,
    },
    sql::Flavor,
};
use batch_core::{Error, ErrorKind, Result};
use std::{collections::VecDeque, fmt};

/// Rows of a page, unless it is told otherwise.
pub(super) const PAGE: usize = 1000;

/// Pages whose statements are built from the columns of the key.
pub struct Columns<D: Source> {
    pub(super) relation: Relation<D>,
    pub(super) key: Vec<KeyColumn>,
    pub(super) size: usize,
    pub(super) range: Option<KeyRange>,
    /// The user says that the key is unique.
    pub(super) trusted: bool,
    /// PostgreSQL's types of the key columns.
    pub(super) types: Vec<String>,
}

impl<T: Send + 'static, D: SqlSource<T>> Paging<T, D> for Columns<D> {
    async fn prepare(&mut self, source: &D) -> Result<()> {
        order::check(&self.key)?;
        self.relation.check(source)?;
        if let Some(range) = &self.range {
            identifier::check("column of a range", &range.column)?;
        }
        let mut conn = source.acquire().await.map_err(|e| fault::opening(&self.relation.name(), e))?;
        self.relation.demand_key(source, &mut conn, &self.key, self.trusted).await?;
        self.types = self.relation.key_types(source, &mut conn, &self.key).await?;
        Ok(())
    }

    fn order(&self) -> String {
        order::words(&self.key)
    }

    fn name(&self) -> String {
        self.relation.name()
    }

    fn page(&self, source: &D, after: Option<&[KeyValue]>) -> Result<(Query<D>, usize)> {
        let mut statement = self.relation.select(source, &self.key);
        self.push_range(&mut statement, source.flavor())?;
        if let Some(after) = after {
            statement.push(" AND ");
            predicate::push(&mut statement, &self.compared(source.flavor()), after)?;
        }
        self.relation.push_order(&mut statement, &self.key);
        // One row more than a page tells whether there is another page, and whether its first key is this one's last.
        statement.push(&format!(" LIMIT {}", self.size.saturating_add(1)));
        Ok((statement.recurring(), self.key.len()))
    }

    fn cut(&self, rows: Vec<Fetched<T>>, after: Option<&[KeyValue]>) -> Result<(VecDeque<Record<T>>, bool)> {
        let is_last = rows.len() <= self.size;
        let mut page: VecDeque<Record<T>> = VecDeque::with_capacity(rows.len());
        for Fetched { item, key } in rows {
            let before = page.back().map_or(after, |record| Some(&record.key[..]));
            let key = key.map_err(|problem| self.refusal(before, problem.column, &problem.reason))?;
            if before == Some(&key[..]) {
                return Err(self.refusal(before, 0, "is not unique with the rest of the key: the next row has the same"));
            }
            page.push_back(Record { item, key });
        }
        page.truncate(self.size);
        Ok((page, is_last))
    }
}

impl<D: Source> Columns<D> {
    fn compared(&self, flavor: Flavor) -> Vec<predicate::Compared<'_>> {
        let compared = |(number, column): (usize, &KeyColumn)| predicate::Compared {
            column: self.relation.column(flavor, &column.name),
            descending: column.descending,
            own: self.types.get(number).map(String::as_str),
        };
        self.key.iter().enumerate().map(compared).collect()
    }

    fn push_range(&self, statement: &mut Statement<D>, flavor: Flavor) -> Result<()> {
        if let Some(range) = &self.range {
            let column = self.relation.column(flavor, &range.column);
            statement.push(&format!(" AND {column} >= ")).push_integer(range.from)?;
            statement.push(&format!(" AND {column} <= ")).push_integer(range.to)?;
        }
        Ok(())
    }

    fn refusal(&self, before: Option<&[KeyValue]>, column: usize, reason: &str) -> batch_core::BoxError {
        let column = self.key.get(column).map_or("", |c| &c.name);
        let behind = before.map_or("at the beginning".to_owned(), |key| {
            format!("behind the row of {}", order::place(&order::words(&self.key), key))
        });
        let message = format!("key column `{column}` of {} {reason}, {behind}", self.relation.name());
        Error::new(ErrorKind::Failed, message).into()
    }
}

impl<D: Source> fmt::Debug for Columns<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Columns").field("relation", &self.relation).field("key", &self.key).finish_non_exhaustive()
    }
}
