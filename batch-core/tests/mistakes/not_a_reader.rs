//! A list where a reader is wanted.
use batch_core::{Job, ListWriter, Memory};

fn main() {
    let _job = Job::new("import", &Memory::new()).step("load", |s| Ok(s.chunk(10, vec![1, 2, 3]).writer(ListWriter::<i32>::new())));
}
