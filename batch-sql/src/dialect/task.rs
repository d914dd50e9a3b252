//! What a writer is to do, and what was learned about doing it.

use super::{
    mysql, postgres, sqlite,
    target::{Action, Target},
};
use batch_core::Result;
use std::fmt;

/// A writer's task: its table, what is done with each item, and how that is done where it was last done.
///
/// A clone keeps what was learned.
#[derive(Debug, Clone)]
pub struct Task {
    pub(super) target: Target,
    pub(super) plan: Plan,
}

/// What was learned of the table, and the statements made for it.
#[derive(Debug, Clone)]
pub(super) enum Plan {
    /// Nothing yet.
    None,
    Sqlite(sqlite::Plan),
    Postgres(postgres::Plan),
    MySql(mysql::Plan),
}

impl Task {
    pub(crate) fn new(table: &str, action: Action) -> Self {
        Self { target: Target::new(table, action), plan: Plan::None }
    }

    pub(crate) fn action_mut(&mut self) -> &mut Action {
        &mut self.target.action
    }

    /// Checks the names that the writer was given; `key` is how its key would be named.
    pub(crate) fn check(&self, key: &str) -> Result<()> {
        Ok(self.target.check(key)?)
    }

    /// A writer's `Debug`: its table, its key if it has one, and the kind of statement that it last wrote with.
    pub(crate) fn debug(&self, writer: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct(writer);
        shown.field("table", &self.target.table);
        if !self.target.action.key().is_empty() {
            shown.field("key", &self.target.action.key());
        }
        shown.field("statement", &self.statement()).finish()
    }

    fn statement(&self) -> &'static str {
        match &self.plan {
            Plan::None => "not chosen yet",
            Plan::Sqlite(plan) => plan.statement(),
            Plan::Postgres(plan) => plan.statement(),
            Plan::MySql(plan) => plan.statement(),
        }
    }
}
