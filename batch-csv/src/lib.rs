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
//!
//! # Rows
//! Items need not be structs. [`CsvReader::rows`] yields [`RecordRow`]s, which lend their fields and have no `String` for any: they take
//! less than half of the work that structs do, and a writer of them copies what was not changed.
//!
//! ```
//! use batch_core::{Job, Memory, Result};
//! use batch_csv::{Column, CsvReader, CsvWriter, RecordRow};
//!
//! static NAME: Column = Column::new("name");
//!
//! fn check(mut row: RecordRow) -> Result<RecordRow> {
//!     let stock: u32 = row.parse("stock")?; // else the item is skipped, or fails, with line, column and row
//!     row.rewrite(&NAME, |name, new| new.push_uppercase(name))?;
//!     row.set("stock", stock + 1)?;
//!     Ok(row)
//! }
//!
//! let job = Job::new("copy", &Memory::new()).step("products", |s| {
//!     Ok(s.chunk(1000, CsvReader::rows("products.csv")).without_transaction().map(check).writer(CsvWriter::create("copy.csv")))
//! });
//! # drop(job);
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
