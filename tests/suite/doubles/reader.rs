//! A reader of 0, 1, 2 and so on.

use super::script::Script;
use batch_core::{BadRecord, Phase, Reader, Result};
use std::time::Duration;

/// Reads the values 0..n; each is a line of the input, after one line of headings, of ten bytes.
pub(crate) struct SpyReader {
    pub(super) script: Script,
    pub(super) values: i64,
    pub(super) next: i64,
    pub(super) takes: Duration,
    pub(super) fails_to_open: bool,
    pub(super) lines: Vec<u64>,
}

impl SpyReader {
    /// Makes each read wait so long, on a clock that stands still.
    pub(crate) fn takes(mut self, time: Duration) -> Self {
        self.takes = time;
        self
    }

    pub(crate) fn fails_to_open(mut self) -> Self {
        self.fails_to_open = true;
        self
    }
}

impl Reader for SpyReader {
    type Item = i64;
    type Position = u64;

    async fn open(&mut self, resume: Option<u64>) -> Result<()> {
        self.script.seen(|seen| seen.reader_opens.push(resume));
        if self.fails_to_open {
            return Err("the reader is out of order".into());
        }
        self.next = i64::try_from(resume.unwrap_or(0))?;
        Ok(())
    }

    async fn read(&mut self) -> Result<Option<i64>> {
        self.script.seen(|seen| seen.read_calls += 1);
        if !self.takes.is_zero() {
            tokio::time::sleep(self.takes).await;
        }
        if self.next >= self.values {
            return Ok(None);
        }
        let value = self.next;
        let met = self.script.meet(Phase::Read, value);
        if met.as_ref().map_or_else(|e| e.is::<BadRecord>(), |()| true) {
            self.next += 1;
        }
        met?;
        self.lines.push(value.unsigned_abs() + 2);
        Ok(Some(value))
    }

    fn position(&self) -> u64 {
        self.next.unsigned_abs()
    }

    fn bytes(&self) -> u64 {
        self.next.unsigned_abs() * 10
    }

    fn take_lines(&mut self, lines: &mut Vec<u64>) {
        lines.clear();
        lines.append(&mut self.lines);
    }

    async fn close(&mut self) -> Result<()> {
        self.script.seen(|seen| seen.reader_closes += 1);
        Ok(())
    }
}

/// The same without a position: a restart reads and drops.
pub(crate) struct Unseekable(pub(crate) SpyReader);

impl Reader for Unseekable {
    type Item = i64;
    type Position = ();

    async fn open(&mut self, resume: Option<()>) -> Result<()> {
        assert!(resume.is_none(), "a reader without positions is never given one");
        self.0.open(None).await
    }

    async fn read(&mut self) -> Result<Option<i64>> {
        self.0.read().await
    }

    fn position(&self) {}

    async fn close(&mut self) -> Result<()> {
        self.0.close().await
    }
}
