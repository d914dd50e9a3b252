//! Bars of a terminal, in eighths of a character.

const EIGHTHS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/// A bar of `share` (0 to 1) of `width` characters; whatever is not zero is at least seen.
pub(super) fn bar(share: f64, width: usize) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "at most 8 times the width")]
    let eighths = (share.clamp(0.0, 1.0) * (width * 8) as f64).round() as usize;
    let eighths = eighths.max(usize::from(share > 0.0));
    let mut bar = "█".repeat(eighths / 8);
    bar.extend((!eighths.is_multiple_of(8)).then(|| EIGHTHS[eighths % 8]));
    bar
}

#[cfg(test)]
mod tests {
    use super::bar;
    use proptest::prelude::*;

    #[test]
    fn a_bar_ends_within_a_character() {
        assert_eq!(bar(1.0, 4), "████");
        assert_eq!(bar(0.53, 4), "██▏");
        assert_eq!(bar(0.0001, 4), "▏");
        assert_eq!(bar(0.0, 4), "");
        assert_eq!(bar(f64::NAN, 4), "");
    }

    proptest! {
        #[test]
        fn a_bar_fits_and_grows(a in 0.0f64..1.0, b in 0.0f64..1.0, width in 1usize..80) {
            let (short, long) = (bar(a.min(b), width), bar(a.max(b), width));
            prop_assert!(short.chars().count() <= long.chars().count());
            prop_assert!(long.chars().count() <= width);
        }
    }
}
