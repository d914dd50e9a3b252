//! A proxy that loses statements and answers on order.

mod connection;
mod direction;
mod fault;
mod ledger;
mod rule;
mod stream;
mod wire;

use std::{
    io::Result,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
};

use parking_lot::Mutex;
use tokio::{
    net::{TcpListener, TcpSocket, UnixStream},
    runtime::{Builder, Runtime},
    sync::watch,
    task::JoinHandle,
};

pub use fault::Fault;
pub use rule::Rule;
pub(crate) use wire::{MySqlWire, PostgresWire, Wire};

use crate::server::{Brand, Server};
use connection::Connection;
use ledger::Ledger;
use rule::Pattern;

/// Listens on a port of 127.0.0.1 and forwards each connection to a server's Unix socket, but for what its rules say.
///
/// ```no_run
/// use batch_testkit::{Postgres, Proxy};
///
/// # async fn example() {
/// let server = Postgres::shared();
/// let proxy = Proxy::to(server);
/// let url = server.database().await.url_through(&proxy);
/// let lost = proxy.on("COMMIT").nth(3).cut_answer();
/// // ... run a job on `url` ...
/// lost.settled().await; // the third COMMIT was executed, and nobody was told
/// # }
/// ```
///
/// A statement counts when it is executed: a simple query, or each execution of a prepared statement, by the text that was prepared.
/// Several statements in one query are one text. Texts are compared as they are, upper and lower case included.
///
/// It lives on a thread of its own: a test may stop its clock or block its runtime. Dropped, it closes all connections.
#[derive(Debug)]
pub struct Proxy {
    /// Always there, but for the drop.
    runtime: Option<Runtime>,
    way: Arc<Way>,
    accepting: Mutex<Option<JoinHandle<()>>>,
    /// Keeps the port while nobody listens on it, so that a client is refused, and no other program gets it.
    reserved: TcpSocket,
}

/// What all connections share.
#[derive(Debug)]
struct Way {
    brand: &'static dyn Brand,
    socket: PathBuf,
    ledger: Arc<Ledger>,
    cut: watch::Sender<u64>,
}

impl Proxy {
    /// A proxy to `server`, which forwards everything until it is told otherwise. The server may be stopped and started meanwhile.
    pub fn to(server: &Server) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().thread_name("proxy").build().unwrap();
        let reserved = reserve(0).unwrap();
        let way = Way { brand: server.brand(), socket: server.socket(), ledger: Arc::default(), cut: watch::Sender::new(0) };
        let proxy = Self { runtime: Some(runtime), way: Arc::new(way), accepting: Mutex::new(None), reserved };
        proxy.accept();
        proxy
    }

    /// The port on 127.0.0.1; see [`Database::url_through`](crate::Database::url_through).
    pub fn port(&self) -> u16 {
        self.reserved.local_addr().unwrap().port()
    }

    /// Begins a rule about statements that contain `text`.
    pub fn on(&self, text: &str) -> Rule<'_> {
        let pattern = Pattern { text: text.into(), nth: 1, companion: None };
        Rule { ledger: &self.way.ledger, runtime: self.runtime().handle(), pattern }
    }

    /// How many statements that contain `text` were sent by clients so far, forwarded or not.
    pub fn seen(&self, text: &str) -> usize {
        self.way.ledger.seen(text)
    }

    /// Waits until [`seen`](Self::seen) is `count` at least.
    pub async fn until_seen(&self, text: &str, count: usize) {
        self.way.ledger.until_seen(text, count).await;
    }

    /// Closes all connections, blackholes included; a statement on its late way still arrives. New ones are accepted.
    pub fn cut_all(&self) {
        self.way.cut.send_modify(|cuts| *cuts += 1);
    }

    /// Refuses new connections, as a server does that is down, or accepts them again. Those that are open stay.
    pub async fn refuse_new(&self, refuse: bool) {
        let accepting = self.accepting.lock().take();
        if let Some(task) = accepting {
            task.abort();
            task.await.ok();
        }
        if !refuse {
            self.accept();
        }
    }

    fn accept(&self) {
        let _context = self.runtime().enter();
        let listener = reserve(self.port()).and_then(|socket| socket.listen(1024)).unwrap();
        let task = tokio::spawn(accept(listener, Arc::clone(&self.way)));
        self.accepting.lock().replace(task);
    }

    fn runtime(&self) -> &Runtime {
        self.runtime.as_ref().unwrap()
    }
}

impl Drop for Proxy {
    /// An asynchronous test must not block here.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// A socket that is bound; only those that listen get connections.
fn reserve(port: u16) -> Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseport(true)?;
    socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    Ok(socket)
}

async fn accept(listener: TcpListener, way: Arc<Way>) {
    while let Ok((client, _)) = listener.accept().await {
        let way = Arc::clone(&way);
        tokio::spawn(async move {
            let cut = way.cut.subscribe();
            // A server that is down: to drop the client's connection tells it.
            let Ok(server) = UnixStream::connect(&way.socket).await else { return };
            if let Ok(connection) = Connection::new(client, server, way.brand.wire(), Arc::clone(&way.ledger)) {
                connection.run(cut).await;
            }
        });
    }
}
