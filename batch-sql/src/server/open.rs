//! Opening: the URL, connections, tables.

use super::{Kind, Server, ServerOptions, live::ServerLive, store::ServerStore};
use crate::{
    error::{self, Place},
    identifier, migrations,
    slot::{Live, Slot},
    sql::Texts,
};
use batch_core::{Error, ErrorKind};
use sqlx::{ConnectOptions, pool::PoolOptions};
use std::sync::Arc;

/// Connections for the repository's own transactions: a launch that waits for a lock must not hold up the runs of other jobs.
pub(super) const CONTROL: usize = 2;

pub(super) async fn open<K: Kind>(options: ServerOptions<K>, url: &str) -> Result<Server<K>, Error> {
    identifier::check("table prefix", &options.prefix)?;
    if let Some(schema) = &options.schema {
        identifier::check("schema", schema)?;
    }
    let connect = parse::<K>(url)?;
    let place = Place { key: "database", name: K::place(&connect)? };
    let doing = "connecting to the database";
    let own = connect.clone().disable_statement_logging();
    let mut first = ServerLive::<K>::open(&own).await.map_err(|e| place.of(error::store(doing, e)))?;
    let flavor = K::flavor(first.conn()).await.map_err(|e| place.of(error::store(doing, e)))?;
    let pool = pool(&options).connect_lazy_with(connect);
    let texts = Arc::new(Texts::new(flavor, options.prefix, options.schema));
    let are_current = migrations::are_current(first.conn(), &texts).await.map_err(|e| place.of(e))?;
    let store = ServerStore {
        pool,
        chunks: Slot::new(own.clone(), options.chunks.get() as usize),
        chunks_at_once: options.chunks.get() as usize,
        control: Slot::new(own.clone(), CONTROL),
        locks: Slot::new(own.clone(), Slot::<ServerLive<K>>::MANY),
        connect: own,
        texts,
        clock: options.clock,
        wait: options.wait,
        launch_wait: options.launch_wait,
        idle: options.idle,
        leases: Arc::default(),
        statements: Arc::default(),
        place,
        prepares: Arc::new(K::PREPARES.into()),
    };
    store.control.keep(first);
    if !are_current {
        migrations::migrate(&store).await.map_err(|e| store.place.of(e))?;
    }
    Ok(Server { store: Arc::new(store), relaxed: false })
}

/// Reads the URL, which is never shown: it may hold a password.
fn parse<K: Kind>(url: &str) -> Result<K::Connect, Error> {
    let wrong = |message: String| Error::new(ErrorKind::Configuration, message);
    let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme);
    if !K::SCHEMES.contains(&scheme) {
        let shown: String = scheme.chars().take(20).collect();
        return Err(wrong(format!("the database URL begins with {shown:?}, and {} takes {}", K::NAME, K::SCHEMES.join(" or "))));
    }
    // The driver's own message repeats parts of the URL.
    url.parse().map_err(|_| wrong(format!("the database URL cannot be read; it is {}://user@host/database", K::SCHEMES[0])))
}

fn pool<K: Kind>(options: &ServerOptions<K>) -> PoolOptions<K::Db> {
    PoolOptions::new()
        .max_connections(options.pool_size.get())
        .min_connections(0)
        .acquire_timeout(options.wait)
        .test_before_acquire(true)
}
