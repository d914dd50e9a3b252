//! A chunk step without a writer.
use batch_core::{Job, ListReader, Memory};

fn main() {
    let _job = Job::new("import", &Memory::new()).step("load", |s| Ok(s.chunk(10, ListReader::new(vec![1, 2])).map(|n: i32| Ok(n + 1))));
}
