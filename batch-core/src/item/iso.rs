//! Times as texts, faster than their own `Display`.

use chrono::{DateTime, Datelike, Timelike, Utc};
use serde::{Serialize, Serializer};

/// Serialises a time as chrono does, `2026-01-02T03:04:05Z`, several times faster: for items that are written by the million.
///
/// ```
/// use chrono::{DateTime, Utc};
///
/// #[derive(serde::Serialize)]
/// struct Product {
///     id: i64,
///     #[serde(serialize_with = "batch_core::item::iso")]
///     updated_at: DateTime<Utc>,
/// }
/// ```
///
/// Years of other than four digits, fractions of a second and leap seconds are left to chrono.
///
/// # Errors
/// Those of the serialiser.
pub fn iso<S: Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    let mut text = *b"0000-00-00T00:00:00Z";
    match digits(time, &mut text).map(|()| std::str::from_utf8(&text)) {
        Some(Ok(text)) => serializer.serialize_str(text),
        _ => time.serialize(serializer),
    }
}

fn digits(time: &DateTime<Utc>, text: &mut [u8; 20]) -> Option<()> {
    let year = u32::try_from(time.year()).ok().filter(|year| (1..=9999).contains(year))?;
    if time.nanosecond() != 0 {
        return None;
    }
    let parts = [year / 100, year % 100, time.month(), time.day(), time.hour(), time.minute(), time.second()];
    for (at, part) in [0, 2, 5, 8, 11, 14, 17].into_iter().zip(parts) {
        let pair = text.get_mut(at..at + 2)?;
        pair.copy_from_slice(&[b'0' + u8::try_from(part / 10).ok()?, b'0' + u8::try_from(part % 10).ok()?]);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::iso;
    use chrono::{DateTime, Utc};
    use proptest::prelude::*;

    #[derive(serde::Serialize)]
    struct Fast(#[serde(serialize_with = "iso")] DateTime<Utc>);

    fn both(time: DateTime<Utc>) -> [String; 2] {
        [serde_json::to_string(&Fast(time)).unwrap(), serde_json::to_string(&time).unwrap()]
    }

    proptest! {
        #[test]
        fn every_time_is_as_chrono_writes_it(seconds in -80_000_000_000_i64..300_000_000_000, nanos in prop_oneof![Just(0_u32), 0..1_999_999_999_u32]) {
            let Some(time) = DateTime::from_timestamp(seconds, nanos) else { return Ok(()) };
            let [fast, chronos] = both(time);
            prop_assert_eq!(fast, chronos);
        }
    }

    #[test]
    fn the_edges_of_its_range() {
        for seconds in [-62_167_219_201, -62_167_219_200, -62_135_596_801, -62_135_596_800, -1, 0, 253_402_300_799, 253_402_300_800]
        {
            let [fast, chronos] = both(DateTime::from_timestamp(seconds, 0).unwrap());
            assert_eq!(fast, chronos);
        }
    }
}
