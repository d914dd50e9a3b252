//! Iterators as readers.

use super::shrunk;
use crate::{
    error::{BadRecord, BoxError, Result, Transient, caused_by},
    item::{Reader, Total},
};

/// A reader of any iterator; see [`iter`].
#[derive(Debug, Clone)]
pub struct IterReader<T> {
    items: T,
    position: u64,
}

/// Reads the items of anything that iterates: a collection, a range, a query's result in memory.
///
/// The position is the number of items read. A restart passes over so many with [`Iterator::nth`], so the iterator must yield the
/// same items again; one that ends before the position is refused with kind `NeedsOperator`. For an iterator of results see
/// [`try_iter`].
pub fn iter<I: IntoIterator>(items: I) -> IterReader<I::IntoIter> {
    IterReader { items: items.into_iter(), position: 0 }
}

impl<T> Reader for IterReader<T>
where
    T: Iterator<Item: Send + 'static> + Send + 'static,
{
    type Item = T::Item;
    type Position = u64;

    async fn open(&mut self, resume: Option<u64>) -> Result<()> {
        let Some(position) = resume.filter(|p| *p > 0) else { return Ok(()) };
        let known = rest(&self.items, 0).map(|total| total.of);
        self.items.nth(usize::try_from(position - 1)?).ok_or_else(|| shrunk(position, known))?;
        self.position = position;
        Ok(())
    }

    async fn read(&mut self) -> Result<Option<T::Item>> {
        let item = self.items.next();
        self.position += u64::from(item.is_some());
        Ok(item)
    }

    fn position(&self) -> u64 {
        self.position
    }

    async fn read_chunk(&mut self, max: usize, into: &mut Vec<T::Item>) -> Result<bool> {
        let before = into.len();
        into.extend(self.items.by_ref().take(max.saturating_sub(before)));
        self.position += (into.len() - before) as u64;
        Ok(into.len() >= max)
    }

    fn total(&self) -> Option<Total> {
        rest(&self.items, self.position)
    }
}

/// A reader of an iterator of results; see [`try_iter`].
#[derive(Debug, Clone)]
pub struct TryIterReader<T> {
    items: T,
    position: u64,
}

/// Reads the items of an iterator that may fail.
///
/// An `Err` that is a [`BadRecord`] has consumed its record and may be skipped; one that is [`Transient`] has not, and the next
/// call of the iterator must yield the record; any other fails the step. The position and a restart are those of [`iter`]; an
/// error that is no `BadRecord` among the items passed over is returned by `open`.
pub fn try_iter<T, E, I>(items: I) -> TryIterReader<I::IntoIter>
where
    I: IntoIterator<Item = Result<T, E>>,
    E: Into<BoxError>,
{
    TryIterReader { items: items.into_iter(), position: 0 }
}

impl<T, E, I> Reader for TryIterReader<I>
where
    T: Send + 'static,
    E: Into<BoxError> + 'static,
    I: Iterator<Item = Result<T, E>> + Send + 'static,
{
    type Item = T;
    type Position = u64;

    async fn open(&mut self, resume: Option<u64>) -> Result<()> {
        let position = resume.unwrap_or(0);
        while self.position < position {
            match self.next() {
                Ok(None) => return Err(shrunk(position, Some(self.position))),
                Err(e) if !caused_by::<BadRecord>(&e, |_| true) => return Err(e),
                Ok(Some(_)) | Err(_) => {}
            }
        }
        Ok(())
    }

    async fn read(&mut self) -> Result<Option<T>> {
        self.next()
    }

    fn position(&self) -> u64 {
        self.position
    }

    fn total(&self) -> Option<Total> {
        rest(&self.items, self.position)
    }
}

impl<T, E: Into<BoxError>, I: Iterator<Item = Result<T, E>>> TryIterReader<I> {
    fn next(&mut self) -> Result<Option<T>> {
        let item = self.items.next().transpose().map_err(Into::into);
        let consumed = match &item {
            Ok(item) => item.is_some(),
            Err(e) => e.is::<BadRecord>() || !caused_by::<Transient>(e, |_| true),
        };
        self.position += u64::from(consumed);
        item
    }
}

/// Items in all, where the iterator knows how many are left.
fn rest(items: &impl Iterator, done: u64) -> Option<Total> {
    let (least, most) = items.size_hint();
    (most == Some(least)).then(|| Total { done, of: done + least as u64 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::reader_conformance;

    #[tokio::test]
    async fn an_iterator_is_a_conforming_reader() {
        reader_conformance(|| iter(0..5)).await;
        reader_conformance(|| iter(Vec::<String>::new())).await;
    }

    #[tokio::test]
    async fn bad_records_of_an_iterator_count_as_read() {
        reader_conformance(|| try_iter((0..4).map(|i| if i == 2 { Err(BadRecord::new("two")) } else { Ok(i) }))).await;
    }

    #[tokio::test]
    async fn an_iterator_that_became_shorter_is_refused() {
        assert!(iter(0..3).open(Some(4)).await.unwrap_err().to_string().contains("3 records, but 4"));
        assert!(iter((0..3).filter(|_| true)).open(Some(4)).await.unwrap_err().to_string().contains("fewer records, but 4"));
        assert!(iter(0..3).open(Some(3)).await.is_ok());
        let mut short = try_iter((0..3).map(Ok::<_, BoxError>));
        assert!(short.open(Some(4)).await.unwrap_err().to_string().contains("3 records, but 4"));
    }

    #[tokio::test]
    async fn a_transient_error_consumes_nothing() {
        let story = [Ok(1), Err(Box::new(Transient("busy".into())) as BoxError), Ok(2)];
        let mut reader = try_iter(story);
        assert_eq!(reader.read().await.unwrap(), Some(1));
        assert!(reader.read().await.is_err());
        assert_eq!(reader.position(), 1);
        assert_eq!(reader.read().await.unwrap(), Some(2));
    }

    #[tokio::test]
    async fn an_iterator_of_known_length_tells_its_progress() {
        let mut reader = iter(0..10);
        reader.open(Some(4)).await.unwrap();
        assert_eq!(reader.total(), Some(Total { done: 4, of: 10 }));
    }
}
