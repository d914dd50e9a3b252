//! One row at a time, by hand: a prepared statement for each, on a connection that is kept.

use crate::product::Product;
use batch_core::Result;
use sqlx::{Connection, Executor, MySqlConnection, PgConnection, SqliteConnection, raw_sql};

pub enum Hand {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
    MySql(MySqlConnection),
}

impl Hand {
    pub async fn open(url: &str) -> Result<Self> {
        Ok(match url.split(':').next() {
            Some("sqlite") => {
                let mut conn = SqliteConnection::connect(url).await?;
                conn.execute("PRAGMA synchronous = FULL").await?;
                Self::Sqlite(conn)
            }
            Some("postgres") => Self::Postgres(PgConnection::connect(url).await?),
            _ => Self::MySql(MySqlConnection::connect(url).await?),
        })
    }

    /// With a transaction of `together` rows; alone, each statement commits itself.
    pub async fn insert(&mut self, rows: impl Iterator<Item = Product>, together: usize) -> Result<()> {
        match self {
            Self::Sqlite(conn) => sqlite(conn, SQLITE_INSERT, rows, together).await,
            Self::Postgres(conn) => postgres(conn, POSTGRES_INSERT, rows, together).await,
            Self::MySql(conn) => mysql(conn, SQLITE_INSERT, rows, together).await,
        }
    }

    pub async fn update(&mut self, rows: impl Iterator<Item = Product>, together: usize) -> Result<()> {
        match self {
            Self::Sqlite(conn) => sqlite(conn, SQLITE_UPDATE, rows, together).await,
            Self::Postgres(conn) => postgres(conn, POSTGRES_UPDATE, rows, together).await,
            Self::MySql(conn) => mysql(conn, SQLITE_UPDATE, rows, together).await,
        }
    }

    /// How many rows the table has, and the sum of their stocks.
    pub async fn sum(&mut self) -> Result<(i64, i64)> {
        let sql = "SELECT count(*), coalesce(sum(stock), 0) FROM product";
        Ok(match self {
            Self::Sqlite(conn) => sqlx::query_as(sql).fetch_one(conn).await?,
            Self::Postgres(conn) => sqlx::query_as(sql).fetch_one(conn).await?,
            Self::MySql(conn) => {
                sqlx::query_as("SELECT count(*), CAST(coalesce(sum(stock), 0) AS SIGNED) FROM product").fetch_one(conn).await?
            }
        })
    }

    /// Nothing of what was written before is left to be written to the disk, as far as the database can be told.
    pub async fn settle(&mut self) -> Result<()> {
        match self {
            Self::Sqlite(conn) => _ = conn.execute(raw_sql("PRAGMA wal_checkpoint(TRUNCATE)")).await?,
            Self::Postgres(conn) => _ = conn.execute(raw_sql("CHECKPOINT")).await?,
            Self::MySql(conn) => _ = conn.execute(raw_sql("FLUSH TABLES")).await?,
        }
        Ok(())
    }
}

const SQLITE_INSERT: &str =
    "INSERT INTO product (sku, name, category, price_cents, stock, updated_at, id) VALUES (?, ?, ?, ?, ?, ?, ?)";
const SQLITE_UPDATE: &str =
    "UPDATE product SET sku = ?, name = ?, category = ?, price_cents = ?, stock = ?, updated_at = ? WHERE id = ?";
const POSTGRES_INSERT: &str =
    "INSERT INTO product (sku, name, category, price_cents, stock, updated_at, id) VALUES ($1, $2, $3, $4, $5, $6, $7)";
const POSTGRES_UPDATE: &str =
    "UPDATE product SET sku = $1, name = $2, category = $3, price_cents = $4, stock = $5, updated_at = $6 WHERE id = $7";

macro_rules! one_by_one {
    ($name:ident, $conn:ty) => {
        async fn $name(conn: &mut $conn, sql: &'static str, rows: impl Iterator<Item = Product>, together: usize) -> Result<()> {
            let mut open = 0;
            for p in rows {
                if together > 1 && open == 0 {
                    conn.execute(raw_sql("BEGIN")).await?;
                }
                let query = sqlx::query(sql).bind(p.sku).bind(p.name).bind(p.category).bind(p.price_cents);
                query.bind(p.stock).bind(p.updated_at).bind(p.id).execute(&mut *conn).await?;
                open += 1;
                if together > 1 && open == together {
                    conn.execute(raw_sql("COMMIT")).await?;
                    open = 0;
                }
            }
            if together > 1 && open > 0 {
                conn.execute(raw_sql("COMMIT")).await?;
            }
            Ok(())
        }
    };
}

one_by_one!(sqlite, SqliteConnection);
one_by_one!(postgres, PgConnection);
one_by_one!(mysql, MySqlConnection);
