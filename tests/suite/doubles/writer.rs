//! A writer into a list and, where the backend has one, a table.

use super::script::Script;
use crate::backends::Backend;
use batch_core::{Chunk, Phase, Result, Undo, Writer};
use serde_json::Value;
use std::{marker::PhantomData, sync::Arc, time::Duration};
use tokio::sync::Notify;

/// Writes each chunk to the play's list and to the backend's table, as far as the first value that fails.
///
/// Values before it are left behind on purpose: the engine must undo them.
pub(crate) struct SpyWriter<B> {
    pub(super) script: Script,
    pub(super) pending: Vec<i64>,
    pub(super) takes: Duration,
    pub(super) undo: Undo,
    pub(super) fails_to_open: bool,
    pub(super) breaks: &'static str,
    pub(super) hangs_at: Option<(i64, Arc<Notify>)>,
    pub(super) backend: PhantomData<fn(B)>,
}

impl<B> SpyWriter<B> {
    /// Makes each write call wait so long, on a clock that stands still.
    pub(crate) fn takes(mut self, time: Duration) -> Self {
        self.takes = time;
        self
    }

    pub(crate) fn fails_to_open(mut self) -> Self {
        self.fails_to_open = true;
        self
    }

    /// Asks the script in `call` as well, for the write of -1.
    pub(crate) fn breaks_in(mut self, call: &'static str) -> Self {
        self.breaks = call;
        self
    }

    fn enter(&self, call: &str) -> Result<()> {
        if self.breaks == call { self.script.meet(Phase::Write, -1) } else { Ok(()) }
    }

    /// Says that it is there, and never goes on.
    pub(crate) fn hangs_at(mut self, value: i64, reached: &Arc<Notify>) -> Self {
        self.hangs_at = Some((value, reached.clone()));
        self
    }

    /// Says what undoes a write; by itself the writer rewinds.
    pub(crate) fn undone_by(mut self, undo: Undo) -> Self {
        self.undo = undo;
        self
    }
}

impl<B: Backend> Writer<i64, B::Conn> for SpyWriter<B> {
    async fn write(&mut self, conn: &mut B::Conn, items: Chunk<'_, i64>) -> Result<()> {
        self.script.seen(|seen| {
            seen.writes.push(items.to_vec());
            seen.unconfirmed = None;
        });
        if B::WAITS {
            tokio::task::yield_now().await;
        }
        if !self.takes.is_zero() {
            tokio::time::sleep(self.takes).await;
        }
        for (index, value) in items.iter().enumerate() {
            if let Err(error) = self.script.meet(Phase::Write, *value) {
                B::insert(conn, &items[..index]).await?;
                return Err(error);
            }
            self.pending.push(*value);
        }
        if let Some((value, reached)) = self.hangs_at.as_ref().filter(|(value, _)| items.contains(value)) {
            B::insert(conn, &[*value]).await?;
            reached.notify_one();
            std::future::pending::<()>().await;
        }
        B::insert(conn, items.items()).await
    }

    async fn open(&mut self, saved: Option<Value>) -> Result<()> {
        self.enter("open")?;
        let saved: Option<u64> = saved.filter(|s| !s.is_null()).map(serde_json::from_value).transpose()?;
        self.script.seen(|seen| {
            seen.writer_opens.push(saved);
            if let Some(length) = saved.map(|s| usize::try_from(s).unwrap_or(usize::MAX)).or(seen.unconfirmed) {
                seen.list.truncate(length);
            }
            seen.unconfirmed = None;
        });
        self.pending.clear();
        if self.fails_to_open { Err("the writer is out of order".into()) } else { Ok(()) }
    }

    fn rollback_to(&mut self, items: usize) {
        self.pending.truncate(items);
    }

    async fn flush(&mut self) -> Result<Value> {
        self.enter("flush")?;
        Ok(self.script.seen(|seen| {
            seen.unconfirmed = Some(seen.list.len());
            seen.list.append(&mut self.pending);
            seen.list.len().into()
        }))
    }

    async fn finish(&mut self) -> Result<()> {
        self.enter("finish")?;
        self.script.seen(|seen| {
            seen.unconfirmed = None;
            seen.finishes += 1;
        });
        Ok(())
    }

    async fn close(&mut self) -> Result<()> {
        self.script.seen(|seen| {
            // A flush whose commit failed would have been taken back by another `open` before.
            seen.unconfirmed = None;
            seen.writer_closes += 1;
        });
        self.enter("close")
    }

    fn undo(&self) -> Undo {
        self.undo
    }
}
