//! Parts of a chunk whose items keep their idempotency keys.

use crate::item::{Chunk, Numbers};

/// The numbers of a chunk's items, so that some of them can be handed on as a chunk of their own.
pub(super) struct Keys<'a> {
    origin: &'a str,
    numbers: Vec<u64>,
}

impl<'a> Keys<'a> {
    pub(super) fn of<T>(chunk: Chunk<'a, T>) -> Self {
        let origin = chunk.number(0).0;
        Self { origin, numbers: (0..chunk.len()).map(|i| chunk.number(i).1).collect() }
    }

    /// What the items at `indexes` are numbered by; `indexes` grow.
    pub(super) fn at(&self, indexes: &[usize]) -> Part<'a> {
        let numbers = || indexes.iter().filter_map(|i| self.numbers.get(*i));
        let first = numbers().next().copied().unwrap_or_default();
        let offsets = numbers().map(|n| u32::try_from(n - first).unwrap_or(u32::MAX)).collect();
        Part { origin: self.origin, first, offsets }
    }
}

pub(super) struct Part<'a> {
    origin: &'a str,
    first: u64,
    offsets: Vec<u32>,
}

impl Part<'_> {
    pub(super) fn chunk<'a, T>(&'a self, items: &'a [T]) -> Chunk<'a, T> {
        Chunk::new(items, Numbers::Listed(self.first, &self.offsets), self.origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_keep_the_keys() {
        let chunk = Chunk::new(&['a', 'b', 'c', 'd'], Numbers::Listed(7, &[0, 2, 3, 9]), "12/load/0");
        let keys = Keys::of(chunk);
        let part = keys.at(&[1, 3]);
        let found: Vec<_> = part.chunk(&['b', 'd']).keyed().collect();
        assert_eq!(found, [("12/load/0/9".to_owned(), &'b'), ("12/load/0/16".to_owned(), &'d')]);
    }
}
