//! A database of a test's own.

use std::sync::Arc;

use crate::{proxy::Proxy, server::Brand, site::Site};

/// One database of a [`Server`](crate::Server), empty when it is handed out.
#[derive(Debug, Clone)]
pub struct Database {
    pub(crate) brand: &'static dyn Brand,
    pub(crate) site: Arc<Site>,
    pub(crate) name: String,
}

impl Database {
    /// Its name, unique in its server.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The URL for sqlx, through the server's Unix socket.
    pub fn url(&self) -> String {
        self.brand.url(&self.site, &self.name)
    }

    /// The URL for sqlx through `port` of 127.0.0.1, without TLS.
    pub fn tcp_url(&self, port: u16) -> String {
        self.brand.tcp_url(port, &self.name)
    }

    /// The URL for sqlx through `proxy`, which is to lead to this database's server.
    pub fn url_through(&self, proxy: &Proxy) -> String {
        self.tcp_url(proxy.port())
    }
}
