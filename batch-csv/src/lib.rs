//! Delimited files (RFC 4180) as readers and writers of batch steps.
//!
//! [`CsvReader`] turns the records of a file into items and restarts by seeking to the byte after the last committed record.
//! [`CsvWriter`] collects items in a part file that follows the commits, and publishes it by a rename when the step completes.
//!
//! ```no_run
//! use batch_core::{Reader, Writer};
//! use batch_csv::{CsvReader, CsvWriter};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Product {
//!     id: i64,
//!     sku: String,
//!     price: f64,
//! }
//!
//! # async fn copy() -> batch_core::Result<()> {
//! let mut reader = CsvReader::<Product>::open("products.csv").delimiter(b';');
//! let mut writer = CsvWriter::create("copy.csv");
//! reader.open(None).await?;
//! Writer::<_, ()>::open(&mut writer, None).await?;
//! while let Some(product) = reader.read().await? {
//!     writer.write(&mut (), [product].as_slice().into()).await?;
//! }
//! let checkpoint = Writer::<_, ()>::flush(&mut writer).await?;
//! # drop(checkpoint);
//! Writer::<_, ()>::finish(&mut writer).await?;
//! # Ok(()) }
//! ```
#![forbid(unsafe_code)]

mod problem;
mod reader;
mod record;
mod writer;

pub use csv::{QuoteStyle, StringRecord, Terminator, Trim};
pub use encoding_rs::Encoding;
pub use reader::{CsvPosition, CsvReader};
pub use record::{Column, ColumnIndex, NewText, RecordRow};
pub use writer::{CsvWriter, Existing, Fsync};
