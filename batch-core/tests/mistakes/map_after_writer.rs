//! A processor behind the writer.
use batch_core::{Job, ListReader, ListWriter, Memory};

fn main() {
    let _job = Job::new("import", &Memory::new())
        .step("load", |s| Ok(s.chunk(10, ListReader::new(vec![1])).writer(ListWriter::new()).map(|n: i32| Ok(n + 1))));
}
