//! w2: the file to a file, without serde.

use crate::{R, binary::reader, row::Row, time};
use std::io::Write;

pub fn copy() -> R<usize> {
    let (mut reader, mut record, mut row) = (reader()?, csv::ByteRecord::new(), Row::default());
    let (mut fields, mut rows) = (Fields::default(), 0);
    let mut writer = csv::WriterBuilder::new().buffer_capacity(1 << 18).from_path("out/limit-w2.csv")?;
    writer.write_byte_record(reader.byte_headers()?)?;
    while reader.read_byte_record(&mut record)? {
        row.parse(&record)?;
        fields.write(&mut writer, &row)?;
        rows += 1;
    }
    writer.flush()?;
    Ok(rows)
}

/// A row's fields as text, in memory that is used again.
#[derive(Default)]
pub struct Fields {
    field: Vec<u8>,
}

impl Fields {
    pub fn write<W: Write>(&mut self, writer: &mut csv::Writer<W>, row: &Row) -> R<()> {
        writer.write_field(self.number(row.id, 1))?;
        writer.write_field(&row.sku)?;
        writer.write_field(&row.name)?;
        writer.write_field(&row.category)?;
        let length = self.number(row.cents, 3).len();
        self.field.insert(length - 2, b'.');
        writer.write_field(&self.field)?;
        writer.write_field(self.number(i64::from(row.stock), 1))?;
        self.field.clear();
        time::format(row.at, &mut self.field);
        writer.write_field(&self.field)?;
        Ok(writer.write_record(None::<&[u8]>)?)
    }

    /// At least so many digits.
    fn number(&mut self, value: i64, least: usize) -> &[u8] {
        let (mut digits, mut from, mut rest) = ([b'0'; 20], 20, value.unsigned_abs());
        while rest > 0 || from > 20 - least {
            from -= 1;
            digits[from] = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        self.field.clear();
        if value < 0 {
            self.field.push(b'-');
        }
        self.field.extend_from_slice(&digits[from..]);
        &self.field
    }
}
