//! Values that the user binds to the `?` of a statement.

use super::{
    fault,
    source::{Bind, Source},
    text,
};
use batch_core::{BoxError, Result};
use std::fmt;

/// Values bound so far.
pub(super) struct Bound<D: Source> {
    pub(super) arguments: D::Arguments,
    pub(super) count: usize,
    problem: Option<BoxError>,
}

impl<D: Source> Bound<D> {
    pub(super) fn new(source: &D) -> Self {
        Self { arguments: source.arguments(), count: 0, problem: None }
    }

    /// Adds a value; where that fails, [`Self::check`] says so.
    pub(super) fn add<V>(&mut self, value: V)
    where
        D: Bind<V>,
    {
        self.count += 1;
        if let Err(error) = D::bind(&mut self.arguments, value) {
            self.problem.get_or_insert(error);
        }
    }

    /// Refuses a number of values other than that of the `?` in `sql`: a driver might take NULL for what is missing.
    pub(super) fn check(&mut self, source: &D, sql: &str) -> Result<()> {
        if let Some(error) = self.problem.take() {
            return Err(error);
        }
        let places = text::placeholders(source.flavor(), sql);
        // A statement may number its placeholders in its database's own way.
        if places != self.count && places > 0 || places == 0 && self.count > 0 && !sql.contains(['$', '?', ':', '@']) {
            let message = format!("{places} values stand as ? in the SQL, but {} are bound by .bind(..)", self.count);
            return Err(fault::mistake(message));
        }
        Ok(())
    }
}

impl<D: Source> Clone for Bound<D> {
    fn clone(&self) -> Self {
        Self { arguments: self.arguments.clone(), count: self.count, problem: None }
    }
}

impl<D: Source> fmt::Debug for Bound<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} values", self.count)
    }
}
