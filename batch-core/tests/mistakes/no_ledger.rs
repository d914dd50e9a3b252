//! Rows into something that keeps no ledger.
use batch_core::{Job, ListReader, ListWriter, Memory};

fn main() {
    let _job = Job::new("import", &Memory::new())
        .step("load", |s| Ok(s.chunk(10, ListReader::new(vec![1])).transaction(&"orders.csv").writer(ListWriter::new())));
}
