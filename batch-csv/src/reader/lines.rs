//! Physical lines.

/// Counts line ends: `\n`, `\r`, and `\r\n` as one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lines {
    /// The line that the next byte is on, from 1.
    pub(super) line: u64,
    after_cr: bool,
}

impl Lines {
    pub(super) fn at(line: u64) -> Self {
        Self { line, after_cr: false }
    }

    /// Whether the last byte was a `\r`, whose `\n` may follow.
    pub(super) fn after_cr(&self) -> bool {
        self.after_cr
    }

    /// Passes `bytes`, of which `newlines` are `\n`.
    ///
    /// The count comes for nothing from the automaton; looking for `\r` is all that is left in most records.
    pub(super) fn pass(&mut self, bytes: &[u8], newlines: u64) {
        let Some((last, rest)) = bytes.split_last() else { return };
        if self.after_cr || rest.contains(&b'\r') {
            return self.pass_slowly(bytes);
        }
        self.after_cr = *last == b'\r';
        self.line += newlines + u64::from(self.after_cr);
    }

    /// Passes `bytes` of which nothing is known.
    pub(super) fn pass_slowly(&mut self, bytes: &[u8]) {
        for byte in bytes {
            let ends = *byte == b'\r' || (*byte == b'\n' && !self.after_cr);
            self.line += u64::from(ends);
            self.after_cr = *byte == b'\r';
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Lines;

    #[test]
    fn both_ways_count_the_same_in_any_pieces() {
        let text = b"a\nb\r\nc\rd\r\r\n\n\r";
        for cut in 0..=text.len() {
            let (mut fast, mut slow) = (Lines::at(1), Lines::at(1));
            for piece in [&text[..cut], &text[cut..]] {
                fast.pass(piece, piece.iter().filter(|b| **b == b'\n').count() as u64);
                slow.pass_slowly(piece);
            }
            assert_eq!((fast.line, slow.line), (8, 8), "cut at {cut}");
        }
    }
}
