//! Statements for blocks of 2^k rows: few different texts, so that each stays prepared on its connection.

use std::sync::Arc;

/// How long the statements of a database may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Placeholders in one statement at most.
    pub(super) values: usize,
    /// Rows at most.
    pub(super) rows: usize,
    /// Rows at most in a statement that is not for one length of chunk alone.
    pub(super) block: usize,
}

impl Limits {
    /// How many rows of so many placeholders fit in one statement.
    pub(super) fn most(&self, values: usize) -> usize {
        (self.values / values.max(1)).clamp(1, self.rows)
    }
}

/// The statements made so far, by their number of rows: powers of two, and the one of `usual` rows.
#[derive(Debug, Clone, Default)]
pub(super) struct Blocks {
    texts: Vec<(usize, Arc<str>)>,
    /// The number of items of the last call: where it comes again, it gets a statement of its own.
    usual: usize,
}

impl Blocks {
    /// The items in blocks that the statements fit, of so many placeholders a row: all at once where as many came the last time, else
    /// powers of two.
    pub(super) fn cut<'i, T>(
        &mut self,
        limits: Limits,
        values: usize,
        items: &'i [T],
    ) -> impl Iterator<Item = &'i [T]> + use<'i, T> {
        let most = limits.most(values);
        let again = items.len() == self.usual && items.len() <= most;
        if items.len() != self.usual {
            self.texts.retain(|(rows, _)| rows.is_power_of_two());
            self.usual = items.len();
        }
        cut(items, if again { items.len() } else { most.min(limits.block) }, again)
    }

    /// The statement for so many rows.
    pub(super) fn text(&mut self, rows: usize, make: impl FnOnce() -> String) -> Arc<str> {
        if let Some((_, text)) = self.texts.iter().find(|(r, _)| *r == rows) {
            return text.clone();
        }
        let text: Arc<str> = make().into();
        self.texts.push((rows, text.clone()));
        text
    }
}

/// The items in blocks of powers of two, of at most `most`; or with `whole` all at once.
pub(super) fn cut<T>(items: &[T], most: usize, whole: bool) -> impl Iterator<Item = &[T]> + use<'_, T> {
    let mut rest = items;
    std::iter::from_fn(move || {
        let rows = if whole { rest.len() } else { 1 << rest.len().min(most).checked_ilog2()? };
        let (block, after) = rest.split_at(rows);
        rest = after;
        (rows > 0).then_some(block)
    })
}

#[cfg(test)]
mod tests {
    use super::{Blocks, Limits};

    const LIMITS: Limits = Limits { values: 1000, rows: 200, block: 64 };

    fn lengths(blocks: &mut Blocks, values: usize, items: usize) -> Vec<usize> {
        blocks.cut(LIMITS, values, &vec![(); items]).map(<[()]>::len).collect()
    }

    #[test]
    fn chunks_of_any_length_need_few_statements() {
        let mut blocks = Blocks::default();
        assert_eq!(lengths(&mut blocks, 3, 150), [64, 64, 16, 4, 2]);
        assert_eq!(lengths(&mut blocks, 3, 150), [150], "the same length again");
        assert_eq!(lengths(&mut blocks, 3, 201), [64, 64, 64, 8, 1]);
        assert_eq!(lengths(&mut blocks, 3, 201), [64, 64, 64, 8, 1], "too many rows for one");
        assert_eq!(lengths(&mut blocks, 300, 7), [2, 2, 2, 1], "too many placeholders for one");
        assert_eq!(lengths(&mut blocks, 3, 0), [] as [usize; 0]);
    }

    #[test]
    fn the_statement_of_a_length_that_came_once_is_forgotten() {
        let mut blocks = Blocks::default();
        for rows in [150, 64, 100, 2] {
            lengths(&mut blocks, 1, rows);
            blocks.text(rows, || rows.to_string());
        }
        assert_eq!(blocks.texts.iter().map(|(rows, _)| *rows).collect::<Vec<_>>(), [64, 2]);
    }
}
