//! The two directions of a connection, while nothing goes wrong.

use std::{collections::HashSet, convert::Infallible, io::Result, sync::Arc};

use parking_lot::Mutex;
use tokio::net::{
    tcp::{OwnedReadHalf as FromClient, OwnedWriteHalf as ToClient},
    unix::{OwnedReadHalf as FromServer, OwnedWriteHalf as ToServer},
};

use super::{
    fault::Fault,
    ledger::Ledger,
    stream::{Inbox, Outbox},
    wire::{Sent, Wire},
};

/// Both directions tell it what they see.
pub(super) type SharedWire = Mutex<Box<dyn Wire>>;

/// Messages that wait because a fault has met them.
pub(super) struct Hit {
    pub(super) fault: Fault,
    pub(super) held: Vec<u8>,
}

/// From the client to the server.
#[derive(Debug)]
pub(super) struct Up {
    pub(super) client: Inbox<FromClient>,
    pub(super) server: Outbox<ToServer>,
    pub(super) ledger: Arc<Ledger>,
    /// The texts of the statements it has ever sent.
    pub(super) before: HashSet<Arc<str>>,
}

impl Up {
    /// Forwards what belongs together as one, until a fault meets it.
    pub(super) async fn forward(&mut self, wire: &SharedWire) -> Result<Hit> {
        let (mut held, mut fault) = (Vec::new(), None);
        loop {
            let message = self.client.message(|bytes| wire.lock().client_message(bytes)).await?;
            let sent = wire.lock().sent(&message);
            held.extend(message);
            if let Sent::Part(Some(text)) | Sent::Whole(Some(text)) = &sent {
                fault = self.ledger.judge(text, &mut self.before).or(fault);
            }
            if let Sent::Part(_) = sent {
                continue;
            }
            if let Some(fault) = fault {
                return Ok(Hit { fault, held });
            }
            self.server.send(&held).await?;
            held.clear();
        }
    }

    /// Forwards the data of a COPY to its end.
    pub(super) async fn copy(&mut self, wire: &SharedWire) -> Result<()> {
        loop {
            let message = self.client.message(|bytes| wire.lock().client_message(bytes)).await?;
            self.server.send(&message).await?;
            if wire.lock().ends_data(&message) {
                return Ok(());
            }
        }
    }
}

/// From the server to the client.
#[derive(Debug)]
pub(super) struct Down {
    pub(super) server: Inbox<FromServer>,
    pub(super) client: Outbox<ToClient>,
}

impl Down {
    /// May be dropped at any await: what was heard is in the outbox by then.
    pub(super) async fn forward(&mut self, wire: &SharedWire) -> Result<Infallible> {
        loop {
            self.client.flush().await?;
            let (message, _) = self.server.hear(wire).await?;
            self.client.put(&message);
        }
    }
}

impl Outbox<ToServer> {
    /// Sends what was held, and returns how many answers show that it was answered.
    pub(super) async fn ask(&mut self, held: &[u8], wire: &SharedWire) -> Result<u32> {
        let probe = wire.lock().probe();
        self.send(held).await?;
        if probe.is_empty() {
            return Ok(1);
        }
        wire.lock().sent(probe);
        self.send(probe).await?;
        Ok(2)
    }
}

impl Inbox<FromServer> {
    /// The next message, and how many answers are owed after the one it belongs to.
    pub(super) async fn hear(&mut self, wire: &SharedWire) -> Result<(Vec<u8>, u32)> {
        let message = self.message(|bytes| wire.lock().server_message(bytes)).await?;
        let after = wire.lock().heard(&message);
        Ok((message, after))
    }
}
