//! One connection to a server, with the number by which the server knows it.

use super::kind::Kind;
use crate::slot::Live;
use sqlx::{ConnectOptions, Connection};

/// A connection of the handle's own.
pub(crate) struct ServerLive<K: Kind> {
    conn: K::Conn,
    pub(crate) number: i64,
    /// Whether it keeps the statement of chunks' commits by name.
    pub(crate) prepared: bool,
}

impl<K: Kind> Live for ServerLive<K> {
    type Conn = K::Conn;
    type Options = K::Connect;

    async fn open(options: &K::Connect) -> Result<Self, sqlx::Error> {
        let mut conn = options.connect().await?;
        let number = K::greet(&mut conn, options).await?;
        Ok(Self { conn, number, prepared: false })
    }

    fn conn(&mut self) -> &mut K::Conn {
        &mut self.conn
    }

    async fn close(self) {
        // An error of closing has nobody to go to: the server undoes what was open either way.
        let _ = self.conn.close().await;
    }
}
