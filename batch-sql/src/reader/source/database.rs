//! The database that a URL names: what its kind does is done for it.

use super::{Bind, Fetched, Query, Rows, Source, Streamed, Texts, Window};
use crate::{Database, MySql, Postgres, Sqlite, reader::value::KeyValue, sql::Flavor};
use batch_core::BoxError;
use sqlx::{
    Encode, FromRow, Type,
    mysql::{MySqlArguments, MySqlRow},
    pool::PoolConnection,
    postgres::{PgArguments, PgRow},
    sqlite::{SqliteArguments, SqliteRow},
};
use tokio::sync::mpsc::Sender;

/// Values for one of the drivers.
#[derive(Debug, Clone)]
pub enum AnyArguments {
    /// For SQLite.
    Sqlite(SqliteArguments),
    /// For PostgreSQL.
    Postgres(PgArguments),
    /// For MySQL and MariaDB.
    MySql(MySqlArguments),
}

/// A connection of one of the pools.
#[derive(Debug)]
pub enum AnyConn {
    /// To an SQLite file.
    Sqlite(PoolConnection<sqlx::Sqlite>),
    /// To a PostgreSQL database.
    Postgres(PoolConnection<sqlx::Postgres>),
    /// To a MySQL or MariaDB database.
    MySql(PoolConnection<sqlx::MySql>),
}

/// Calls the same of whichever kind it is.
macro_rules! each {
    ($of:ident($any:expr), $inner:ident: $kind:ident => $body:expr) => {
        match $any {
            $of::Sqlite($inner) => {
                type $kind = Sqlite;
                $body
            }
            $of::Postgres($inner) => {
                type $kind = Postgres;
                $body
            }
            $of::MySql($inner) => {
                type $kind = MySql;
                $body
            }
        }
    };
}

/// Calls the same with a connection and a query of one kind.
macro_rules! query {
    ($conn:expr, $query:expr, $inner:ident, $own:ident: $kind:ident => $body:expr) => {{
        let Query { sql, arguments, recurs } = $query;
        match ($conn, arguments) {
            (AnyConn::Sqlite($inner), AnyArguments::Sqlite(arguments)) => {
                type $kind = Sqlite;
                let $own = Query { sql, arguments, recurs };
                $body
            }
            (AnyConn::Postgres($inner), AnyArguments::Postgres(arguments)) => {
                type $kind = Postgres;
                let $own = Query { sql, arguments, recurs };
                $body
            }
            (AnyConn::MySql($inner), AnyArguments::MySql(arguments)) => {
                type $kind = MySql;
                let $own = Query { sql, arguments, recurs };
                $body
            }
            _ => Err(sqlx::Error::Encode("the statement was made for another kind of database".into())),
        }
    }};
}

impl Source for Database {
    type Arguments = AnyArguments;
    type Conn = AnyConn;

    fn flavor(&self) -> Flavor {
        each!(Database(self), db: Kind => <Kind as Source>::flavor(db))
    }

    fn counts(&self) -> usize {
        each!(Database(self), db: Kind => <Kind as Source>::counts(db))
    }

    fn arguments(&self) -> AnyArguments {
        match self {
            Self::Sqlite(_) => AnyArguments::Sqlite(SqliteArguments::default()),
            Self::Postgres(_) => AnyArguments::Postgres(PgArguments::default()),
            Self::MySql(_) => AnyArguments::MySql(MySqlArguments::default()),
        }
    }

    fn add_key(arguments: &mut AnyArguments, value: &KeyValue) -> Result<(), BoxError> {
        each!(AnyArguments(arguments), inner: Kind => Kind::add_key(inner, value))
    }

    fn add_integer(arguments: &mut AnyArguments, value: i64) -> Result<(), BoxError> {
        each!(AnyArguments(arguments), inner: Kind => Kind::add_integer(inner, value))
    }

    fn add_text(arguments: &mut AnyArguments, value: &str) -> Result<(), BoxError> {
        each!(AnyArguments(arguments), inner: Kind => Kind::add_text(inner, value))
    }

    async fn acquire(&self) -> Result<AnyConn, sqlx::Error> {
        Ok(match self {
            Self::Sqlite(db) => AnyConn::Sqlite(db.acquire().await?),
            Self::Postgres(db) => AnyConn::Postgres(db.acquire().await?),
            Self::MySql(db) => AnyConn::MySql(db.acquire().await?),
        })
    }

    fn discard(conn: AnyConn) {
        each!(AnyConn(conn), inner: Kind => Kind::discard(inner));
    }

    async fn batch(conn: &mut AnyConn, sql: &'static str) -> Result<(), sqlx::Error> {
        each!(AnyConn(conn), inner: Kind => Kind::batch(inner, sql).await)
    }

    async fn execute(conn: &mut AnyConn, query: Query<Self>) -> Result<u64, sqlx::Error> {
        query!(conn, query, inner, own: Kind => <Kind as Source>::execute(inner, own).await)
    }

    async fn texts(conn: &mut AnyConn, query: Query<Self>) -> Result<Vec<Texts>, sqlx::Error> {
        query!(conn, query, inner, own: Kind => Kind::texts(inner, own).await)
    }
}

impl<V> Bind<V> for Database
where
    V: Encode<'static, sqlx::Sqlite> + Type<sqlx::Sqlite>,
    V: Encode<'static, sqlx::Postgres> + Type<sqlx::Postgres>,
    V: Encode<'static, sqlx::MySql> + Type<sqlx::MySql>,
{
    fn bind(arguments: &mut AnyArguments, value: V) -> Result<(), BoxError> {
        each!(AnyArguments(arguments), inner: Kind => <Kind as Bind<V>>::bind(inner, value))
    }
}

impl<T> Rows<T> for Database
where
    T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + for<'r> FromRow<'r, MySqlRow> + Send + 'static,
{
    async fn fetch(conn: &mut AnyConn, query: Query<Self>, keys: usize) -> Result<Vec<Fetched<T>>, sqlx::Error> {
        query!(conn, query, inner, own: Kind => <Kind as Rows<T>>::fetch(inner, own, keys).await)
    }

    async fn stream(
        conn: &mut AnyConn,
        query: Query<Self>,
        window: Window,
        into: &Sender<Vec<Result<T, sqlx::Error>>>,
    ) -> Result<Streamed, sqlx::Error> {
        query!(conn, query, inner, own: Kind => <Kind as Rows<T>>::stream(inner, own, window, into).await)
    }
}
