//! Dates and times as texts, in the form that serde gives them: ISO 8601.

use chrono::{NaiveDate, NaiveTime};

/// A date and a time of day, and how far they are from UTC where the text says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) date: NaiveDate,
    pub(super) time: NaiveTime,
    /// Seconds east of UTC.
    pub(super) offset: Option<i32>,
}

/// `2026-02-28`; `None` for every other form.
pub(super) fn date(text: &str) -> Option<NaiveDate> {
    let [a, b, c, d, b'-', e, f, b'-', g, h] = *<&[u8; 10]>::try_from(text.as_bytes()).ok()? else { return None };
    let year = i32::from(two(a, b)?) * 100 + i32::from(two(c, d)?);
    NaiveDate::from_ymd_opt(year, two(e, f)?.into(), two(g, h)?.into()).filter(|_| year > 0)
}

/// `12:30:05`, with up to nine digits of a second's fraction or none; `None` for every other form.
pub(super) fn time(text: &str) -> Option<NaiveTime> {
    let (clock, fraction) = text.split_at_checked(8)?;
    let [a, b, b':', c, d, b':', e, f] = *<&[u8; 8]>::try_from(clock.as_bytes()).ok()? else { return None };
    let nanos = match fraction.as_bytes() {
        [] => 0,
        [b'.', digits @ ..] => nanos(digits)?,
        _ => return None,
    };
    NaiveTime::from_hms_nano_opt(two(a, b)?.into(), two(c, d)?.into(), two(e, f)?.into(), nanos)
}

/// `2026-02-28T12:30:05`, with `T` or a space, a fraction or none, and `Z`, `+02:00` or nothing; `None` for every other form.
pub(super) fn moment(text: &str) -> Option<Moment> {
    let (day, rest) = text.split_at_checked(10)?;
    let rest = rest.strip_prefix(['T', ' '])?;
    let end = rest.find(['Z', '+', '-']).unwrap_or(rest.len());
    let (clock, zone) = rest.split_at_checked(end)?;
    Some(Moment { date: date(day)?, time: time(clock)?, offset: if zone.is_empty() { None } else { Some(offset(zone)?) } })
}

fn offset(zone: &str) -> Option<i32> {
    if zone == "Z" {
        return Some(0);
    }
    let [sign, a, b, b':', c, d] = *<&[u8; 6]>::try_from(zone.as_bytes()).ok()? else { return None };
    let (hours, minutes) = (i32::from(two(a, b)?), i32::from(two(c, d)?));
    let seconds = hours * 3600 + minutes * 60;
    (hours < 16 && minutes < 60).then_some(if sign == b'-' { -seconds } else { seconds })
}

fn nanos(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || digits.len() > 9 {
        return None;
    }
    let given = digits.iter().try_fold(0, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + u32::from(digit - b'0')))?;
    Some((digits.len()..9).fold(given, |sum, _| sum * 10))
}

fn two(tens: u8, ones: u8) -> Option<u8> {
    (tens.is_ascii_digit() && ones.is_ascii_digit()).then(|| (tens - b'0') * 10 + (ones - b'0'))
}

#[cfg(test)]
mod tests {
    use super::{date, moment, time};
    use proptest::prelude::*;

    #[test]
    fn only_the_usual_form_is_read() {
        for text in ["2026-02-28", "0001-01-01", "9999-12-31"] {
            assert_eq!(date(text).unwrap().to_string(), text);
        }
        for text in ["2026-02-29", "0000-01-01", "26-02-28", "2026/02/28", "2026-2-28 ", "today", "20260228", "२०२६-02-28"]
        {
            assert_eq!(date(text), None, "{text}");
        }
        for text in ["1:30:05", "12:30", "24:00:00", "12:30:60", "12:30:05.", "12:30:05.1234567890", "12:30:05Z", "12:30:05.12a"] {
            assert_eq!(time(text), None, "{text}");
        }
        for text in
            ["2026-02-28", "2026-02-28t12:30:05", "2026-02-28T12:30:05+0200", "2026-02-28T12:30:05 Z", "2026-02-28T12:30:05+16:00"]
        {
            assert_eq!(moment(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_moment_is_what_chrono_says(micros in -60_000_000_000_000_000i64..250_000_000_000_000_000, minutes in -900i32..900) {
            let zone = chrono::FixedOffset::east_opt(minutes * 60).unwrap();
            let expected = chrono::DateTime::from_timestamp_micros(micros).unwrap().with_timezone(&zone);
            let read = moment(&expected.to_rfc3339()).unwrap();
            let local = read.date.and_time(read.time);
            prop_assert_eq!(local, expected.naive_local());
            prop_assert_eq!(read.offset, Some(minutes * 60));
        }
    }
}
