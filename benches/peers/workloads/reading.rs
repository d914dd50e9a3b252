//! The first so many items of another reader.

use batch_core::{Reader, Result};

pub struct First<R> {
    pub reader: R,
    pub left: u64,
}

impl<R: Reader> Reader for First<R> {
    type Item = R::Item;
    type Position = (R::Position, u64);

    async fn open(&mut self, resume: Option<Self::Position>) -> Result<()> {
        let (position, left) = resume.unzip();
        self.left = left.unwrap_or(self.left);
        self.reader.open(position).await
    }

    async fn read(&mut self) -> Result<Option<R::Item>> {
        if self.left == 0 {
            return Ok(None);
        }
        let item = self.reader.read().await?;
        self.left -= 1;
        Ok(item)
    }

    async fn read_chunk(&mut self, max: usize, into: &mut Vec<R::Item>) -> Result<bool> {
        let (before, left) = (into.len(), usize::try_from(self.left)?);
        let more = self.reader.read_chunk(max.min(before + left), into).await;
        self.left -= (into.len() - before) as u64;
        Ok(more? && self.left > 0)
    }

    fn position(&self) -> Self::Position {
        (self.reader.position(), self.left)
    }

    fn take_lines(&mut self, lines: &mut Vec<u64>) {
        self.reader.take_lines(lines);
    }
}
