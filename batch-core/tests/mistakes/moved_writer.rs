//! A writer made outside the factory, which is called at each start of the step.
use batch_core::{Chunk, Job, ListReader, Memory, Result, Writer};

struct Target;

impl<Conn: Send> Writer<i32, Conn> for Target {
    async fn write(&mut self, _: &mut Conn, _: Chunk<'_, i32>) -> Result<()> {
        Ok(())
    }
}

fn main() {
    let target = Target;
    let _job = Job::new("import", &Memory::new()).step("load", move |s| Ok(s.chunk(10, ListReader::new(vec![1])).writer(target)));
}
