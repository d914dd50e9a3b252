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

    /// Passes a whole line.
    pub(super) fn pass_line(&mut self) {
        *self = Self::at(self.line + 1);
    }

    /// Passes `bytes`, of which `newlines` are `\n`.
    ///
    /// That count comes for nothing from the automaton; looking for `\r` is then all that is left in most files.
    pub(super) fn pass(&mut self, bytes: &[u8], newlines: u64) {
        if self.after_cr || bytes.contains(&b'\r') {
            self.pass_any(bytes);
        } else {
            self.line += newlines;
        }
    }

    /// Passes `bytes` of which nothing is known.
    pub(super) fn pass_any(&mut self, bytes: &[u8]) {
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
    fn line_ends_are_counted_in_any_pieces() {
        let text = b"a\nb\r\nc\rd\r\r\n\n\r";
        for cut in 0..=text.len() {
            let mut lines = Lines::at(1);
            for piece in [&text[..cut], &text[cut..]] {
                lines.pass(piece, piece.iter().filter(|byte| **byte == b'\n').count() as u64);
            }
            assert_eq!(lines.line, 8, "cut at {cut}");
        }
    }
}
