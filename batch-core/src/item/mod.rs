//! What users write: readers, processors and writers, and adapters between them.

mod boxed;
mod closure;
mod processor;
mod reader;
mod writer;

pub use boxed::BoxReader;
pub use closure::{Chain, Identity, Map, Then, filter_map, map};
pub use processor::Processor;
pub use reader::{Reader, Total};
pub(crate) use writer::Numbers;
pub use writer::{Chunk, Undo, Writer};
