//! Times as PostgreSQL counts them, without a library on the usual path.

use crate::{
    R,
    row::{bad, int},
};
use std::str;

/// 2000-01-01 in seconds since 1970.
pub const EPOCH: i64 = 946_684_800;

/// `YYYY-MM-DDTHH:MM:SSZ` in microseconds since 2000-01-01; chrono reads any other form of RFC 3339.
pub fn parse(field: &[u8]) -> R<i64> {
    if field.len() != 20 || field[19] != b'Z' || field[10] != b'T' {
        let time = chrono::DateTime::parse_from_rfc3339(str::from_utf8(field)?)?;
        return Ok(time.timestamp_micros() - EPOCH * 1_000_000);
    }
    let part = |from: usize, to: usize| int(&field[from..to]);
    let (year, month, day) = (part(0, 4)?, part(5, 7)?, part(8, 10)?);
    let (hour, minute, second) = (part(11, 13)?, part(14, 16)?, part(17, 19)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return Err(bad("time", field));
    }
    Ok((days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - EPOCH) * 1_000_000)
}

/// `YYYY-MM-DDTHH:MM:SSZ` of microseconds since 2000-01-01.
pub fn format(at: i64, out: &mut Vec<u8>) {
    let seconds = at.div_euclid(1_000_000) + EPOCH;
    let ((year, month, day), rest) = (civil(seconds.div_euclid(86_400)), seconds.rem_euclid(86_400));
    two(year / 100, out);
    for (part, end) in [(year % 100, b'-'), (month, b'-'), (day, b'T')] {
        two(part, out);
        out.push(end);
    }
    for (part, end) in [(rest / 3_600, b':'), (rest / 60 % 60, b':'), (rest % 60, b'Z')] {
        two(part, out);
        out.push(end);
    }
}

fn two(value: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(&[b'0' + (value / 10) as u8, b'0' + (value % 10) as u8]);
}

/// Days since 1970 of a date of the Gregorian calendar: years begin in March, so that the leap day is their last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year - era * 400;
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day of days since 1970.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days - era * 146_097;
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_parsed_is_formatted_the_same() {
        for text in ["2026-02-28T23:59:59Z", "2024-02-29T00:00:00Z", "1999-12-31T12:34:56Z", "2100-03-01T01:02:03Z"] {
            let mut out = Vec::new();
            format(parse(text.as_bytes()).unwrap(), &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
        assert_eq!(parse(b"2000-01-01T00:00:01Z").unwrap(), 1_000_000);
        assert_eq!(parse(b"2000-01-01T01:00:01+01:00").unwrap(), 1_000_000);
    }
}
