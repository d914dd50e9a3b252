//! How a claiming reader is put together.

use super::{Claim, ClaimPosition, plan::Plan};
use crate::reader::{
    order::KeyColumn,
    relation::{From, Relation},
    source::{Bind, SqlSource},
    task::Work,
};
use batch_core::{Scope, Transactions};
use std::{collections::VecDeque, sync::Arc};

/// Rows claimed at a time, unless it is told otherwise.
const BATCH: usize = 100;

impl<T: Send + 'static, D: SqlSource<T>> Claim<T, D> {
    /// Claims rows of a table, `name` or `schema.name`, for the step of this scope. The table may be in another database than the job's.
    pub fn table<J: Transactions + Clone>(scope: &Scope<J>, database: &D, name: &str) -> Self {
        let plan = Plan {
            relation: Relation::new(database, From::Table(name.to_owned())),
            table: name.to_owned(),
            key: Vec::new(),
            mark: String::new(),
            owner: format!("{}/{}", scope.execution_id(), scope.step_execution_id()),
            size: BATCH,
            trusted: false,
            types: Vec::new(),
        };
        Self {
            source: database.clone(),
            plan: Arc::new(plan),
            explorer: scope.database().repository().explorer(),
            rows: VecDeque::new(),
            doubtful: Vec::new(),
            position: ClaimPosition::default(),
            claiming: Work::default(),
        }
    }

    /// The columns wanted. Default: all.
    #[must_use]
    pub fn columns<I: IntoIterator<Item: AsRef<str>>>(self, columns: I) -> Self {
        self.with(|plan| plan.relation.set_columns(columns))
    }

    /// The columns that tell rows apart, and in whose order rows are claimed. Must be called.
    #[must_use]
    pub fn key<I: IntoIterator<Item: Into<KeyColumn>>>(self, key: I) -> Self {
        self.with(|plan| plan.key = key.into_iter().map(Into::into).collect())
    }

    /// Takes your word that no two rows have the same key.
    #[must_use]
    pub fn key_is_unique(self) -> Self {
        self.with(|plan| plan.trusted = true)
    }

    /// Which rows are still to do: a condition in SQL, where `?` stands for the values bound. Must be called.
    #[must_use]
    pub fn pending(self, condition: &str) -> Self {
        self.with(|plan| plan.relation.filter = Some(condition.to_owned()))
    }

    /// The value of the next `?`: any type that sqlx can bind there.
    #[must_use]
    pub fn bind<V>(self, value: V) -> Self
    where
        D: Bind<V>,
    {
        self.with(|plan| plan.relation.bound.add(value))
    }

    /// The column that holds the claim: a text, NULL where nobody claims the row. Must be called.
    #[must_use]
    pub fn claimed_by(self, column: &str) -> Self {
        self.with(|plan| column.clone_into(&mut plan.mark))
    }

    /// Rows claimed at a time, 1 to 5000. Default: 100.
    #[must_use]
    pub fn batch_size(self, rows: usize) -> Self {
        self.with(|plan| plan.size = rows.clamp(1, 5000))
    }

    fn with(mut self, change: impl FnOnce(&mut Plan<D>)) -> Self {
        change(Arc::make_mut(&mut self.plan));
        self
    }
}
