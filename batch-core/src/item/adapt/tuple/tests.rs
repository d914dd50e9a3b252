//! Stories of writers side by side.

use super::*;
use crate::item::ListWriter;
use parking_lot::Mutex;
use serde_json::json;
use std::sync::Arc;

/// Refuses an item by name, or fails; writes down the keys it took and the calls.
#[derive(Clone, Default)]
struct Broker {
    refuses: Option<u32>,
    fails: bool,
    sent: Arc<Mutex<Vec<String>>>,
    closed: Arc<Mutex<u32>>,
}

impl Writer<u32> for Broker {
    async fn write(&mut self, (): &mut (), items: Chunk<'_, u32>) -> Result<()> {
        let refused = |item: &u32| Some(*item) == self.refuses;
        self.sent.lock().extend(items.keyed().filter(|(_, i)| !refused(i)).map(|(key, _)| key));
        match items.iter().position(refused) {
            Some(index) => Err(FailedItems(vec![(index, "too large".into())]).into()),
            None => Ok(()),
        }
    }

    async fn close(&mut self) -> Result<()> {
        *self.closed.lock() += 1;
        if self.fails { Err("the connection is gone".into()) } else { Ok(()) }
    }

    fn undo(&self) -> Undo {
        if self.fails { Undo::Transaction } else { Undo::Idempotent }
    }
}

async fn write(writer: &mut impl Writer<u32>, items: &[u32]) -> Result<()> {
    writer.write(&mut (), items.into()).await
}

#[tokio::test]
async fn every_writer_gets_every_item() {
    let (a, b, c) = (ListWriter::new(), ListWriter::new(), ListWriter::new());
    let mut all = (a.clone(), b.clone(), c.clone());
    write(&mut all, &[1, 2]).await.unwrap();
    assert_eq!(Writer::<u32>::flush(&mut all).await.unwrap(), json!([2, 2, 2]));
    assert_eq!((a.items(), b.items(), c.items()), (vec![1, 2], vec![1, 2], vec![1, 2]));
}

#[tokio::test]
async fn each_is_opened_with_its_own_part_of_the_checkpoint() {
    let (a, b) = (ListWriter::new(), ListWriter::new());
    let mut all = (a.clone(), b.clone());
    write(&mut all, &[1, 2]).await.unwrap();
    Writer::<u32>::flush(&mut all).await.unwrap();
    Writer::<u32>::open(&mut all, Some(json!([1, 0]))).await.unwrap();
    assert_eq!((a.items(), b.items()), (vec![1], vec![]));
    let other = Writer::<u32>::open(&mut all, Some(json!([1]))).await.unwrap_err();
    assert_eq!(other.to_string(), "the checkpoint is of 1 writers, the step has 2");
}

#[tokio::test]
async fn a_rollback_reaches_all() {
    let (a, b) = (ListWriter::new(), ListWriter::new());
    let mut all = (a.clone(), b.clone());
    write(&mut all, &[1, 2]).await.unwrap();
    Writer::<u32>::rollback_to(&mut all, 1);
    Writer::<u32>::flush(&mut all).await.unwrap();
    assert_eq!((a.items(), b.items()), (vec![1], vec![1]));
}

#[tokio::test]
async fn items_that_the_first_refuses_by_name_are_kept_from_the_others() {
    let (first, list) = (Broker { refuses: Some(2), ..Broker::default() }, ListWriter::new());
    let mut all = (first.clone(), list.clone());
    let error = write(&mut all, &[1, 2, 3]).await.unwrap_err();
    assert_eq!(error.downcast::<FailedItems>().unwrap().0[0].0, 1);
    Writer::<u32>::flush(&mut all).await.unwrap();
    assert_eq!((list.items(), first.sent.lock().clone()), (vec![1, 3], vec!["test/0".to_owned(), "test/2".to_owned()]));
}

#[tokio::test]
async fn items_that_a_later_one_refuses_fail_the_call() {
    let mut all = (ListWriter::new(), Broker { refuses: Some(2), ..Broker::default() });
    let error = write(&mut all, &[1, 2, 3]).await.unwrap_err();
    assert!(error.to_string().contains("too large") && !error.is::<FailedItems>());
}

#[tokio::test]
async fn all_are_closed_though_one_fails() {
    let broken = Broker { fails: true, ..Broker::default() };
    let whole = Broker::default();
    let mut all = (broken.clone(), whole.clone());
    assert!(Writer::<u32>::close(&mut all).await.unwrap_err().to_string().contains("gone"));
    assert_eq!((*broken.closed.lock(), *whole.closed.lock()), (1, 1));
}

#[test]
fn the_weakest_decides_what_undoes_the_whole() {
    let undo = |fails| Writer::<u32>::undo(&(ListWriter::new(), Broker { fails, ..Broker::default() }));
    assert_eq!((undo(false), undo(true)), (Undo::Rewind, Undo::Transaction));
}

#[tokio::test]
async fn tuples_nest() {
    let (a, b, c) = (ListWriter::new(), ListWriter::new(), ListWriter::new());
    let mut all = ((a.clone(), b), c.clone());
    write(&mut all, &[1]).await.unwrap();
    let saved = Writer::<u32>::flush(&mut all).await.unwrap();
    assert_eq!(saved, json!([[1, 1], 1]));
    Writer::<u32>::open(&mut all, Some(saved)).await.unwrap();
    assert_eq!((a.items(), c.items()), (vec![1], vec![1]));
}
