//! The processors yield something else than the writer takes.
use batch_core::{Chunk, Job, ListReader, Memory, Result, Writer};
use std::marker::PhantomData;

#[derive(Clone)]
struct Row;
struct Out;
struct SqlInsert<T>(PhantomData<fn(T)>);

impl<T: Sync + 'static, Conn: Send> Writer<T, Conn> for SqlInsert<T> {
    async fn write(&mut self, _: &mut Conn, _: Chunk<'_, T>) -> Result<()> {
        Ok(())
    }
}

fn main() {
    let _job = Job::new("import", &Memory::new())
        .step("load", |s| Ok(s.chunk(10, ListReader::new(vec![Row])).filter(|_| true).writer(SqlInsert::<Out>(PhantomData))));
}
