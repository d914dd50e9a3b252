//! What was written since the last flush.

/// Records in memory, with the end of each, so that any number of them can be taken back.
#[derive(Debug, Default)]
pub(super) struct Pending {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Pending {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn items(&self) -> usize {
        self.ends.len()
    }

    /// Where the next record goes; it counts once [`Self::accept`] is called.
    pub(super) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    pub(super) fn accept(&mut self) {
        self.ends.push(self.bytes.len());
    }

    /// Keeps the first `items`, and forgets what was begun behind them.
    pub(super) fn keep(&mut self, items: usize) {
        self.ends.truncate(items);
        self.bytes.truncate(self.ends.last().copied().unwrap_or(0));
    }
}
