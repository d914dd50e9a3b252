//! Waiting for the write lock: of this handle, and of the file.

use crate::error::{Class, class};
use parking_lot::Mutex;
use sqlx::{Executor, SqliteConnection, raw_sql};
use std::time::{Duration, Instant};

/// Between two tries for the file's lock. SQLite's own busy handler sleeps up to 100 ms and so never meets a short gap.
const POLL: Duration = Duration::from_millis(1);
/// How long chunks may follow each other without a gap.
const STRETCH: Duration = Duration::from_millis(200);
/// Long enough for others that poll every millisecond.
const GAP: Duration = Duration::from_millis(4);

/// Runs `sql`, which begins with a statement that needs the file's lock, again and again for at most `limit`.
pub(crate) async fn poll(conn: &mut SqliteConnection, sql: &'static str, limit: Duration) -> Result<(), sqlx::Error> {
    let begun = Instant::now();
    loop {
        match conn.execute(raw_sql(sql)).await {
            Err(e) if class(&e) == Class::Busy && begun.elapsed() < limit => tokio::time::sleep(POLL).await,
            Err(e) => return Err(e),
            Ok(_) => return Ok(()),
        }
    }
}

/// Sees to it that chunk transactions leave others a gap.
#[derive(Debug)]
pub(crate) struct Pace(Mutex<(Instant, Instant)>);

impl Pace {
    pub(crate) fn new() -> Self {
        let now = Instant::now();
        Self(Mutex::new((now, now)))
    }

    /// Called before each transaction: waits where too many followed each other closely.
    pub(crate) async fn gap(&self) {
        if self.is_due() {
            tokio::time::sleep(GAP).await;
            self.0.lock().0 = Instant::now();
        }
    }

    fn is_due(&self) -> bool {
        let mut times = self.0.lock();
        let (last_gap, ended) = *times;
        if ended.elapsed() >= GAP {
            times.0 = Instant::now();
        }
        ended.elapsed() < GAP && last_gap.elapsed() >= STRETCH
    }

    /// Called after each transaction.
    pub(crate) fn ended(&self) {
        self.0.lock().1 = Instant::now();
    }
}
