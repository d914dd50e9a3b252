//! Streams as readers.

use crate::{
    error::{BoxError, Result},
    item::Reader,
};
use futures_util::{Stream, StreamExt, stream::BoxStream};
use std::fmt;

/// A reader of any stream; see [`stream`].
pub struct StreamReader<I>(BoxStream<'static, I>);

/// Reads the items of a stream that cannot fail; for one of results see [`try_stream`].
///
/// It cannot seek: its position serialises to null, and a restart reads and drops what was consumed, so that the stream must yield
/// the same items again.
pub fn stream<S: Stream + Send + 'static>(items: S) -> StreamReader<S::Item> {
    StreamReader(items.boxed())
}

impl<I> fmt::Debug for StreamReader<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StreamReader")
    }
}

impl<I: Send + 'static> Reader for StreamReader<I> {
    type Item = I;
    type Position = ();

    async fn open(&mut self, _: Option<()>) -> Result<()> {
        Ok(())
    }

    async fn read(&mut self) -> Result<Option<I>> {
        Ok(self.0.next().await)
    }

    fn position(&self) {}
}

/// A reader of a stream of results; see [`try_stream`].
pub struct TryStreamReader<I, E>(BoxStream<'static, Result<I, E>>);

/// Reads the items of a stream that may fail, such as the rows of a query.
///
/// An `Err` that is a [`BadRecord`](crate::BadRecord) may be skipped, any other fails the step. It cannot seek, as [`stream`].
pub fn try_stream<I, E, S>(items: S) -> TryStreamReader<I, E>
where
    S: Stream<Item = Result<I, E>> + Send + 'static,
{
    TryStreamReader(items.boxed())
}

impl<I, E> fmt::Debug for TryStreamReader<I, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TryStreamReader")
    }
}

impl<I: Send + 'static, E: Into<BoxError> + 'static> Reader for TryStreamReader<I, E> {
    type Item = I;
    type Position = ();

    async fn open(&mut self, _: Option<()>) -> Result<()> {
        Ok(())
    }

    async fn read(&mut self) -> Result<Option<I>> {
        self.0.next().await.transpose().map_err(Into::into)
    }

    fn position(&self) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{error::BadRecord, item::reader_conformance};
    use futures_util::stream as streams;

    #[tokio::test]
    async fn a_stream_is_a_conforming_reader() {
        reader_conformance(|| stream(streams::iter(0..4))).await;
        let waits = || {
            streams::iter(0..4).then(|i| async move {
                tokio::task::yield_now().await;
                i
            })
        };
        reader_conformance(move || stream(waits())).await;
    }

    #[tokio::test]
    async fn bad_records_of_a_stream_can_be_skipped() {
        let story = || (0..4).map(|i| if i == 1 { Err(BadRecord::new("one")) } else { Ok(i) });
        reader_conformance(move || try_stream(streams::iter(story()))).await;
    }

    #[test]
    fn the_position_of_a_stream_is_null() {
        let reader = stream(streams::iter(0..1));
        assert!(serde_json::json!(reader.position()).is_null());
    }
}
