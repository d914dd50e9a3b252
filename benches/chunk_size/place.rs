//! A database, its table, and what can be done with it.

use crate::{hand::Hand, product::stock};
use batch_core::Result;
use batch_sql::Database;
use batch_testkit::{Options, Server};
use std::path::Path;

pub struct Place {
    pub name: &'static str,
    pub database: Database,
    pub hand: Hand,
    table: &'static str,
    /// Rows are written anew with another edition each time, so that an update changes them.
    pub edition: i32,
    /// Jobs so far, by which their instances differ.
    pub runs: i64,
    /// Ends with this.
    _server: Option<Server>,
}

impl Place {
    pub async fn open(name: &str, folder: &Path) -> Result<Self> {
        let (name, server, table) = match name {
            "SQLite" => ("SQLite", None, SQLITE),
            "PostgreSQL" => ("PostgreSQL", Some(Server::start(Options::postgres())), POSTGRES),
            _ => ("MariaDB", Some(Server::start(Options::mariadb())), MARIADB),
        };
        let url = match &server {
            Some(server) => server.database().await.url(),
            None => format!("sqlite://{}?mode=rwc", folder.join("chunks.db").display()),
        };
        let database = Database::open(&url).await?;
        Ok(Self { name, database, hand: Hand::open(&url).await?, table, edition: 0, runs: 0, _server: server })
    }

    /// The table anew.
    pub async fn empty(&mut self) -> Result<()> {
        self.database.execute("DROP TABLE IF EXISTS product").await?;
        self.database.execute(self.table).await?;
        Ok(())
    }

    /// Whether the table has so many rows, all of this edition.
    pub async fn check(&mut self, rows: usize) -> Result<()> {
        let sum = (1..=rows as i64).map(|id| i64::from(stock(id, self.edition))).sum::<i64>();
        let (expected, found) = ((rows as i64, sum), self.hand.sum().await?);
        if found == expected { Ok(()) } else { Err(format!("{}: {found:?} in the table, not {expected:?}", self.name).into()) }
    }
}

const SQLITE: &str = "CREATE TABLE product (id INTEGER PRIMARY KEY, sku TEXT NOT NULL, name TEXT NOT NULL,
    category TEXT NOT NULL, price_cents INTEGER NOT NULL, stock INTEGER NOT NULL, updated_at TEXT NOT NULL)";
const POSTGRES: &str = "CREATE TABLE product (id BIGINT PRIMARY KEY, sku TEXT NOT NULL, name TEXT NOT NULL,
    category TEXT NOT NULL, price_cents BIGINT NOT NULL, stock INT NOT NULL, updated_at TIMESTAMPTZ NOT NULL)";
const MARIADB: &str = "CREATE TABLE product (id BIGINT PRIMARY KEY, sku VARCHAR(255) NOT NULL, name VARCHAR(255) NOT NULL,
    category VARCHAR(255) NOT NULL, price_cents BIGINT NOT NULL, stock INT NOT NULL, updated_at DATETIME(6) NOT NULL)";
