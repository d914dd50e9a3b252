//! What a step's factory sees.

use crate::{
    chunk::{ChunkStep, NoWriter},
    error::{Error, ErrorKind, Result},
    execution::{Context, Parameters},
    item::{Identity, Reader},
    policy::Completion,
    step::{TaskletStep, UnitFn, UnitStep, WorkFn},
    transaction::Transactions,
};
use serde::{Serialize, de::DeserializeOwned};

/// What is known when a step starts: the parameters, the saved contexts, the database. Steps are made from it.
#[derive(Debug)]
pub struct Scope<D> {
    pub(crate) database: D,
    pub(crate) parameters: Parameters,
    pub(crate) context: Context,
    pub(crate) step: String,
    pub(crate) execution_id: i64,
    pub(crate) step_execution_id: i64,
}

impl<D> Scope<D> {
    /// The job's database.
    pub fn database(&self) -> &D {
        &self.database
    }

    /// All parameters of this try.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The parameter `name` as a `V`; an `Option` for one that may be missing.
    ///
    /// # Errors
    /// Missing, or of another type: kind `Configuration`, exit code 2.
    pub fn parameter<V: DeserializeOwned>(&self, name: &str) -> Result<V, Error> {
        self.parameters.get(name).map_err(|e| e.with("step", &self.step))
    }

    /// What an earlier step, or an earlier try of this one, saved under `key`.
    ///
    /// # Errors
    /// Nothing is saved there, or it is not a `V`: kind `Failed`.
    pub fn context<V: DeserializeOwned>(&self, key: &str) -> Result<V, Error> {
        self.context
            .get(key)
            .map_err(|e| Error::new(ErrorKind::Failed, "the step cannot be built").with("step", &self.step).because(e))
    }

    /// Everything saved so far.
    pub fn saved(&self) -> &Context {
        &self.context
    }

    /// The step's name.
    pub fn step_name(&self) -> &str {
        &self.step
    }

    /// The repository's number of this try of the job.
    pub fn execution_id(&self) -> i64 {
        self.execution_id
    }

    /// The repository's number of this try of the step; a restart has another. With it a reader marks what it claims.
    pub fn step_execution_id(&self) -> i64 {
        self.step_execution_id
    }
}

impl<D: Transactions + Clone> Scope<D> {
    /// A step that reads, processes and writes in chunks; `size` is a number of items, a [`Completion`] or an
    /// [`Adaptive`](crate::Adaptive).
    pub fn chunk<R: Reader>(&self, size: impl Into<Completion>, reader: R) -> ChunkStep<R, Identity, NoWriter, D>
    where
        R::Item: Sync,
    {
        ChunkStep::new(size.into(), reader, self.database.clone())
    }

    /// A step that calls `f` with the database's connection, one transaction a turn, until it returns
    /// [`Repeat::Finished`](crate::Repeat::Finished); returning `()` finishes at once.
    ///
    /// `f` is an `async fn(&mut Conn, &mut Context)` or an `async move |c: &mut Conn, cx: &mut Context|` closure with its argument types
    /// written out; it is cloned for each turn. What it sets in the context is saved with its transaction. A turn that fails with a
    /// transient error is repeated.
    pub fn tasklet<F>(&self, f: F) -> TaskletStep<D, F>
    where
        F: for<'a> WorkFn<'a, D::Conn> + 'static,
    {
        TaskletStep::new(self.database.clone(), f)
    }

    /// A step that calls `work` for each key that `keys` yields, each unit in a transaction of its own: one that fails undoes no other,
    /// and a restart runs only those that are not done. See [`UnitStep`].
    ///
    /// `work` is an `async fn(&mut Conn, Key)` or an `async move |c: &mut Conn, key: Key|` closure with its argument types written out; it is
    /// cloned for each attempt.
    pub fn units<R, F>(&self, keys: R, work: F) -> UnitStep<R, D, F>
    where
        R: Reader,
        R::Item: Serialize + Clone + Sync,
        F: for<'a> UnitFn<'a, D::Conn, R::Item> + 'static,
    {
        UnitStep::new(self.database.clone(), keys, work)
    }
}
