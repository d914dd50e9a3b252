//! Numbers.

use crate::row::{Misfit, Value};
use std::fmt::Display;

/// Integers of one width; a text or a float only if it is one.
pub(super) fn integer<N: TryFrom<i64> + std::str::FromStr, const W: usize>(
    value: Value<'_>,
    type_name: &str,
    out: &mut Vec<u8>,
    bytes: impl Fn(N) -> [u8; W],
) -> Result<(), Misfit> {
    let number = match value {
        Value::Integer(value) => fit(value, type_name)?,
        Value::Bool(value) => fit(value.into(), type_name)?,
        Value::Text(text) if is_integer(text) => text.parse().map_err(|_| too_large(text, type_name))?,
        Value::Float(value) => fit(whole(value).ok_or(Misfit::Unusual)?, type_name)?,
        _ => return Err(Misfit::Unusual),
    };
    out.extend_from_slice(&bytes(number));
    Ok(())
}

pub(super) fn double(value: Value<'_>, out: &mut Vec<u8>) -> Result<(), Misfit> {
    let number = match value {
        Value::Float(value) => value,
        #[expect(clippy::cast_precision_loss, reason = "the server rounds to the nearest, too")]
        Value::Integer(value) => value as f64,
        Value::Bool(value) => f64::from(u8::from(value)),
        _ => return Err(Misfit::Unusual),
    };
    out.extend_from_slice(&number.to_be_bytes());
    Ok(())
}

/// A number that a `real` has room for.
pub(super) fn single(value: Value<'_>, out: &mut Vec<u8>) -> Result<(), Misfit> {
    let Value::Float(given) = value else {
        // By way of a text, since rounding twice may give another number than rounding once.
        return Err(Misfit::Unusual);
    };
    #[expect(clippy::cast_possible_truncation, reason = "what does not fit is found below")]
    let number = given as f32;
    if given.is_finite() && (!number.is_finite() || (number == 0.0 && given != 0.0)) {
        return Err(too_large(given, "real"));
    }
    out.extend_from_slice(&number.to_be_bytes());
    Ok(())
}

/// Decimal digits in groups of four, and how many of them stand behind the point.
pub(super) fn numeric(value: Value<'_>, out: &mut Vec<u8>) -> Result<(), Misfit> {
    match value {
        Value::Text(text) => decimal(text, out),
        Value::Integer(value) => decimal(&value.to_string(), out),
        Value::Bool(value) => decimal(if value { "1" } else { "0" }, out),
        Value::Float(value) if value.is_finite() => decimal(&value.to_string(), out),
        _ => Err(Misfit::Unusual),
    }
}

/// Beyond, the server's own reading is used; far below the limits of the form.
const MOST_DIGITS: usize = 1_000;

fn decimal(text: &str, out: &mut Vec<u8>) -> Result<(), Misfit> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if (whole.is_empty() && fraction.is_empty()) || digits.len() > MOST_DIGITS || !is_digits(whole) || !is_digits(fraction) {
        return Err(Misfit::Unusual);
    }
    let start = out.len();
    out.extend_from_slice(&[0; HEADER]);
    let weight = groups(whole.as_bytes(), fraction.as_bytes(), out);
    let count = length((out.len() - start - HEADER) / 2);
    let sign: i16 = if negative && count > 0 { 0x4000 } else { 0 };
    let header = [count, weight, sign, length(fraction.len())];
    out[start..start + HEADER].chunks_mut(2).zip(header).for_each(|(into, part)| into.copy_from_slice(&part.to_be_bytes()));
    Ok(())
}

/// Bytes before the groups: how many there are, weight, sign and scale.
const HEADER: usize = 8;

/// Appends the groups of four digits without zeros around them; the power of 10,000 that the first one counts.
fn groups(whole: &[u8], fraction: &[u8], out: &mut Vec<u8>) -> i16 {
    let start = out.len();
    let (first, rest) = whole.split_at(whole.len() % 4);
    let lead = (!first.is_empty()).then(|| group(first));
    let behind = fraction.chunks(4).map(|digits| group(digits) * [1000, 100, 10, 1][digits.len() - 1]);
    let mut weight = length(whole.len().div_ceil(4)) - 1;
    let mut end = start;
    for group in lead.into_iter().chain(rest.chunks(4).map(group)).chain(behind) {
        if group == 0 && out.len() == start {
            weight -= 1;
            continue;
        }
        out.extend_from_slice(&group.to_be_bytes());
        if group != 0 {
            end = out.len();
        }
    }
    out.truncate(end);
    weight
}

fn group(digits: &[u8]) -> i16 {
    digits.iter().fold(0, |sum, digit| sum * 10 + i16::from(digit - b'0'))
}

/// Of what has at most [`MOST_DIGITS`] digits.
fn length(count: usize) -> i16 {
    i16::try_from(count).unwrap_or(i16::MAX)
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && is_digits(digits)
}

/// The integer that a float is.
fn whole(value: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "it has no fraction, and is far smaller")]
    let number = value as i64;
    (value.fract() == 0.0 && value.abs() <= EXACT).then_some(number)
}

fn fit<N: TryFrom<i64>>(value: i64, type_name: &str) -> Result<N, Misfit> {
    N::try_from(value).map_err(|_| too_large(value, type_name))
}

fn too_large(value: impl Display, type_name: &str) -> Misfit {
    Misfit::Refused(format!("holds {value}, which does not fit its column's type {type_name}"))
}
