//! A borrowed connection, of whichever driver.

use crate::{
    slot::{Lent, Live},
    sql::Link,
};
use async_trait::async_trait;

/// A connection that a session borrowed.
#[async_trait]
pub(crate) trait Borrowed: Send {
    fn link(&mut self) -> &mut dyn Link;
    /// Whether it was open before it was lent.
    fn was_kept(&self) -> bool;
    /// Opens another one in its place.
    async fn reopen(&mut self) -> Result<(), sqlx::Error>;
    fn give_back(self: Box<Self>);
    async fn close(self: Box<Self>);
}

#[async_trait]
impl<L: Live> Borrowed for Lent<L> {
    fn link(&mut self) -> &mut dyn Link {
        self.conn()
    }

    fn was_kept(&self) -> bool {
        Lent::was_kept(self)
    }

    async fn reopen(&mut self) -> Result<(), sqlx::Error> {
        Lent::reopen(self).await
    }

    fn give_back(self: Box<Self>) {
        Lent::give_back(*self);
    }

    async fn close(self: Box<Self>) {
        Lent::close(*self).await;
    }
}
