//! A closure where a processor is wanted.
use batch_core::{Job, ListReader, ListWriter, Memory};

fn main() {
    let _job = Job::new("import", &Memory::new())
        .step("load", |s| Ok(s.chunk(10, ListReader::new(vec![1])).processor(|n: i32| Ok(n + 1)).writer(ListWriter::<i32>::new())));
}
