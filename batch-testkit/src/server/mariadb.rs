//! MariaDB.

use std::{io::Read, os::unix::net::UnixStream, path::PathBuf, sync::OnceLock};

use async_trait::async_trait;
use rustix::process::Signal;
use sqlx::{AssertSqlSafe, Connection, Executor, MySqlConnection};

use super::{Brand, Server};
use crate::{
    options::Options,
    programs,
    proxy::{MySqlWire, Wire},
    site::Site,
};

/// MariaDB, as installed. User `root`, no password.
#[derive(Debug)]
pub struct MariaDb;

impl MariaDb {
    /// The one server of this process, started by the first call, without fsync. Never stop it: other tests use it.
    pub fn shared() -> &'static Server {
        static SHARED: OnceLock<Server> = OnceLock::new();
        SHARED.get_or_init(|| Server::start(Options::mariadb().without_fsync()))
    }
}

#[async_trait]
impl Brand for MariaDb {
    fn user(&self) -> &'static str {
        "mysql"
    }

    fn package(&self) -> &'static str {
        "mariadb-server"
    }

    fn immediate(&self) -> (Signal, &'static str) {
        (Signal::KILL, "KILL")
    }

    fn orderly(&self) -> Signal {
        Signal::TERM
    }

    fn install(&self, site: &Site) {
        let data = format!("--datadir={}", site.data().display());
        let rest = ["--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"].map(String::from);
        let program = programs::find("mariadb-install-db", self.package());
        site.run(&program, &[&["--no-defaults".into(), data], &rest[..]].concat());
    }

    fn program(&self) -> PathBuf {
        programs::find("mariadbd", self.package())
    }

    fn arguments(&self, options: &Options, site: &Site) -> Vec<String> {
        let mut arguments = vec![
            "--no-defaults".into(),
            format!("--datadir={}", site.data().display()),
            format!("--socket={}", self.socket(site).display()),
            // A server that starts deletes what it takes for leftovers in this folder: also those of another one that runs.
            format!("--tmpdir={}", site.data().display()),
            format!("--pid-file={}", site.folder.join("pid").display()),
            format!("--innodb-flush-log-at-trx-commit={}", if options.durable { 1 } else { 2 }),
        ];
        arguments.extend(SETTINGS.map(String::from));
        match site.port {
            Some(port) => arguments.extend(["--bind-address=127.0.0.1".into(), format!("--port={port}")]),
            None => arguments.push("--skip-networking".into()),
        }
        arguments
    }

    /// It greets whoever connects once it serves.
    fn is_ready(&self, _: u32, site: &Site) -> bool {
        UnixStream::connect(self.socket(site)).and_then(|mut stream| stream.read_exact(&mut [0; 5])).is_ok()
    }

    fn socket(&self, site: &Site) -> PathBuf {
        site.folder.join("s.sock")
    }

    fn url(&self, site: &Site, database: &str) -> String {
        format!("mysql://root@localhost/{database}?socket={}", self.socket(site).display())
    }

    fn tcp_url(&self, port: u16, database: &str) -> String {
        format!("mysql://root@127.0.0.1:{port}/{database}?ssl-mode=DISABLED")
    }

    fn wire(&self) -> Box<dyn Wire> {
        Box::new(MySqlWire::default())
    }

    async fn create(&self, site: &Site, database: &str) {
        let mut connection = MySqlConnection::connect(&self.url(site, "mysql")).await.unwrap();
        connection.execute(AssertSqlSafe(format!("CREATE DATABASE {database}"))).await.unwrap();
        connection.close().await.unwrap();
    }
}

const SETTINGS: [&str; 7] = [
    "--skip-name-resolve",
    "--skip-log-bin",
    "--character-set-server=utf8mb4",
    "--max-connections=300",
    // One who connects only to see whether it serves counts as an error, and too many would lock the host out.
    "--max-connect-errors=1000000",
    "--innodb-buffer-pool-size=32M",
    "--innodb-log-file-size=16M",
];
