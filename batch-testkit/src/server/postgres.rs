//! PostgreSQL.

use std::{fs, path::PathBuf, sync::OnceLock};

use async_trait::async_trait;
use rustix::process::Signal;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use super::{Brand, Server};
use crate::{
    options::Options,
    programs,
    proxy::{PostgresWire, Wire},
    site::Site,
};

/// PostgreSQL, of the newest version found. User `postgres`, no password.
#[derive(Debug)]
pub struct Postgres;

impl Postgres {
    /// The one server of this process, started by the first call, without fsync. Never stop it: other tests use it.
    pub fn shared() -> &'static Server {
        static SHARED: OnceLock<Server> = OnceLock::new();
        SHARED.get_or_init(|| Server::start(Options::postgres().without_fsync()))
    }

    fn initdb(&self) -> PathBuf {
        programs::find("initdb", self.package()).canonicalize().unwrap()
    }
}

#[async_trait]
impl Brand for Postgres {
    fn user(&self) -> &'static str {
        "postgres"
    }

    fn package(&self) -> &'static str {
        "postgresql"
    }

    fn immediate(&self) -> (Signal, &'static str) {
        (Signal::QUIT, "QUIT")
    }

    fn orderly(&self) -> Signal {
        Signal::INT
    }

    fn install(&self, site: &Site) {
        let data = format!("--pgdata={}", site.data().display());
        let rest = ["--username=postgres", "--auth=trust", "--no-locale", "--encoding=UTF8", "--no-sync"].map(String::from);
        site.run(&self.initdb(), &[&[data], &rest[..]].concat());
    }

    fn program(&self) -> PathBuf {
        // PATH may have the one of another version.
        self.initdb().with_file_name("postgres")
    }

    fn arguments(&self, options: &Options, site: &Site) -> Vec<String> {
        let settings = [
            format!("unix_socket_directories={}", site.folder.display()),
            format!("listen_addresses={}", if site.port.is_some() { "127.0.0.1" } else { "" }),
            format!("port={}", number(site)),
            format!("fsync={}", if options.durable { "on" } else { "off" }),
            "max_connections=200".into(),
            "shared_buffers=16MB".into(),
        ];
        let settings = settings.into_iter().flat_map(|setting| ["-c".into(), setting]);
        ["-D".into(), site.data().display().to_string()].into_iter().chain(settings).collect()
    }

    /// The last line of the postmaster's file says so, as `pg_ctl` reads it; a killed server leaves its file to the next one.
    fn is_ready(&self, pid: u32, site: &Site) -> bool {
        let file = fs::read_to_string(site.data().join("postmaster.pid")).unwrap_or_default();
        file.starts_with(&format!("{pid}\n")) && file.lines().nth(7).is_some_and(|status| status.trim() == "ready")
    }

    fn socket(&self, site: &Site) -> PathBuf {
        site.folder.join(format!(".s.PGSQL.{}", number(site)))
    }

    fn url(&self, site: &Site, database: &str) -> String {
        format!("postgres://postgres@localhost:{}/{database}?host={}", number(site), site.folder.display())
    }

    fn tcp_url(&self, port: u16, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{port}/{database}?sslmode=disable")
    }

    fn wire(&self) -> Box<dyn Wire> {
        Box::new(PostgresWire::default())
    }

    async fn create(&self, site: &Site, database: &str) {
        let mut connection = PgConnection::connect(&self.url(site, "postgres")).await.unwrap();
        connection.execute(AssertSqlSafe(format!("CREATE DATABASE {database}"))).await.unwrap();
        connection.close().await.unwrap();
    }
}

/// The number in the socket's name, which is the port's where there is one.
fn number(site: &Site) -> u16 {
    site.port.unwrap_or(5432)
}
