//! What a repository in a file says of rows that are on a server.

use super::worker::ROWS;
use crate::audit::copied;
use sqlx::SqliteConnection;
use std::path::Path;

/// Counts over all tries of the step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, sqlx::FromRow)]
pub(super) struct Progress {
    consumed: i64,
    written: i64,
    filtered: i64,
    skipped: i64,
    /// Records of skips.
    kept: i64,
    active: i64,
    completed: i64,
    leases: i64,
}

const PROGRESS: &str = "SELECT coalesce(sum(read_count), 0) AS consumed, coalesce(sum(write_count), 0) AS written,
    coalesce(sum(filter_count), 0) AS filtered, coalesce(sum(process_skip_count + write_skip_count), 0) AS skipped,
    (SELECT count(*) FROM batch_skip) AS kept, (SELECT count(*) FROM batch_lease) AS leases,
    (SELECT count(*) FROM batch_execution WHERE active_key IS NOT NULL) AS active,
    (SELECT count(*) FROM batch_execution WHERE status = 'COMPLETED') AS completed FROM batch_step";

impl Progress {
    /// The repository's file in a story's folder.
    pub(super) const FILE: &str = "progress.db";

    /// As a run finds it that begins now; nothing where none has come to making it.
    pub(super) fn read(folder: &Path) -> Self {
        copied(&folder.join(Self::FILE), read)
    }

    /// That of a complete job, whose table has `rows`.
    pub(super) fn complete(rows: i64) -> Self {
        let filtered = (0..ROWS).filter(|n| n % 11 == 10).count() as i64;
        let skipped = ROWS - filtered - rows;
        Self { consumed: ROWS, written: rows, filtered, skipped, kept: skipped, active: 0, completed: 1, leases: 0 }
    }

    /// What holds at every moment: it follows the `rows` of the table by at most one commit, and adds up.
    pub(super) fn check(&self, rows: i64, chunk: usize) {
        let ahead = rows - self.written;
        assert!((0..=chunk as i64).contains(&ahead), "{rows} rows in the table, more than one commit from {self:?}");
        assert_eq!(self.consumed, self.written + self.filtered + self.skipped, "{self:?}");
        assert_eq!(self.kept, self.skipped, "a record for each skip: {self:?}");
        assert!(self.active <= 1, "{self:?}");
    }
}

async fn read(conn: &mut SqliteConnection) -> Result<Progress, sqlx::Error> {
    let known = sqlx::query("SELECT 1 FROM sqlite_schema WHERE name = 'batch_skip'").fetch_optional(&mut *conn).await?;
    match known {
        Some(_) => sqlx::query_as(PROGRESS).fetch_one(conn).await,
        None => Ok(Progress::default()),
    }
}
