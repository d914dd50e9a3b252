//! The log of a unit-of-work step: what became of each of its units.

use super::ExitStatus;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// What became of a unit the last time it was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum UnitStatus {
    /// An attempt began and nobody recorded its end: it runs, or its process died. The next try runs it again.
    #[serde(rename = "IN_PROGRESS")]
    InProgress,
    /// Its transaction committed; only a run by hand repeats it.
    #[serde(rename = "SUCCESS")]
    Success,
    /// Its last attempt was rolled back; the next try runs it again.
    #[serde(rename = "FAIL")]
    Fail,
}

impl UnitStatus {
    /// The word stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "IN_PROGRESS",
            Self::Success => "SUCCESS",
            Self::Fail => "FAIL",
        }
    }
}

impl fmt::Display for UnitStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for UnitStatus {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        [Self::InProgress, Self::Success, Self::Fail]
            .into_iter()
            .find(|s| s.as_str() == word)
            .ok_or_else(|| format!("`{word}` is not a unit's status"))
    }
}

/// A unit of a step, over all tries of the instance: one row for each instance, step name and key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitRecord {
    /// The key as compact JSON; at most [`Self::KEY_LIMIT`] characters.
    pub key: String,
    /// What became of the last attempt.
    pub status: UnitStatus,
    /// Attempts begun, over all tries; one that found its named lock held did not begin.
    pub attempts: u32,
    /// With FAIL: why, with its causes; no NUL, at most [`ExitStatus::MESSAGE_LIMIT`] characters.
    pub error: Option<String>,
    /// The step execution that tried it last.
    pub step: i64,
    /// When the last attempt began.
    pub started: DateTime<Utc>,
    /// When it ended; none while IN_PROGRESS.
    pub ended: Option<DateTime<Utc>>,
}

impl UnitRecord {
    /// Characters that a key may have as JSON; a longer one is refused, since a shortened one could be another unit's. So many fit
    /// into an index of every database.
    pub const KEY_LIMIT: usize = 500;

    /// The record of a unit whose transaction commits at `at`.
    #[must_use]
    pub fn succeeded(self, at: DateTime<Utc>) -> Self {
        Self { status: UnitStatus::Success, error: None, ended: Some(at), ..self }
    }

    /// The record of a unit that was given up at `at`.
    #[must_use]
    pub fn failed(self, error: String, at: DateTime<Utc>) -> Self {
        Self { status: UnitStatus::Fail, error: Some(error), ended: Some(at), ..self }.stored()
    }

    /// The record as it is stored: its error without NUL, cut to its limit.
    #[must_use]
    pub fn stored(self) -> Self {
        Self { error: self.error.map(|error| ExitStatus::new("", &error).message), ..self }
    }
}

/// How many units of a step have which status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitCounts {
    /// Units that run, or were running when their process died.
    pub in_progress: u64,
    /// Units that are done.
    pub success: u64,
    /// Units that failed.
    pub fail: u64,
}

impl UnitCounts {
    /// Counts `units` more of that status.
    pub fn add(&mut self, status: UnitStatus, units: u64) {
        match status {
            UnitStatus::InProgress => self.in_progress += units,
            UnitStatus::Success => self.success += units,
            UnitStatus::Fail => self.fail += units,
        }
    }
}
