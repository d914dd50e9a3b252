//! What users write: readers, processors and writers, and adapters between them.

mod adapt;
mod boxed;
mod closure;
mod encoder;
mod iso;
mod processor;
mod reader;
mod writer;

pub use adapt::{
    Classify, IterReader, ListReader, ListWriter, MultiPosition, MultiReader, Peek, StreamReader, TryIterReader, TryStreamReader,
    classify, iter, reader_conformance, stream, try_iter, try_stream,
};
pub use boxed::BoxReader;
pub use closure::{Chain, Identity, Map, Then, filter_map, map};
pub(crate) use encoder::Encoded;
pub use encoder::Encoder;
pub use iso::{from_iso, iso};
pub use processor::Processor;
pub use reader::{Reader, Total};
pub use writer::{Chunk, Undo, Writer};
pub(crate) use writer::{Gaps, Numbers};
