//! Readers and writers made of others, of iterators and of lists.

mod classify;
mod iter;
mod list_reader;
mod list_writer;
mod multi;
mod part;
mod peek;
mod reader_conformance;
mod several;
mod stream;
mod tuple;

pub use classify::{Classify, classify};
pub use iter::{IterReader, TryIterReader, iter, try_iter};
pub use list_reader::ListReader;
pub use list_writer::ListWriter;
pub use multi::{MultiPosition, MultiReader};
pub use peek::Peek;
pub use reader_conformance::reader_conformance;
pub use stream::{StreamReader, TryStreamReader, stream, try_stream};

use crate::error::{BoxError, Error, ErrorKind};

/// The input ends before the position that was committed: going on would leave out what came instead.
fn shrunk(position: u64, found: Option<u64>) -> BoxError {
    let found = found.map_or_else(|| "fewer".to_owned(), |found| found.to_string());
    let message = format!("the input has {found} records, but {position} were committed: restore the input before a restart");
    Error::new(ErrorKind::NeedsOperator, message).into()
}
