//! One client's way to the server, and how it goes wrong.

use std::{io::Result, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::{
    net::{TcpStream, UnixStream},
    select,
    sync::watch,
};

use super::{
    direction::{Down, Hit, SharedWire, Up},
    fault::{Action, Fault},
    ledger::Ledger,
    stream::{Inbox, Outbox},
    wire::Wire,
};

/// A connection that is forwarded until one end closes it, a fault does, or all are cut. To drop it is to cut it.
#[derive(Debug)]
pub(super) struct Connection {
    up: Up,
    down: Down,
    wire: SharedWire,
}

impl Connection {
    pub(super) fn new(client: TcpStream, server: UnixStream, wire: Box<dyn Wire>, ledger: Arc<Ledger>) -> Result<Self> {
        client.set_nodelay(true)?;
        let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
        let up = Up { client: Inbox::new(from_client), server: Outbox::new(to_server), ledger, before: Default::default() };
        let down = Down { server: Inbox::new(from_server), client: Outbox::new(to_client) };
        Ok(Self { up, down, wire: Mutex::new(wire) })
    }

    /// Forwards to the end, which is the client's, the server's or a fault's. A statement on its late way is no connection to cut.
    pub(super) async fn run(mut self, mut cut: watch::Receiver<u64>) {
        let hit = select! {
            hit = self.forward() => hit,
            _ = cut.changed() => return,
        };
        if let Ok(hit) = hit {
            self.fail(hit).await;
        }
    }

    async fn forward(&mut self) -> Result<Hit> {
        loop {
            let hit = select! {
                hit = self.up.forward(&self.wire) => hit?,
                end = self.down.forward(&self.wire) => match end? {},
            };
            let Action::Blackhole = hit.fault.action() else { return Ok(hit) };
            hit.fault.due(None).await;
            self.up.server.send(&hit.held).await?;
            hit.fault.settle();
        }
    }

    async fn fail(self, Hit { fault, held }: Hit) {
        let answered = match fault.action() {
            Action::CutAnswer => self.lose_answer(&held).await,
            Action::Delay(after) => self.arrive_late(&held, &fault, after).await,
            Action::CutBefore | Action::Blackhole => {
                drop(self);
                Ok(())
            }
        };
        // A server that was killed meanwhile will never answer, which settles it as well.
        answered.ok();
        fault.settle();
    }

    async fn lose_answer(mut self, held: &[u8]) -> Result<()> {
        let own = self.up.server.ask(held, &self.wire).await?;
        while self.wire.lock().owed() > 0 {
            let (message, after) = self.down.server.hear(&self.wire).await?;
            let copies = self.wire.lock().asks_for_data(&message);
            if after >= own || copies {
                self.down.client.send(&message).await?;
            }
            if copies {
                self.up.copy(&self.wire).await?;
            }
        }
        Ok(())
    }

    async fn arrive_late(self, held: &[u8], fault: &Fault, after: Option<Duration>) -> Result<()> {
        let Self { up: Up { client, mut server, .. }, down, wire } = self;
        let Down { server: mut answers, client: to_client } = down;
        drop((client, to_client));
        fault.due(after).await;
        server.ask(held, &wire).await?;
        while wire.lock().owed() > 0 {
            answers.hear(&wire).await?;
        }
        Ok(())
    }
}
