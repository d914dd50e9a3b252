//! Two classes of errors.

use batch_core::{BoxError, caused_by};
use std::fmt;

/// The class that policies name.
#[derive(Debug)]
pub(crate) struct X(pub(crate) i64);

/// Any other.
#[derive(Debug)]
pub(crate) struct Y(pub(crate) i64);

impl fmt::Display for X {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "x at {}", self.0)
    }
}

impl fmt::Display for Y {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "y at {}", self.0)
    }
}

impl std::error::Error for X {}
impl std::error::Error for Y {}

/// Whether the error is of class X, or caused by one.
pub(crate) fn is_x(error: &BoxError) -> bool {
    caused_by::<X>(error, |_| true)
}
