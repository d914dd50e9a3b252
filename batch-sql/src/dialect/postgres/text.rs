//! Values as PostgreSQL's texts, the ones that its `typeinput` functions read.

use super::kind::Kind;
use crate::row::{Misfit, Value};
use std::io::Write;

/// Appends a value that is not NULL for a column of `kind`.
pub(super) fn put(kind: Kind, value: Value<'_>, out: &mut Vec<u8>) -> Result<(), Misfit> {
    match value {
        Value::Null => {}
        Value::Integer(value) => write(out, value),
        Value::Float(value) => write(out, value),
        Value::Bool(value) if kind.is_number() => out.push(if value { b'1' } else { b'0' }),
        Value::Bool(value) => write(out, value),
        Value::Text(value) if value.as_bytes().contains(&0) => {
            return Misfit::refused("holds a NUL character, which PostgreSQL cannot store in a text");
        }
        Value::Text(value) => out.extend_from_slice(value.as_bytes()),
        Value::Bytes(value) if matches!(kind, Kind::Bytea | Kind::Other) => hex(value, out),
        Value::Bytes(_) => return Misfit::refused("holds bytes, but its column is not of type bytea"),
    }
    Ok(())
}

/// Escapes what was appended since `start` for COPY's text form.
pub(super) fn escape(out: &mut Vec<u8>, start: usize) {
    let special = |byte: &u8| matches!(byte, b'\\' | b'\n' | b'\r' | b'\t');
    if !out[start..].iter().any(special) {
        return;
    }
    for byte in out.split_off(start) {
        match byte {
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\\' => out.extend_from_slice(b"\\\\"),
            other => out.push(other),
        }
    }
}

fn hex(bytes: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.extend_from_slice(b"\\x");
    out.extend(bytes.iter().flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]));
}

/// Memory has no errors.
fn write(out: &mut Vec<u8>, value: impl std::fmt::Display) {
    let _ = write!(out, "{value}");
}
