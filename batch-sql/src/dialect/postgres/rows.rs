//! Rows in the two shapes in which they are sent: one after the other for COPY, an array a column for `unnest`.

use super::{binary, kind::Kind, table::Column, text};
use crate::{
    dialect::target::Target,
    row::{Misfit, RowError, Value, Values},
};
use serde::Serialize;

/// The form of each value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Quicker to read for the server, but only for the types of [`Kind`], and for values in their usual form.
    Binary,
    /// For every type, and for what the server alone can read.
    Text,
}

impl Form {
    /// Appends a value with its length; NULL has none.
    fn put_sized(self, kind: Kind, value: Value<'_>, out: &mut Vec<u8>) -> Result<(), Misfit> {
        if value == Value::Null {
            out.extend_from_slice(&(-1i32).to_be_bytes());
            return Ok(());
        }
        let start = out.len();
        out.extend_from_slice(&[0; 4]);
        match self {
            Self::Binary => binary::put(kind, value, out)?,
            Self::Text => text::put(kind, value, out)?,
        }
        match i32::try_from(out.len() - start - 4) {
            Ok(length) => out[start..start + 4].copy_from_slice(&length.to_be_bytes()),
            Err(_) => return Misfit::refused("is longer than 2 GB"),
        }
        Ok(())
    }
}

/// Makes what is sent of items, in binary form where `binary` says that it may be and every value has its usual form, else as texts.
pub(super) fn make<R>(binary: bool, make: impl Fn(Form) -> Result<R, RowError>) -> Result<(R, Form), RowError> {
    if binary {
        match make(Form::Binary) {
            Err(error) if error.is_unusual() => {}
            made => return Ok((made?, Form::Binary)),
        }
    }
    Ok((make(Form::Text)?, Form::Text))
}

/// Rows as COPY reads them, in an empty buffer.
pub(super) fn copied<T: Serialize>(
    target: &Target,
    columns: &[Column],
    form: Form,
    out: Vec<u8>,
    items: &[T],
) -> Result<Vec<u8>, RowError> {
    const HEADER: &[u8; 19] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
    let fields = i16::try_from(columns.len()).map_err(|_| RowError::new("the item has more fields than a table has columns"))?;
    let mut rows = Copied { kinds: kinds(columns), next: 0, form, out };
    if form == Form::Binary {
        rows.out.extend_from_slice(HEADER);
    }
    for item in items {
        if form == Form::Binary {
            rows.out.extend_from_slice(&fields.to_be_bytes());
        }
        rows.next = 0;
        target.bind(item, &mut rows)?;
    }
    if form == Form::Binary {
        rows.out.extend_from_slice(&(-1i16).to_be_bytes());
    }
    Ok(rows.out)
}

struct Copied {
    kinds: Vec<Kind>,
    next: usize,
    form: Form,
    out: Vec<u8>,
}

impl Values for Copied {
    fn put(&mut self, value: Value<'_>) -> Result<(), Misfit> {
        let kind = self.kinds[self.next];
        self.next += 1;
        if self.form == Form::Binary {
            return self.form.put_sized(kind, value, &mut self.out);
        }
        if value == Value::Null {
            self.out.extend_from_slice(b"\\N");
        } else {
            let start = self.out.len();
            text::put(kind, value, &mut self.out)?;
            text::escape(&mut self.out, start);
        }
        self.out.push(if self.next == self.kinds.len() { b'\n' } else { b'\t' });
        Ok(())
    }
}

/// For each column the elements of an array of its values.
pub(super) fn arrays<T: Serialize>(target: &Target, columns: &[Column], form: Form, items: &[T]) -> Result<Vec<Vec<u8>>, RowError> {
    let out = columns.iter().map(|_| Vec::with_capacity(items.len() * 16)).collect();
    let mut rows = Arrays { kinds: kinds(columns), next: 0, form, out };
    for item in items {
        rows.next = 0;
        target.bind(item, &mut rows)?;
    }
    Ok(rows.out)
}

struct Arrays {
    kinds: Vec<Kind>,
    next: usize,
    form: Form,
    out: Vec<Vec<u8>>,
}

impl Values for Arrays {
    fn put(&mut self, value: Value<'_>) -> Result<(), Misfit> {
        let place = self.next;
        self.next += 1;
        self.form.put_sized(self.kinds[place], value, &mut self.out[place])
    }
}

fn kinds(columns: &[Column]) -> Vec<Kind> {
    columns.iter().map(Column::kind).collect()
}
