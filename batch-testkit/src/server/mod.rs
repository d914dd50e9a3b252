//! A server that belongs to this process: started, killed and started again at a test's will.

mod brand;
mod mariadb;
mod postgres;
mod process;

use std::{
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use parking_lot::Mutex;

pub(crate) use brand::Brand;
pub use mariadb::MariaDb;
pub use postgres::Postgres;

use crate::{database::Database, options::Options, site::Site, watchdog::Watchdog};
use process::Process;

/// A running database server in a temporary folder. Dropped, it ends at once and its folder is removed.
///
/// The methods that start and stop it return when that is done, and block their thread so long: up to a few seconds.
#[derive(Debug)]
pub struct Server {
    options: Options,
    site: Arc<Site>,
    databases: AtomicU64,
    running: Mutex<Running>,
}

#[derive(Debug)]
struct Running {
    process: Option<Process>,
    watchdog: Watchdog,
}

impl Server {
    /// Makes the server's files and starts it; for tests that stop or kill theirs. Others share one, such as [`Postgres::shared`].
    ///
    /// Panics, with the command that installs it, where the server's program is missing.
    pub fn start(options: Options) -> Self {
        let brand = options.brand;
        let site = Arc::new(Site::new(brand.user(), brand.package(), options.tcp.then(free_port)));
        let watchdog = Watchdog::over(&site.folder, brand.immediate().1);
        brand.install(&site);
        let running = Mutex::new(Running { process: None, watchdog });
        let server = Self { options, site, databases: AtomicU64::new(0), running };
        server.start_again();
        server
    }

    /// Makes a new, empty database. It is left to the server's end.
    pub async fn database(&self) -> Database {
        let brand = self.options.brand;
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed) + 1);
        brand.create(&self.site, &name).await;
        Database { brand, site: Arc::clone(&self.site), name }
    }

    /// The port on 127.0.0.1, where [`Options::with_tcp`] asked for one.
    pub fn port(&self) -> Option<u16> {
        self.site.port
    }

    /// The process id: that of the postmaster, or of `mariadbd`. It changes with every start.
    ///
    /// Panics while the server is stopped.
    pub fn pid(&self) -> u32 {
        self.running.lock().process.as_ref().unwrap().id()
    }

    /// The Unix socket on which it listens.
    pub fn socket(&self) -> PathBuf {
        self.options.brand.socket(&self.site)
    }

    /// The folder of the server's files, its `log` among them.
    pub fn folder(&self) -> &Path {
        &self.site.folder
    }

    pub(crate) fn brand(&self) -> &'static dyn Brand {
        self.options.brand
    }

    /// Starts a stopped server on the same files, on the same socket and port; where it was killed, it recovers first.
    pub fn start_again(&self) {
        let mut running = self.running.lock();
        assert!(running.process.is_none(), "the server is running");
        let process = Process::start(&self.options, &self.site, &running.watchdog);
        running.process.insert(process).wait_until_ready(self.options.brand, &self.site);
    }

    /// Ends it as a crash would: `pg_ctl stop -m immediate` for PostgreSQL, SIGKILL for MariaDB. Open transactions are lost.
    pub fn stop_immediate(&self) {
        self.end(self.options.brand.immediate().0);
    }

    /// Ends it in order: open transactions are rolled back, connections closed.
    pub fn stop(&self) {
        self.end(self.options.brand.orderly());
    }

    fn end(&self, signal: rustix::process::Signal) {
        let mut running = self.running.lock();
        if let Some(process) = running.process.take() {
            process.end(signal);
            running.watchdog.forget();
        }
    }
}

impl Drop for Server {
    /// A child that nobody waits for would stay a zombie.
    fn drop(&mut self) {
        self.stop_immediate();
    }
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}
