//! Job repository, transactions, readers and writers in SQL databases.
//!
//! [`Sqlite`] is the handle of a database: it keeps the job repository, and lends each chunk's writer a connection inside the
//! transaction that also holds the chunk's checkpoint, so that rows are written exactly once whatever fails.
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
//! sqlx::query("CREATE TABLE product (id INTEGER PRIMARY KEY, sku TEXT)").execute(db.pool()).await?;
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

mod dialect;
mod error;
mod identifier;
mod migrations;
mod reader;
mod repository;
mod server;
mod session;
mod slot;
mod sql;
mod sqlite;
mod store;
mod writer;

pub use dialect::SqlConn;
pub use reader::{
    Bind, Claim, ClaimPosition, CursorPosition, KeyColumn, KeyRange, Keyset, KeysetPosition, Lowest, SqlCursor, SqlSource,
};
pub use reader::{asc, desc, ranges};
pub use server::{Kind, MySql, MySqlKind, MySqlOptions, Postgres, PostgresKind, PostgresOptions, Server, ServerOptions, ServerTx};
pub use sqlite::{Database, Sqlite, SqliteOptions, SqliteTx};
pub use writer::{Bound, SqlInsert, SqlUpdate, SqlUpsert, SqlWriter};
