//! How a keyset reader is put together.

use super::{Columns, Keyset, columns::PAGE};
use crate::reader::{
    order::KeyColumn,
    range::KeyRange,
    relation::{From, Relation},
    source::{Bind, SqlSource},
};

impl<T: Send + 'static, D: SqlSource<T>> Keyset<T, D> {
    /// Reads the rows of a table or view, `name` or `schema.name`.
    pub fn table(database: &D, name: &str) -> Self {
        Self::of(database, From::Table(name.to_owned()))
    }

    /// Reads the rows of a query, which becomes a subquery: it needs no order and no limit of its own, and no two of its columns may
    /// have one name. `?` stands for the values bound, in their order; write `??` for PostgreSQL's operator `?`.
    ///
    /// Needs [`Self::key_is_unique`], since no catalog knows a query's keys.
    pub fn query(database: &D, sql: &str) -> Self {
        Self::of(database, From::Query(sql.to_owned()))
    }

    fn of(database: &D, from: From) -> Self {
        let paging = Columns {
            relation: Relation::new(database, from),
            key: Vec::new(),
            size: PAGE,
            range: None,
            trusted: false,
            types: vec![],
        };
        Self::with(database, paging)
    }

    /// The columns wanted. Default: all.
    #[must_use]
    pub fn columns<I: IntoIterator<Item: AsRef<str>>>(mut self, columns: I) -> Self {
        self.paging.relation.set_columns(columns);
        self
    }

    /// Reads only rows for which this condition in SQL holds; `?` stands for the values bound, in their order. Default: all rows.
    #[must_use]
    pub fn filter(mut self, condition: &str) -> Self {
        self.paging.relation.filter = Some(condition.to_owned());
        self
    }

    /// The value of the next `?` of the filter or query: any type that sqlx can bind there.
    ///
    /// PostgreSQL takes it as exactly that type: write `?::uuid` for a text that is to be a UUID.
    #[must_use]
    pub fn bind<V>(mut self, value: V) -> Self
    where
        D: Bind<V>,
    {
        self.paging.relation.bound.add(value);
        self
    }

    /// The columns by which rows are sorted and told apart: names, [`asc`](crate::asc), [`desc`](crate::desc). Must be called.
    #[must_use]
    pub fn key<I: IntoIterator<Item: Into<KeyColumn>>>(mut self, key: I) -> Self {
        self.paging.key = key.into_iter().map(Into::into).collect();
        self
    }

    /// Takes your word that no two rows have the same key, for views, queries, and tables without such an index.
    ///
    /// That no key is NULL is looked at when the step starts, which reads the key's index, or all rows where there is none.
    #[must_use]
    pub fn key_is_unique(mut self) -> Self {
        self.paging.trusted = true;
        self
    }

    /// Rows fetched at a time, at least 1. Default: 1000.
    #[must_use]
    pub fn page_size(mut self, rows: usize) -> Self {
        self.paging.size = rows.max(1);
        self
    }

    /// Reads only the rows whose column lies within the range: a partition made by [`ranges`](crate::ranges). Default: all rows.
    #[must_use]
    pub fn range(mut self, range: KeyRange) -> Self {
        self.paging.range = Some(range);
        self
    }
}
