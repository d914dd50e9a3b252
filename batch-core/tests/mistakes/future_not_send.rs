//! A value that must stay on its thread, held across an await.
use batch_core::{Processor, Result};
use std::rc::Rc;

struct Slow;

impl Processor<i32> for Slow {
    type Out = i32;

    async fn process(&self, item: i32) -> Result<Option<i32>> {
        let held = Rc::new(item);
        tokio::task::yield_now().await;
        Ok(Some(*held))
    }
}

fn main() {}
