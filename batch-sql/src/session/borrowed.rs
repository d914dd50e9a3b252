//! A borrowed connection, of whichever driver.

use crate::{
    slot::{Lent, Live},
    sql::{Answer, Link},
};
use async_trait::async_trait;
use std::sync::Arc;

/// A connection that a session borrowed.
#[async_trait]
pub(crate) trait Borrowed: Send {
    fn link(&mut self) -> &mut dyn Link;
    /// Runs the first text since it was lent.
    async fn first(&mut self, text: Arc<str>) -> Result<Answer, sqlx::Error>;
    fn give_back(self: Box<Self>);
    async fn close(self: Box<Self>);
}

#[async_trait]
impl<L: Live> Borrowed for Lent<L> {
    fn link(&mut self) -> &mut dyn Link {
        self.conn()
    }

    async fn first(&mut self, text: Arc<str>) -> Result<Answer, sqlx::Error> {
        Lent::first(self, text).await
    }

    fn give_back(self: Box<Self>) {
        Lent::give_back(*self);
    }

    async fn close(self: Box<Self>) {
        Lent::close(*self).await;
    }
}
