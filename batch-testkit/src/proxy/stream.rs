//! Whole messages, in and out. What is begun here and dropped is gone on with by the next call: nothing is lost between.

use std::{
    collections::VecDeque,
    io::{ErrorKind, Result},
};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Reads whole messages.
#[derive(Debug)]
pub(super) struct Inbox<R> {
    stream: R,
    bytes: Vec<u8>,
}

impl<R: AsyncRead + Unpin> Inbox<R> {
    pub(super) fn new(stream: R) -> Self {
        Self { stream, bytes: Vec::new() }
    }

    /// The next message, whose length `measure` knows. An end in its middle is an end.
    pub(super) async fn message(&mut self, measure: impl Fn(&[u8]) -> Option<usize>) -> Result<Vec<u8>> {
        loop {
            if let Some(length) = measure(&self.bytes)
                && length <= self.bytes.len()
            {
                return Ok(self.bytes.drain(..length).collect());
            }
            if self.stream.read_buf(&mut self.bytes).await? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

/// Writes what was put into it.
#[derive(Debug)]
pub(super) struct Outbox<W> {
    stream: W,
    bytes: VecDeque<u8>,
}

impl<W: AsyncWrite + Unpin> Outbox<W> {
    pub(super) fn new(stream: W) -> Self {
        Self { stream, bytes: VecDeque::new() }
    }

    pub(super) fn put(&mut self, message: &[u8]) {
        self.bytes.extend(message);
    }

    pub(super) async fn send(&mut self, message: &[u8]) -> Result<()> {
        self.put(message);
        self.flush().await
    }

    pub(super) async fn flush(&mut self) -> Result<()> {
        while !self.bytes.is_empty() {
            self.stream.write_buf(&mut self.bytes).await?;
        }
        Ok(())
    }
}
