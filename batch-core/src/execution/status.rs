//! Where an execution stands, and how it ended.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Where an execution stands; Spring Batch's words, without UNKNOWN: an outcome is always resolved or refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum BatchStatus {
    /// Recorded, nothing has run yet.
    Starting,
    /// Running.
    Started,
    /// A stop was asked for; the current chunk is being ended.
    Stopping,
    /// Ended on request; restartable.
    Stopped,
    /// Ended with all its work done.
    Completed,
    /// Ended by an error, or its process died; restartable.
    Failed,
    /// Given up by an operator; never restarted.
    Abandoned,
}

impl BatchStatus {
    /// The word stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "STARTING",
            Self::Started => "STARTED",
            Self::Stopping => "STOPPING",
            Self::Stopped => "STOPPED",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
            Self::Abandoned => "ABANDONED",
        }
    }

    /// Whether the execution has not ended.
    pub fn is_active(self) -> bool {
        matches!(self, Self::Starting | Self::Started | Self::Stopping)
    }
}

impl fmt::Display for BatchStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for BatchStatus {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        [Self::Starting, Self::Started, Self::Stopping, Self::Stopped, Self::Completed, Self::Failed, Self::Abandoned]
            .into_iter()
            .find(|s| s.as_str() == word)
            .ok_or_else(|| format!("`{word}` is not a batch status"))
    }
}

/// How an execution ended: a code that flows and operators match, and a description.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExitStatus {
    /// COMPLETED, FAILED, STOPPED, or a word of the user's.
    pub code: String,
    /// What a person needs to know: the error with its causes, or where the execution stopped. At most 2,500 characters, no NUL.
    pub message: String,
}

impl ExitStatus {
    /// Characters kept of a message; Spring Batch's columns have the same width.
    pub const MESSAGE_LIMIT: usize = 2_500;

    /// An exit status with a message; NUL characters are dropped and the rest is cut to [`Self::MESSAGE_LIMIT`].
    pub fn new(code: impl Into<String>, message: &str) -> Self {
        let message = message.chars().filter(|c| *c != '\0').take(Self::MESSAGE_LIMIT).collect();
        Self { code: code.into(), message }
    }
}

impl From<BatchStatus> for ExitStatus {
    fn from(status: BatchStatus) -> Self {
        Self::new(status.as_str(), "")
    }
}
