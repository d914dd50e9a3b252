//! What a writer is to do, and what was learned about doing it.

use super::{
    mysql, postgres, sqlite,
    target::{Action, Target},
};
use batch_core::{Chunk, Encoder, Result};
use serde::Serialize;
use std::{fmt, future::Future};

/// A writer's task: its table, what is done with each item, and how that is done where it was last done.
///
/// A clone keeps what was learned.
#[derive(Debug, Clone)]
pub struct Task {
    pub(super) target: Target,
    pub(super) plan: Plan,
}

/// What was learned of the table, and the statements made for it.
#[derive(Debug, Clone, Default)]
pub(super) enum Plan {
    /// Nothing yet.
    #[default]
    None,
    Sqlite(sqlite::Plan),
    Postgres(postgres::Plan),
    MySql(mysql::Plan),
}

/// One database's own plan.
pub(super) trait Own: Default {
    /// The database's connection.
    type Conn;

    /// The plan, where it was made for this database.
    fn from_plan(plan: Plan) -> Option<Self>;

    /// The reverse.
    fn into_plan(self) -> Plan;

    /// Learns what is not known yet, where `first` shows what items look like, and writes.
    fn write<T: Serialize + Sync>(
        &mut self,
        conn: &mut Self::Conn,
        target: &mut Target,
        first: &T,
        items: Chunk<'_, T>,
    ) -> impl Future<Output = Result<()>> + Send;
}

impl Task {
    /// Carries out the task by the plan of one database. A write that is given up loses the plan, so that it is made anew.
    pub(super) async fn carry_out<P: Own, T: Serialize + Sync>(&mut self, conn: &mut P::Conn, items: Chunk<'_, T>) -> Result<()> {
        let Some(first) = items.first() else { return Ok(()) };
        let mut plan = P::from_plan(std::mem::take(&mut self.plan)).unwrap_or_default();
        let written = plan.write(conn, &mut self.target, first, items).await;
        self.plan = plan.into_plan();
        written?;
        self.target.keep();
        Ok(())
    }

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

    /// What makes chunks ready before their transaction, once rows were written.
    pub(crate) fn encoder<T: Serialize + 'static>(&self) -> Option<Encoder<T>> {
        match &self.plan {
            Plan::Postgres(plan) if self.target.is_proven() => plan.encoder(),
            _ => None,
        }
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
