//! A unit of work whose function does not take the reader's keys.
use batch_core::{Job, ListReader, Memory, Result};

async fn count(_: &mut (), _user: String) -> Result<()> {
    Ok(())
}

fn main() {
    let _job = Job::new("statistics", &Memory::new()).step("users", |s| Ok(s.units(ListReader::new(vec![1_i64, 2]), count)));
}
