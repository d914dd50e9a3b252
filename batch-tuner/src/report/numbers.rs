//! Numbers as a person reads them.

/// `1234567` as `1,234,567`.
pub(crate) fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// With the digits that matter: `0.042`, `3.14`, `27.2`, `1,830`.
pub(crate) fn short(number: f64) -> String {
    match number {
        0.0 => "0".to_owned(),
        n if n < 1.0 => format!("{n:.3}"),
        n if n < 10.0 => format!("{n:.2}"),
        n if n < 100.0 => format!("{n:.1}"),
        n => grouped(n),
    }
}

/// `8.12 ms`, `1.83 s`.
pub(crate) fn milliseconds(ms: f64) -> String {
    if ms < 1000.0 { format!("{} ms", short(ms)) } else { format!("{} s", short(ms / 1000.0)) }
}

/// `3.2 MB`; whole megabytes from ten on.
pub(crate) fn bytes(bytes: u64) -> String {
    let mb = bytes as f64 / 1e6;
    if mb < 10.0 { format!("{mb:.1} MB") } else { format!("{} MB", grouped(mb)) }
}

/// `0.973` as `97 %`.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::{bytes, grouped, milliseconds, percent, short};

    #[test]
    fn numbers_have_the_digits_that_matter() {
        assert_eq!([0.0, 0.0419, 3.1419, 27.24, 1830.4].map(short), ["0", "0.042", "3.14", "27.2", "1,830"]);
        assert_eq!([1.0, 999.6, 1_234_567.0].map(grouped), ["1", "1,000", "1,234,567"]);
        assert_eq!([0.5, 999.4, 1830.0].map(milliseconds), ["0.500 ms", "999 ms", "1.83 s"]);
        assert_eq!([0, 3_210_000, 64_000_000].map(bytes), ["0.0 MB", "3.2 MB", "64 MB"]);
        assert_eq!([0.973, 1.0].map(percent), ["97 %", "100 %"]);
    }
}
