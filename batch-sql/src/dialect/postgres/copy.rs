//! COPY of a chunk, whose rows are made before its transaction where the engine asks for that.

use super::{
    FEW,
    rows::{self, Form},
    statements,
    suspicion::Suspicion,
    table::Column,
};
use crate::{
    dialect::target::Target,
    error::{Class, Refused, class},
    row::RowError,
};
use batch_core::{BoxError, Chunk, Encoder, RefusedItem, Result};
use parking_lot::Mutex;
use serde::Serialize;
use sqlx::{PgConnection, postgres::PgDatabaseError};
use std::{ops::Range, sync::Arc};

/// Bytes in one message of COPY; a longer one is slower.
const PIECE: usize = 64 * 1024;
/// How many rows make a COPY in binary form quicker where the server inserts them one by one; measured on PostgreSQL 15.
///
/// It gathers up to 1,000 rows before it inserts them, and notes for each that the table's description is in use. The notes are all equal, and it
/// finds a free place among them by trying one after the other: half a million tries, three times over, in each statement of 1,000 rows.
/// In text form it gathers fewer, since their bytes count; beyond, the statement is paid for by the many rows.
const ONE_BY_ONE: Range<usize> = 600..2_000;

/// How items become the rows of a COPY.
#[derive(Debug)]
pub(super) struct Encoding {
    target: Target,
    columns: Vec<Column>,
    /// Whether every column has a type that values are made for here.
    is_binary: bool,
    /// For the bytes of chunks to come; no more of them than chunks that were under way at once.
    buffers: Mutex<Vec<Vec<u8>>>,
    suspicion: Suspicion,
}

/// The rows of a whole chunk.
struct Rows {
    bytes: Vec<u8>,
    form: Form,
}

/// Rows that were made ahead; another encoding's may be of other columns.
struct Ahead {
    rows: Rows,
    by: Arc<Encoding>,
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.by.take_back(&mut self.rows);
    }
}

impl Encoding {
    pub(super) fn new(target: &Target, columns: &[Column], is_binary: bool) -> Self {
        Self {
            target: target.clone(),
            columns: columns.to_vec(),
            is_binary,
            buffers: Mutex::default(),
            suspicion: Suspicion::default(),
        }
    }

    pub(super) fn encoder<T: Serialize + 'static>(self: &Arc<Self>) -> Encoder<T> {
        let by = self.clone();
        Encoder::new(move |items: &[T]| {
            // An item that cannot be a row is left for `copy` to report.
            let rows = (items.len() >= FEW).then(|| by.rows(items).ok())??;
            Some(Ahead { rows, by: by.clone() })
        })
    }

    /// Whether it makes the same rows: chunks in flight are encoded by one writer and written by its copies, each of which learned the table
    /// for itself.
    fn is_like(self: &Arc<Self>, other: &Arc<Self>) -> bool {
        let alike = || {
            let names = self.target.table == other.target.table && self.target.columns == other.target.columns;
            names && self.columns == other.columns && self.is_binary == other.is_binary
        };
        Arc::ptr_eq(self, other) || alike()
    }

    /// Sends the items; which statement that took.
    ///
    /// Nothing is sent before the whole chunk is made, so that a bad item leaves the connection as it was.
    pub(super) async fn copy<T: Serialize>(self: &Arc<Self>, conn: &mut PgConnection, items: Chunk<'_, T>) -> Result<&'static str> {
        match items.encoded::<Ahead>() {
            Some(ahead) if ahead.by.is_like(self) => self.send(conn, &items, &ahead.rows).await,
            _ => {
                let mut rows = self.rows(&items)?;
                let sent = self.send(conn, &items, &rows).await;
                self.take_back(&mut rows);
                sent
            }
        }
    }

    async fn send<T>(&self, conn: &mut PgConnection, items: &[T], rows: &Rows) -> Result<&'static str> {
        let one_by_one = rows.form == Form::Binary && ONE_BY_ONE.contains(&items.len()) && !self.suspicion.is_on();
        let mut copy = conn.copy_in_raw(&statements::copy(&self.target, rows.form, one_by_one)).await.map_err(Refused::from)?;
        for piece in rows.bytes.chunks(PIECE) {
            copy.send(piece).await.map_err(Refused::from)?;
        }
        match copy.finish().await {
            Ok(_) => {
                self.suspicion.copied();
                Ok(if rows.form == Form::Binary { "COPY BINARY" } else { "COPY TEXT" })
            }
            Err(error) => {
                if is_of_the_row(&error) {
                    self.suspicion.refused();
                }
                Err(named(error, &self.target, items.len()))
            }
        }
    }

    fn rows<T: Serialize>(&self, items: &[T]) -> Result<Rows, RowError> {
        let buffer = || self.buffers.lock().pop().unwrap_or_default();
        let (bytes, form) = rows::make(self.is_binary, |form| rows::copied(&self.target, &self.columns, form, buffer(), items))?;
        Ok(Rows { bytes, form })
    }

    /// Keeps the buffer of rows that are not needed any more: for the allocator one of a chunk's length is hard work.
    fn take_back(&self, rows: &mut Rows) {
        let mut buffer = std::mem::take(&mut rows.bytes);
        buffer.clear();
        self.buffers.lock().push(buffer);
    }
}

/// Whether CHECK or NOT NULL refused a row.
fn is_of_the_row(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(e) if matches!(e.code().as_deref(), Some("23514" | "23502")))
}

/// The error of a COPY with the row that it stopped at, as the server's context of the error says it: `COPY item, line 3`. Constraints that
/// are examined at the end of the statement name none.
fn named(error: sqlx::Error, target: &Target, rows: usize) -> BoxError {
    let row = match &error {
        sqlx::Error::Database(e) if class(&error) == Class::Constraint => {
            e.try_downcast_ref::<PgDatabaseError>().and_then(|e| line(e.r#where()?, target))
        }
        _ => None,
    };
    let error = Refused::from(error).into();
    match row.and_then(|row| row.checked_sub(1)).filter(|index| *index < rows) {
        Some(index) => RefusedItem { index, error }.into(),
        None => error,
    }
}

/// The first number behind the table's name, whatever the language of the server's messages.
fn line(context: &str, target: &Target) -> Option<usize> {
    let table = target.table.rsplit('.').next()?;
    let place = context.lines().last()?.strip_prefix("COPY ")?.strip_prefix(table)?.strip_prefix(',')?;
    let digits = place.trim_start_matches(|c: char| !c.is_ascii_digit());
    digits.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::line;
    use crate::dialect::target::{Action, Target};

    #[test]
    fn the_row_is_read_in_any_language() {
        let at = |table: &str, context: &str| line(context, &Target::new(table, Action::Insert));
        assert_eq!(at("item", "COPY item, line 12"), Some(12));
        assert_eq!(at("shop.item", "COPY item, Zeile 3, Spalte 7: \"x\""), Some(3));
        assert_eq!(at("item", "COPY item, 5行目"), Some(5));
        assert_eq!(at("item", "PL/pgSQL function f() line 9 at RAISE\nCOPY item, line 4"), Some(4));
        assert_eq!(at("item", "COPY item2, line 4"), None);
        assert_eq!(at("item", "SQL statement \"SELECT 1\""), None);
    }
}
