//! Statements of the repository, written once for all databases: templates, values, rows, and the connection that runs them.

mod flavor;
mod link;
mod row;
mod statement;
mod texts;
mod value;

pub(crate) use flavor::Flavor;
pub(crate) use link::{Done, Link, Named, collect, unknown_type};
pub(crate) use row::{Answer, Cell, FromCell, Row};
pub(crate) use statement::Statement;
pub(crate) use texts::Texts;
pub(crate) use value::{Value, stored};
