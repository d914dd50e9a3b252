//! What records become.

use super::reading::Reading;
use crate::record::{Deserializer, RecordRow};
use batch_core::Result;
use serde::de::DeserializeOwned;

/// What a [`CsvReader`](crate::CsvReader) can yield: every type that serde can deserialise, and [`RecordRow`].
#[diagnostic::on_unimplemented(
    message = "a `CsvReader` cannot yield `{Self}` items",
    label = "not made from a record",
    note = "derive `serde::Deserialize` for it, or read `batch_csv::RecordRow`s with `CsvReader::rows(path)`"
)]
pub trait FromRecord: Send + Sized + 'static {
    /// Yields the next item.
    #[doc(hidden)]
    fn read(reading: &mut Reading) -> Result<Option<Self>>;

    /// Yields items into `into` until that holds `max`; `Ok(false)` at the end.
    #[doc(hidden)]
    fn read_chunk(reading: &mut Reading, max: usize, into: &mut Vec<Self>) -> Result<bool>;
}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned + Send + 'static> FromRecord for T {
    fn read(reading: &mut Reading) -> Result<Option<Self>> {
        reading.next(|row| T::deserialize(&mut Deserializer::new(row)))
    }

    /// Items are pushed where they are made, because moving them from result to result takes longer than making them.
    fn read_chunk(reading: &mut Reading, max: usize, into: &mut Vec<Self>) -> Result<bool> {
        while into.len() < max {
            let pushed = reading.next(|row| {
                into.push(T::deserialize(&mut Deserializer::new(row))?);
                Ok(())
            })?;
            if pushed.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl FromRecord for RecordRow {
    fn read(reading: &mut Reading) -> Result<Option<Self>> {
        reading.next_row()
    }

    fn read_chunk(reading: &mut Reading, max: usize, into: &mut Vec<Self>) -> Result<bool> {
        reading.next_rows(max, into)
    }
}
