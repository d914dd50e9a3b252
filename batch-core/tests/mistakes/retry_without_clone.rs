//! Retrying items that cannot be copied.
use batch_core::{Job, ListWriter, Memory, Retry, iter};

struct Row;

fn main() {
    let _job = Job::new("import", &Memory::new())
        .step("load", |s| Ok(s.chunk(10, iter(vec![Row])).map(|_| Ok(1)).writer(ListWriter::new()).retry(Retry::times(3))));
}
