//! The few things in which the servers differ.

use std::{fmt::Debug, path::PathBuf};

use async_trait::async_trait;
use rustix::process::Signal;

use crate::{options::Options, proxy::Wire, site::Site};

/// A kind of server.
#[async_trait]
pub(crate) trait Brand: Debug + Sync {
    /// Whom the distribution runs the server as; its group has the same name.
    fn user(&self) -> &'static str;

    /// The package that has the server's programs.
    fn package(&self) -> &'static str;

    /// The signal that ends it as a crash would, and its name for a shell.
    fn immediate(&self) -> (Signal, &'static str);

    /// The signal that ends it in order.
    fn orderly(&self) -> Signal;

    /// Makes the server's files in the site's data folder.
    fn install(&self, site: &Site);

    /// The server's program.
    fn program(&self) -> PathBuf;

    /// The arguments with which the program serves.
    fn arguments(&self, options: &Options, site: &Site) -> Vec<String>;

    /// Whether the process `pid` answers statements yet.
    fn is_ready(&self, pid: u32, site: &Site) -> bool;

    /// The Unix socket on which it listens.
    fn socket(&self, site: &Site) -> PathBuf;

    /// The URL of a database through the Unix socket.
    fn url(&self, site: &Site, database: &str) -> String;

    /// The URL of a database through a port of 127.0.0.1.
    fn tcp_url(&self, port: u16, database: &str) -> String;

    /// What a new connection speaks.
    fn wire(&self) -> Box<dyn Wire>;

    /// Creates a database.
    async fn create(&self, site: &Site, database: &str);
}
