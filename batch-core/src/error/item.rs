//! Error types by which a component says what its error means to the engine.

use super::BoxError;
use std::{error::Error as StdError, fmt};

/// A record that a reader could not turn into an item, and has already passed: skippable.
///
/// Any other error of `read` is fatal, unless it is [`Transient`].
#[derive(Debug)]
pub struct BadRecord {
    reason: BoxError,
    /// Line on which the record begins, from 1.
    pub line: Option<u64>,
    /// Byte offset at which the record begins, from 0.
    pub byte: Option<u64>,
    /// The field at fault: its name, or its number from 1.
    pub column: Option<String>,
    /// The record as it stands in the input, as far as it was kept; goes into the skip record.
    pub raw: Option<String>,
}

impl BadRecord {
    /// A bad record with its reason and nothing else known.
    pub fn new(reason: impl Into<BoxError>) -> Self {
        Self { reason: reason.into(), line: None, byte: None, column: None, raw: None }
    }

    /// Why, without the place.
    pub fn reason(&self) -> &BoxError {
        &self.reason
    }
}

impl fmt::Display for BadRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        if let Some(column) = &self.column {
            write!(f, "{column}: ")?;
        }
        write!(f, "{}", self.reason)
    }
}

impl StdError for BadRecord {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        // The reason is a level of its own, although it is printed above: policies match by its type.
        Some(self.reason.as_ref())
    }
}

/// Marks an error as one that a retry may cure: the reader stands before the record, the item is not at fault.
///
/// A transient error is never skipped. Without a retry policy, or when its attempts are used up, it fails the step.
#[derive(Debug)]
pub struct Transient(pub BoxError);

impl fmt::Display for Transient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for Transient {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(self.0.as_ref())
    }
}

/// What a writer returns that wrote all items of a call but some, and knows which: those are skipped, the rest stands.
///
/// For writers outside a transaction (a broker that answers per message), where halves would send twice.
#[derive(Debug)]
pub struct FailedItems(pub Vec<(usize, BoxError)>);

impl fmt::Display for FailedItems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.first() {
            Some((_, first)) => write!(f, "{} items were refused, the first: {first}", self.0.len()),
            None => f.write_str("no item was refused"),
        }
    }
}

impl StdError for FailedItems {}

/// What a writer returns that wrote nothing of a call, since one item was refused, and knows which: a statement that says at which row it
/// stopped.
///
/// That item is left out without being tried again, where it may be skipped, and those before and behind it are written again; else
/// the error names it.
#[derive(Debug)]
pub struct RefusedItem {
    /// Its place among the items of the call.
    pub index: usize,
    /// What is wrong with it.
    pub error: BoxError,
}

impl fmt::Display for RefusedItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl StdError for RefusedItem {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(self.error.as_ref())
    }
}

/// An item's error made from a text: what `Err("..".into())` cannot say more shortly is not needed.
///
/// Carries the column at fault, so that a skip record can name it.
#[derive(Debug)]
pub struct ItemProblem {
    /// The field at fault.
    pub column: &'static str,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for ItemProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.column, self.reason)
    }
}

impl StdError for ItemProblem {}

/// Whether `error` or one of its causes is an `E` for which `test` holds: the way policies match by type.
pub fn caused_by<E: StdError + 'static>(error: &BoxError, test: impl Fn(&E) -> bool) -> bool {
    levels(error).filter_map(|level| level.downcast_ref::<E>()).any(test)
}

/// The outermost `E` among an error and its causes.
pub(crate) fn find<E: StdError + 'static>(error: &BoxError) -> Option<&E> {
    levels(error).find_map(|level| level.downcast_ref::<E>())
}

fn levels(error: &BoxError) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    std::iter::successors(Some(error.as_ref() as &(dyn StdError + 'static)), |level: &&(dyn StdError + 'static)| (*level).source())
}
