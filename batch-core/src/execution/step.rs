//! One try of a step, its checkpoint and its skip records.

use super::{BatchStatus, Context, Counts, ExitStatus};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{fmt, str::FromStr};

/// One try of a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepExecution {
    /// The repository's number for it.
    pub id: i64,
    /// The job execution that it belongs to.
    pub execution_id: i64,
    /// The step's name, unique within its job.
    pub name: String,
    /// Where it stands.
    pub status: BatchStatus,
    /// How it ended.
    pub exit_status: ExitStatus,
    /// Which start of the step this is, over all tries of the instance, from 1.
    pub start_no: u32,
    /// Grows when somebody else takes the step over; a commit names the epoch that it believes in.
    pub epoch: i64,
    /// Commits of the step over all tries of the instance.
    pub commit_no: i64,
    /// What this try did.
    pub counts: Counts,
    /// Where the next chunk goes on.
    pub checkpoint: Checkpoint,
    /// The user's own saved data.
    pub context: Context,
    /// When it began.
    pub started: DateTime<Utc>,
    /// When it ended.
    pub ended: Option<DateTime<Utc>>,
    /// When its row last changed.
    pub last_updated: DateTime<Utc>,
}

/// The engine's saved positions, written with each chunk's rows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// Version of this layout.
    #[serde(rename = "v")]
    pub version: u32,
    /// Records consumed since the instance began.
    pub read: u64,
    /// The reader's position; null where it cannot seek.
    pub reader: Value,
    /// What the writer's last flush returned.
    pub writer: Value,
}

impl Checkpoint {
    /// The layout written today; a newer one is refused.
    pub const VERSION: u32 = 1;

    /// Whether nothing was ever committed.
    pub fn is_start(&self) -> bool {
        *self == Self::default()
    }

    /// The stored form.
    pub fn encode(&self) -> String {
        serde_json::json!(self).to_string()
    }

    /// Reads the stored form back.
    ///
    /// # Errors
    /// Damaged text or a newer version, with what was found: a restart must not begin at 0 silently.
    pub fn decode(text: &str) -> Result<Self, String> {
        let found: Self = serde_json::from_str(text)
            .map_err(|e| format!("the checkpoint cannot be read ({e}): {}", text.chars().take(120).collect::<String>()))?;
        match found.version {
            0 if found != Self::default() => Err("the checkpoint has no version".to_owned()),
            v if v > Self::VERSION => Err(format!("the checkpoint has version {v}, this program knows {}", Self::VERSION)),
            _ => Ok(found),
        }
    }
}

/// In which phase an item failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Phase {
    /// The record could not be turned into an item.
    Read,
    /// The processor refused the item.
    Process,
    /// The writer, or the database behind it, refused the item.
    Write,
}

impl Phase {
    /// The word stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "READ",
            Self::Process => "PROCESS",
            Self::Write => "WRITE",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Phase {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        [Self::Read, Self::Process, Self::Write]
            .into_iter()
            .find(|p| p.as_str() == word)
            .ok_or_else(|| format!("`{word}` is not a phase"))
    }
}

/// An item left out, saved in the transaction of the chunk that left it out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkipRecord {
    /// Where it failed.
    pub phase: Phase,
    /// Number of the record since the instance began, from 0.
    pub number: u64,
    /// Line on which the record begins, where the reader knows lines.
    pub line: Option<u64>,
    /// Byte offset of the record, where the reader knows it.
    pub byte: Option<u64>,
    /// The field at fault.
    pub column: Option<String>,
    /// Why, with its causes.
    pub reason: String,
    /// The raw record, or the item as JSON where the step keeps dead letters.
    pub item: Option<String>,
}
