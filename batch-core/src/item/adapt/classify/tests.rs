//! Stories of items that part.

use super::*;
use crate::item::ListWriter;
use serde_json::json;

async fn write(writer: &mut impl Writer<u32>, items: &[u32]) -> Result<()> {
    writer.write(&mut (), items.into()).await
}

#[tokio::test]
async fn each_item_goes_to_one_writer_in_one_call() {
    let (even, odd) = (ListWriter::new(), ListWriter::new());
    let mut writer = classify(|i: &u32| i % 2 == 1, (even.clone(), odd.clone()));
    write(&mut writer, &[1, 2, 3, 4, 5]).await.unwrap();
    assert_eq!(Writer::<u32>::flush(&mut writer).await.unwrap(), json!([2, 3]));
    assert_eq!((even.calls(), odd.calls()), (vec![vec![2, 4]], vec![vec![1, 3, 5]]));
    assert_eq!((even.items(), odd.items()), (vec![2, 4], vec![1, 3, 5]));
}

#[tokio::test]
async fn a_rollback_leaves_each_writer_its_own_items() {
    let lists = [ListWriter::new(), ListWriter::new(), ListWriter::new()];
    let mut writer = classify(|i: &u32| usize::try_from(i % 3).unwrap(), lists.to_vec());
    write(&mut writer, &[0, 1, 2, 3]).await.unwrap();
    write(&mut writer, &[5, 4]).await.unwrap();
    Writer::<u32>::rollback_to(&mut writer, 5);
    write(&mut writer, &[7]).await.unwrap();
    Writer::<u32>::flush(&mut writer).await.unwrap();
    assert_eq!(lists.map(|l| l.items()), [vec![0, 3], vec![1, 7], vec![2, 5]]);
}

#[tokio::test]
async fn an_index_without_a_writer_writes_nothing() {
    let lists = [ListWriter::new(), ListWriter::new()];
    let mut writer = classify(|i: &u32| usize::try_from(*i).unwrap(), lists.to_vec());
    assert!(write(&mut writer, &[0, 1, 2]).await.unwrap_err().to_string().contains("classified as 2"));
    assert!(lists.iter().all(|l| l.calls().is_empty()));
}

/// Refuses odd items by name.
#[derive(Clone)]
struct Even(ListWriter<u32>);

impl Writer<u32> for Even {
    async fn write(&mut self, conn: &mut (), items: Chunk<'_, u32>) -> Result<()> {
        let (even, odd): (Vec<_>, Vec<_>) = items.iter().enumerate().partition(|(_, i)| **i % 2 == 0);
        let even: Vec<u32> = even.into_iter().map(|(_, i)| *i).collect();
        self.0.write(conn, even.as_slice().into()).await?;
        if odd.is_empty() { Ok(()) } else { Err(FailedItems(odd.into_iter().map(|(i, _)| (i, "odd".into())).collect()).into()) }
    }
    fn rollback_to(&mut self, items: usize) {
        Writer::<u32>::rollback_to(&mut self.0, items);
    }
    async fn flush(&mut self) -> Result<Value> {
        Writer::<u32>::flush(&mut self.0).await
    }
}

#[tokio::test]
async fn refused_items_keep_their_index_in_the_chunk() {
    let (small, large) = (ListWriter::new(), ListWriter::new());
    let mut writer = classify(|i: &u32| *i >= 10, (small.clone(), Even(large.clone())));
    let error = write(&mut writer, &[1, 11, 2, 12, 13]).await.unwrap_err();
    let failed: Vec<_> = error.downcast::<FailedItems>().unwrap().0.into_iter().map(|(i, _)| i).collect();
    assert_eq!(failed, [1, 4]);
    Writer::<u32>::rollback_to(&mut writer, 2);
    Writer::<u32>::flush(&mut writer).await.unwrap();
    assert_eq!((small.items(), large.items()), (vec![1, 2], vec![]));
}
