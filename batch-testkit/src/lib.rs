//! What the tests of databases need: private servers of PostgreSQL and MariaDB, and a proxy that loses what they say.
//!
//! ```no_run
//! use batch_testkit::Postgres;
//!
//! # async fn example() -> Result<(), sqlx::Error> {
//! let database = Postgres::shared().database().await; // empty, and this test's alone
//! let pool = sqlx::PgPool::connect(&database.url()).await?;
//! # Ok(()) }
//! ```
//!
//! A server has its own temporary folder and listens on a Unix socket in it. Both are gone as soon as the process of the test is, even
//! where that was killed. Whatever goes wrong in here is a panic: it fails the test, and says what to do.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test's failure is a panic")]

mod database;
mod options;
mod programs;
mod proxy;
mod server;
mod site;
mod watchdog;

pub use database::Database;
pub use options::Options;
pub use proxy::{Fault, Proxy, Rule};
pub use server::{MariaDb, Postgres, Server};
