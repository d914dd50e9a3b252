//! Values in PostgreSQL's binary form, the one that its `typereceive` functions read.

mod number;
mod time;

use super::{kind::Kind, text};
use crate::row::{Misfit, Value};

/// Appends a value that is not NULL for a column of `kind`, without its length.
///
/// Only the usual form of a value is taken. What else the server may accept as a text, such as `1e3` for a number or `tomorrow` for a
/// date, is `Unusual`.
pub(super) fn put(kind: Kind, value: Value<'_>, out: &mut Vec<u8>) -> Result<(), Misfit> {
    match kind {
        Kind::Int2 => number::integer(value, "smallint", out, |n: i16| n.to_be_bytes()),
        Kind::Int4 => number::integer(value, "integer", out, |n: i32| n.to_be_bytes()),
        Kind::Int8 => number::integer(value, "bigint", out, |n: i64| n.to_be_bytes()),
        Kind::Float4 => number::single(value, out),
        Kind::Float8 => number::double(value, out),
        Kind::Numeric => number::numeric(value, out),
        Kind::Bool => boolean(value, out),
        Kind::Text => text::put(kind, value, out),
        Kind::Jsonb => {
            // The version of the form, the only one there is.
            out.push(1);
            text::put(kind, value, out)
        }
        Kind::Bytea => bytes(value, out),
        Kind::Date => time::date(value, out),
        Kind::Time => time::time(value, out),
        Kind::Timestamp => time::timestamp(value, out),
        Kind::Timestamptz => time::timestamptz(value, out),
        Kind::Uuid => uuid(value, out),
        Kind::Other => Err(Misfit::Unusual),
    }
}

fn boolean(value: Value<'_>, out: &mut Vec<u8>) -> Result<(), Misfit> {
    out.push(match value {
        Value::Bool(value) => value.into(),
        Value::Integer(0) | Value::Text("false" | "f") => 0,
        Value::Integer(1) | Value::Text("true" | "t") => 1,
        _ => return Err(Misfit::Unusual),
    });
    Ok(())
}

/// A text is bytes as they are, unless it has a backslash, which begins an escape.
fn bytes(value: Value<'_>, out: &mut Vec<u8>) -> Result<(), Misfit> {
    match value {
        Value::Bytes(value) => out.extend_from_slice(value),
        Value::Text(value) if !value.contains('\\') => out.extend_from_slice(value.as_bytes()),
        _ => return Err(Misfit::Unusual),
    }
    Ok(())
}

/// 32 digits, with the four hyphens or without.
fn uuid(value: Value<'_>, out: &mut Vec<u8>) -> Result<(), Misfit> {
    let text = match value {
        Value::Bytes(bytes) if bytes.len() == 16 => {
            out.extend_from_slice(bytes);
            return Ok(());
        }
        Value::Text(text) => text.as_bytes(),
        _ => return Err(Misfit::Unusual),
    };
    let hyphens: &[usize] = if text.len() == 36 { &[8, 13, 18, 23] } else { &[] };
    if text.len() != 32 + hyphens.len() || hyphens.iter().any(|at| text[*at] != b'-') {
        return Err(Misfit::Unusual);
    }
    let mut digits =
        text.iter().enumerate().filter(|(at, _)| !hyphens.contains(at)).map(|(_, digit)| char::from(*digit).to_digit(16));
    for _ in 0..16 {
        let (Some(Some(high)), Some(Some(low))) = (digits.next(), digits.next()) else { return Err(Misfit::Unusual) };
        out.extend(u8::try_from(high * 16 + low));
    }
    Ok(())
}
