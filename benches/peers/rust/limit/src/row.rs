//! One row of the file with typed columns; its strings are used again for the next one.

use crate::{R, time};
use std::str;

#[derive(Default)]
pub struct Row {
    pub id: i64,
    pub sku: String,
    pub name: String,
    pub category: String,
    /// An exact decimal of two places.
    pub cents: i64,
    pub stock: i32,
    /// Microseconds since 2000-01-01, as PostgreSQL counts.
    pub at: i64,
}

impl Row {
    /// Takes over a record, its name in capitals.
    pub fn parse(&mut self, record: &csv::ByteRecord) -> R<()> {
        self.id = int(&record[0])?;
        put(&mut self.sku, &record[1])?;
        put(&mut self.name, &record[2])?;
        put(&mut self.category, &record[3])?;
        self.cents = cents(&record[4])?;
        self.stock = i32::try_from(int(&record[5])?)?;
        self.at = time::parse(&record[6])?;
        if self.name.is_ascii() {
            self.name.make_ascii_uppercase()
        } else {
            self.name = self.name.to_uppercase()
        }
        Ok(())
    }
}

pub fn bad(what: &str, field: &[u8]) -> Box<dyn std::error::Error + Send + Sync> {
    format!("bad {what}: {}", String::from_utf8_lossy(field)).into()
}

pub fn int(field: &[u8]) -> R<i64> {
    let (negative, digits) = match field.first() {
        Some(b'-') => (true, &field[1..]),
        _ => (false, field),
    };
    if digits.is_empty() || digits.len() > 18 || !digits.iter().all(u8::is_ascii_digit) {
        return Err(bad("int", field));
    }
    let value = digits.iter().fold(0, |value, &digit| value * 10 + i64::from(digit - b'0'));
    Ok(if negative { -value } else { value })
}

fn cents(field: &[u8]) -> R<i64> {
    let Some(point) = field.iter().position(|&c| c == b'.') else { return Ok(int(field)? * 100) };
    let fraction = &field[point + 1..];
    if fraction.len() != 2 {
        return Err(bad("price", field));
    }
    let (whole, fraction) = (int(&field[..point])?, int(fraction)?);
    Ok(if field[0] == b'-' { whole * 100 - fraction } else { whole * 100 + fraction })
}

fn put(into: &mut String, field: &[u8]) -> R<()> {
    into.clear();
    into.push_str(str::from_utf8(field)?);
    Ok(())
}
