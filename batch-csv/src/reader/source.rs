//! The bytes of a file, window by window, with the offset of each in the file as it is stored.

use super::{
    utf16,
    window::{Window, incomplete},
};
use std::{fs::File, io, os::unix::fs::FileExt, sync::Arc};

/// Bytes read at once: large enough that the system calls do not show, small enough to stay in the second-level cache.
const WINDOW: usize = 128 * 1024;

/// Bytes read first: a header takes no more, and neither does the first record after a restart.
const FIRST: usize = 8 * 1024;

/// How the bytes of a file become bytes that the CSV automaton can split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As they are, and are to be UTF-8.
    Utf8,
    /// As they are, in an encoding in which commas, quotes and line ends are ASCII and nothing else.
    Bytes,
    /// UTF-16, transcoded.
    Utf16 { big_endian: bool },
}

/// A file from some byte on.
///
/// Reads by position, so that several sources can share one file, and up to the length the file had when it was opened.
pub(super) struct Source {
    file: Arc<File>,
    form: Form,
    length: u64,
    window: Window,
    /// Bytes of the next window.
    size: usize,
    raw: Vec<u8>,
    consumed: usize,
    next: u64,
    offset: u64,
    seen: u64,
}

impl Source {
    pub(super) fn new(file: Arc<File>, form: Form, length: u64, offset: u64) -> Self {
        let window = Window::Bytes(Vec::new());
        Self { file, form, length, window, size: FIRST, raw: Vec::new(), consumed: 0, next: offset, offset, seen: 0 }
    }

    /// Another source of the same file, from `offset` on.
    pub(super) fn at(&self, offset: u64) -> Self {
        Self::new(Arc::clone(&self.file), self.form, self.length, offset)
    }

    /// Offset of the next byte of the window in the file.
    #[inline]
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Bytes that an ASCII character takes in the file.
    #[inline]
    pub(super) fn unit(&self) -> u64 {
        match self.form {
            Form::Utf8 | Form::Bytes => 1,
            Form::Utf16 { .. } => 2,
        }
    }

    /// What was read and not yet consumed.
    #[inline]
    pub(super) fn window(&self) -> &[u8] {
        self.window.bytes().get(self.consumed..).unwrap_or_default()
    }

    /// Makes the window non-empty; `false` at the end of the file.
    pub(super) fn fill(&mut self) -> io::Result<bool> {
        if self.consumed < self.window.bytes().len() {
            return Ok(true);
        }
        let left = self.length - self.next;
        let want = usize::try_from(left).unwrap_or(WINDOW).min(self.size);
        self.size = WINDOW;
        self.consumed = 0;
        match self.form {
            Form::Utf8 | Form::Bytes => self.fill_bytes(want, want as u64 == left)?,
            Form::Utf16 { big_endian } => self.fill_utf16(want, big_endian, want as u64 == left)?,
        }
        Ok(!self.window.bytes().is_empty())
    }

    /// `count` bytes that were stepped over since the window was filled, from `back` bytes before it.
    #[inline]
    pub(super) fn passed(&self, back: usize, count: usize) -> &[u8] {
        let passed = self.consumed.checked_sub(back).and_then(|start| self.window.bytes().get(start..start + count));
        passed.unwrap_or_default()
    }

    /// The same as text, where the window is text.
    #[inline]
    pub(super) fn passed_text(&self, back: usize, count: usize) -> Option<&str> {
        let start = self.consumed.checked_sub(back)?;
        self.window.text()?.get(start..start + count)
    }

    /// Steps over the first `count` bytes of the window.
    #[inline]
    pub(super) fn consume(&mut self, count: usize) {
        let passed = match self.form {
            Form::Utf8 | Form::Bytes => count as u64,
            Form::Utf16 { .. } => utf16::raw_len(self.window().get(..count).unwrap_or_default()),
        };
        self.offset = (self.offset + passed).min(self.length);
        self.consumed += count;
        self.seen += count as u64;
    }

    /// Bytes of windows that were stepped over, of whatever length they are in the file.
    #[inline]
    pub(super) fn seen(&self) -> u64 {
        self.seen
    }

    /// The first `max` bytes at most of what stands at `offset`, as they are in the file.
    pub(super) fn peek_raw(&self, offset: u64, max: usize) -> io::Result<Vec<u8>> {
        let left = usize::try_from(self.length.saturating_sub(offset)).unwrap_or(max);
        let mut raw = vec![0; left.min(max)];
        self.file.read_exact_at(&mut raw, offset)?;
        Ok(raw)
    }

    /// After a failed read the window is empty, so that another try reads the same bytes.
    fn fill_bytes(&mut self, want: usize, last: bool) -> io::Result<()> {
        let mut bytes = self.window.take();
        bytes.resize(want, 0);
        self.file.read_exact_at(&mut bytes, self.next)?;
        if self.form == Form::Utf8 && !last {
            bytes.truncate(want - incomplete(&bytes));
        }
        self.next += bytes.len() as u64;
        self.window = if self.form == Form::Utf8 { Window::new(bytes) } else { Window::ascii(bytes) };
        Ok(())
    }

    fn fill_utf16(&mut self, want: usize, big_endian: bool, last: bool) -> io::Result<()> {
        let mut bytes = self.window.take();
        bytes.clear();
        self.raw.resize(want, 0);
        self.file.read_exact_at(&mut self.raw, self.next)?;
        self.next += utf16::transcode(&self.raw, big_endian, last, &mut bytes) as u64;
        self.window = Window::new(bytes);
        Ok(())
    }
}
