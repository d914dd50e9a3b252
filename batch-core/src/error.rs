//! Errors: what components return, and what the framework itself reports.

mod item;

use std::{error::Error as StdError, fmt};

pub(crate) use item::find;
pub use item::{BadRecord, FailedItems, ItemProblem, RefusedItem, Transient, caused_by};

/// What readers, processors, writers, tasklets and listeners return: any error, by `?`.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// A component's result; the framework's own functions name [`Error`] instead.
pub type Result<T, E = BoxError> = std::result::Result<T, E>;

/// What went wrong, as far as a caller can act on it.
///
/// Each kind has one exit code, the same in every program built on the framework: see [`ErrorKind::exit_code`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A component failed, or a limit was reached: the execution is FAILED and restartable.
    Failed,
    /// The job, its parameters or its surroundings are wrong: nothing was started.
    Configuration,
    /// Another execution of the instance is active, and its owner may be alive.
    AlreadyRunning,
    /// The execution was taken over by another process while this one ran it.
    NotOwner,
    /// The instance is complete.
    AlreadyComplete,
    /// No job, instance or execution of that name or number is known.
    NotFound,
    /// Going on could lose or repeat data; an operator decides (changed input, damaged checkpoint, abandoned execution).
    NeedsOperator,
    /// The repository cannot be reached, or not written to.
    Unavailable,
}

impl ErrorKind {
    /// The process exit code that operators see: 1, 2, 4, 5, 6 or 7.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::Configuration | Self::NotFound => 2,
            Self::AlreadyRunning | Self::NotOwner => 4,
            Self::AlreadyComplete => 5,
            Self::NeedsOperator => 6,
            Self::Unavailable => 7,
        }
    }
}

/// The framework's error: a kind, whether a retry may help, what was being done, where, and the cause.
///
/// `Display` prints its own level; the causes follow by [`std::error::Error::source`], and [`Error::report`] joins them.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    transient: bool,
    message: String,
    context: Vec<(&'static str, String)>,
    source: Option<BoxError>,
}

impl Error {
    /// An error of `kind`; `message` is lower case, without a full stop, and says what to do where that is known.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, transient: false, message: message.into(), context: Vec::new(), source: None }))
    }

    /// Adds where it happened: job, step, item, line, file.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl fmt::Display) -> Self {
        self.0.context.push((key, value.to_string()));
        self
    }

    /// Sets the cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<BoxError>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Says that the same call may succeed later.
    #[must_use]
    pub fn transient(mut self) -> Self {
        self.0.transient = true;
        self
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        self.0.transient
    }

    /// Where it happened, in the order it was added.
    pub fn context(&self) -> &[(&'static str, String)] {
        &self.0.context
    }

    /// This error and its causes on one line, joined by `: `; a cause that only repeats the level above is left out.
    pub fn report(&self) -> String {
        chain(self)
    }
}

/// An error and its causes on one line. A cause that says the same as a level above, in fewer words or more, is left out: many
/// libraries print their cause themselves, and some wrap it in words of their own.
pub(crate) fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut above = text.clone();
    let mut next = error.source();
    while let Some(cause) = next {
        let level = cause.to_string();
        if !text.contains(&level) && !level.contains(&above) {
            text.push_str(": ");
            text.push_str(&level);
            above = level;
        }
        next = cause.source();
    }
    text
}

/// A caught panic; no policy retries it, whatever errors it names.
#[derive(Debug)]
pub(crate) struct Panicked(String);

impl fmt::Display for Panicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for Panicked {}

/// The error of a caught panic: who panicked, and what it said.
pub(crate) fn panicked(who: &str, payload: &(dyn std::any::Any + Send)) -> BoxError {
    let said = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    Panicked(format!("{who} panicked: {}", said.unwrap_or("without a message"))).into()
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        for (i, (key, value)) in self.0.context.iter().enumerate() {
            write!(f, "{}{key} {value}", if i == 0 { " (" } else { ", " })?;
        }
        if self.0.context.is_empty() { Ok(()) } else { f.write_str(")") }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.0.kind, self.report())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|e| e as _)
    }
}
