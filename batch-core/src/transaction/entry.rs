//! A step's last commit, as its ledger keeps it.

use crate::{
    error::{Error, ErrorKind},
    execution::{Checkpoint, Context, Counts, SkipRecord},
    repository::Commit,
};
use serde::{Deserialize, Serialize};

/// The whole of a step's last commit: what the repository gets of it, and what a restart goes on from where the repository did not
/// get it any more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerEntry {
    /// Version of this layout.
    #[serde(rename = "v")]
    pub version: u32,
    /// The step's commits with this one, over all tries of the instance: the number that its row in the repository gets.
    pub commit_no: i64,
    /// What this chunk added. Not the step execution's counts: the try that copies the entry may be a later one, which begins at 0.
    pub added: Counts,
    /// Where the next chunk goes on.
    pub checkpoint: Checkpoint,
    /// The step's context, where this chunk changed it.
    pub context: Option<Context>,
    /// Items left out of this chunk.
    pub skips: Vec<SkipRecord>,
}

impl LedgerEntry {
    /// The layout written today; a newer one is refused.
    pub const VERSION: u32 = 1;

    /// What `commit` leaves in the ledger.
    pub fn of(commit: &Commit) -> Self {
        Self {
            version: Self::VERSION,
            commit_no: commit.guard.commit_no + 1,
            added: commit.added,
            checkpoint: commit.checkpoint.clone(),
            context: commit.context.clone(),
            skips: commit.skips.clone(),
        }
    }

    /// The stored form.
    pub fn encode(&self) -> String {
        serde_json::json!(self).to_string()
    }

    /// Reads the stored form back.
    ///
    /// # Errors
    /// Kind `NeedsOperator` for damaged text or a newer version: to begin anew could repeat rows.
    pub fn decode(text: &str) -> Result<Self, Error> {
        let refused = |why: String| Error::new(ErrorKind::NeedsOperator, format!("the ledger's entry cannot be read: {why}"));
        let found: Self = serde_json::from_str(text).map_err(|e| refused(e.to_string()))?;
        if found.version > Self::VERSION {
            return Err(refused(format!("it has version {}, this program knows {}", found.version, Self::VERSION)));
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::LedgerEntry;
    use crate::{
        error::ErrorKind,
        execution::{Checkpoint, Context, Counts, Phase, SkipRecord},
    };
    use serde_json::json;

    fn entry() -> LedgerEntry {
        let skip = SkipRecord {
            phase: Phase::Write,
            number: 7,
            line: Some(9),
            byte: None,
            column: None,
            reason: "a\0b".to_owned(),
            item: Some("{}".to_owned()),
        };
        let mut context = Context::default();
        context.set("seen", 3).unwrap();
        LedgerEntry {
            version: LedgerEntry::VERSION,
            commit_no: 4,
            added: Counts { read: 3, written: 2, write_skips: 1, commits: 1, ..Counts::default() },
            checkpoint: Checkpoint { version: Checkpoint::VERSION, read: 12, reader: json!({"byte": 9}), writer: json!([1, null]) },
            context: Some(context),
            skips: vec![skip],
        }
    }

    #[test]
    fn an_entry_comes_back_whole() {
        assert_eq!(LedgerEntry::decode(&entry().encode()).unwrap(), entry());
    }

    #[test]
    fn a_newer_entry_and_a_damaged_one_need_an_operator() {
        let newer = LedgerEntry { version: LedgerEntry::VERSION + 1, ..entry() }.encode();
        for text in [newer.as_str(), &entry().encode()[1..], "{}"] {
            assert_eq!(LedgerEntry::decode(text).unwrap_err().kind(), ErrorKind::NeedsOperator, "{text}");
        }
    }
}
