//! A tasklet whose argument types are not written out.
use batch_core::{Job, Memory};

fn main() {
    let _job = Job::new("purge", &Memory::new()).step("purge", |s| Ok(s.tasklet(async |_, context| context.set("purged", 1))));
}
