//! Job repository, transactions, readers and writers in SQLite, PostgreSQL, MySQL and MariaDB.
//!
//! The handle of a database keeps the job repository, and lends each chunk's writer a connection inside the transaction that also holds
//! the chunk's checkpoint, so that rows are written exactly once whatever fails. [`Database`] is what a URL names; [`Sqlite`],
//! [`Postgres`] and [`MySql`] are for programs of one database, and lend the driver's own connection.
//!
//! ```
//! use batch_core::{Chunk, Transactions, Writer};
//! use batch_sql::{Database, SqlInsert};
//!
//! #[derive(serde::Serialize)]
//! struct Product { id: i64, sku: String }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> batch_core::Result<()> {
//! # let folder = tempfile::tempdir()?;
//! # let url = format!("sqlite://{}?mode=rwc", folder.path().join("products.db").display());
//! let db = Database::open(&url).await?; // such as "sqlite://products.db?mode=rwc"
//! db.execute("CREATE TABLE product (id BIGINT PRIMARY KEY, sku TEXT)").await?;
//!
//! // What a chunk step does with its writer:
//! let mut writer = SqlInsert::into("product");
//! let items = [Product { id: 1, sku: "A-1".into() }, Product { id: 2, sku: "A-2".into() }];
//! let mut tx = db.begin().await?;
//! writer.write(<Database as Transactions>::conn(&mut tx), Chunk::from(&items[..])).await?;
//! db.rollback(tx).await?;
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod database;
mod dialect;
mod error;
mod identifier;
mod ledger;
mod migrations;
mod reader;
mod repository;
mod row;
mod server;
mod session;
mod slot;
mod sql;
mod sqlite;
mod store;
mod writer;

pub use database::{Connection, Database, Driven};
pub use dialect::SqlConn;
pub use reader::{
    Bind, Claim, ClaimPosition, CursorPosition, KeyColumn, KeyRange, Keyset, KeysetPosition, Lowest, SqlCursor, SqlSource,
};
pub use reader::{asc, desc, ranges};
pub use server::{Kind, MySql, MySqlKind, MySqlOptions, Postgres, PostgresKind, PostgresOptions, Server, ServerOptions, ServerTx};
pub use sqlite::{Sqlite, SqliteOptions, SqliteTx};
pub use writer::{Bound, SqlDelete, SqlInsert, SqlUpdate, SqlUpsert, SqlWriter};
