//! Errors of both directions, in words that an operator can act on.

use batch_core::{Error, ErrorKind};
use std::{fmt, io, path::Path};

/// An error about `path`, with the system's answer as its cause.
pub(crate) fn io_error(kind: ErrorKind, message: &str, path: &Path, cause: io::Error) -> Error {
    Error::new(kind, message).with("file", path.display()).because(cause)
}

/// An error about `path` that the system knows nothing of.
pub(crate) fn file_error(kind: ErrorKind, message: impl Into<String>, path: &Path) -> Error {
    Error::new(kind, message).with("file", path.display())
}

/// A number with its thousands set apart: `1,234,567`.
pub(crate) struct Count(pub(crate) u64);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (i, digit) in digits.chars().enumerate() {
            if i > 0 && (digits.len() - i).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

/// A value from the input between back-ticks, cut where it would flood a message.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 80;
        let shown: String = self.0.chars().take(SHOWN).collect();
        let rest = if shown.len() < self.0.len() { "…" } else { "" };
        write!(f, "`{}{rest}`", shown.escape_debug())
    }
}

#[cfg(test)]
mod tests {
    use super::{Count, Quoted};

    #[test]
    fn counts_have_thousands_set_apart() {
        let shown: Vec<String> = [0, 999, 1000, 1_234_567].iter().map(|n| Count(*n).to_string()).collect();
        assert_eq!(shown, ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn long_values_are_cut() {
        assert_eq!(Quoted("a\0b").to_string(), "`a\\0b`");
        assert!(Quoted(&"x".repeat(5000)).to_string().ends_with("x…`"));
    }
}
