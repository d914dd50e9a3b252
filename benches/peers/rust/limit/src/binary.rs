//! PostgreSQL's binary COPY, and chunks of the file in it.

use crate::{R, row::Row};
use bytes::{BufMut, Bytes, BytesMut};
use std::fs::File;

pub const COPY: &str = "COPY product FROM STDIN (FORMAT binary)";
pub const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// About what a row takes.
pub const ROW: usize = 120;

/// A chunk as it is sent: its rows, how many, and where in the file it ends.
pub struct Piece {
    pub data: Bytes,
    pub rows: usize,
    pub end: i64,
}

/// The file, chunk by chunk.
pub struct Chunks {
    reader: csv::Reader<File>,
    record: csv::ByteRecord,
    row: Row,
    buffer: BytesMut,
}

impl Chunks {
    pub fn open() -> R<Self> {
        Ok(Self { reader: reader()?, record: Default::default(), row: Row::default(), buffer: BytesMut::new() })
    }

    /// The next chunk with header and trailer; one of less than `most` rows, maybe of none, is the last.
    pub fn next(&mut self, most: usize) -> R<Piece> {
        self.buffer.reserve(most * ROW + 64);
        self.buffer.put_slice(HEADER);
        let rows = self.encode(most)?;
        self.buffer.put_i16(-1);
        Ok(self.piece(rows))
    }

    /// The next rows alone.
    pub fn rows(&mut self, most: usize) -> R<Piece> {
        self.buffer.reserve(most * ROW + 64);
        let rows = self.encode(most)?;
        Ok(self.piece(rows))
    }

    fn encode(&mut self, most: usize) -> R<usize> {
        let mut rows = 0;
        while rows < most && self.reader.read_byte_record(&mut self.record)? {
            self.row.parse(&self.record)?;
            row(&mut self.buffer, &self.row);
            rows += 1;
        }
        Ok(rows)
    }

    fn piece(&mut self, rows: usize) -> Piece {
        Piece { data: self.buffer.split().freeze(), rows, end: self.reader.position().byte() as i64 }
    }
}

pub fn reader() -> R<csv::Reader<File>> {
    Ok(csv::ReaderBuilder::new().buffer_capacity(1 << 18).from_reader(File::open(crate::CSV)?))
}

fn row(out: &mut BytesMut, row: &Row) {
    out.put_i16(7);
    out.put_i32(8);
    out.put_i64(row.id);
    text(out, &row.sku);
    text(out, &row.name);
    text(out, &row.category);
    numeric(out, row.cents);
    out.put_i32(4);
    out.put_i32(row.stock);
    out.put_i32(8);
    out.put_i64(row.at);
}

fn text(out: &mut BytesMut, text: &str) {
    out.put_i32(text.len() as i32);
    out.put_slice(text.as_bytes());
}

/// Digits to the base of 10,000, the greatest first, with the power of the first and two places shown.
pub fn numeric(out: &mut BytesMut, cents: i64) {
    let sign = if cents < 0 { 0x4000 } else { 0 };
    let cents = cents.abs();
    let (mut whole, fraction) = (cents / 100, (cents % 100) as u16 * 100);
    let (mut digits, mut count) = ([0u16; 6], 0);
    while whole > 0 {
        digits[count] = (whole % 10_000) as u16;
        whole /= 10_000;
        count += 1;
    }
    let places = usize::from(fraction != 0);
    out.put_i32(8 + 2 * (count + places) as i32);
    out.put_u16((count + places) as u16);
    out.put_i16(count as i16 - 1);
    out.put_u16(sign);
    out.put_u16(2);
    digits[..count].iter().rev().for_each(|&digit| out.put_u16(digit));
    if places == 1 {
        out.put_u16(fraction);
    }
}

/// Cents of a numeric as the server sends it.
pub fn cents(field: &[u8]) -> R<i64> {
    let word = |at: usize| u16::from_be_bytes([field[2 * at], field[2 * at + 1]]);
    let (count, weight, sign) = (i32::from(word(0)), i32::from(word(1) as i16), word(2));
    let mut value: i64 = 0; // in ten thousandths
    for at in 0..count {
        let power = u32::try_from(weight - at + 1).map_err(|_| "more than four places")?;
        value += i64::from(word(4 + at as usize)) * 10_000i64.pow(power);
    }
    if value % 100 != 0 {
        return Err("more than two places".into());
    }
    Ok(if sign == 0x4000 { -value / 100 } else { value / 100 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded_the_same() {
        for value in [0, 1, -1, 99, 100, 12_345, -987_654_321, 999_999_999_999] {
            let mut out = BytesMut::new();
            numeric(&mut out, value);
            assert_eq!(cents(&out[4..]).unwrap(), value);
        }
    }
}
