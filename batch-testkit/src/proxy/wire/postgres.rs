//! PostgreSQL's protocol 3: a type's byte, a length that counts itself, a body.

use std::{collections::HashMap, sync::Arc};

use super::{Sent, Wire, text};

const SSL_REQUEST: u32 = 80_877_103;
const GSS_REQUEST: u32 = 80_877_104;
const CANCEL_REQUEST: u32 = 80_877_102;

#[derive(Debug, Default)]
pub(crate) struct PostgresWire {
    /// The messages before have no type.
    started: bool,
    /// The server's next message is one byte: whether it speaks TLS. Ours doesn't.
    negotiating: bool,
    /// Each Query and each Sync is answered by one ReadyForQuery, and so is the start.
    owed: u32,
    statements: HashMap<String, Arc<str>>,
    portals: HashMap<String, Arc<str>>,
}

impl Wire for PostgresWire {
    fn client_message(&self, bytes: &[u8]) -> Option<usize> {
        let (at, untold) = if self.started { (1, 1) } else { (0, 0) };
        number(bytes, at).map(|length| length as usize + untold)
    }

    fn server_message(&self, bytes: &[u8]) -> Option<usize> {
        if self.negotiating { Some(1) } else { number(bytes, 1).map(|length| length as usize + 1) }
    }

    fn sent(&mut self, message: &[u8]) -> Sent {
        if !self.started {
            return self.start(number(message, 4));
        }
        let body = &message[5..];
        match message[0] {
            b'P' => self.parse(body),
            b'B' => self.bind(body),
            b'E' => Sent::Part(text(body).and_then(|(portal, _)| self.portals.get(&portal).cloned())),
            b'D' | b'C' => Sent::Part(None),
            b'Q' => {
                self.owed += 1;
                Sent::Whole(text(body).map(|(query, _)| query.into()))
            }
            b'S' => {
                self.owed += 1;
                Sent::Whole(None)
            }
            _ => Sent::Whole(None),
        }
    }

    fn heard(&mut self, message: &[u8]) -> u32 {
        let after = self.owed.saturating_sub(1);
        self.negotiating = false;
        if message[0] == b'Z' {
            self.owed = after;
        }
        after
    }

    fn owed(&self) -> u32 {
        self.owed
    }

    fn asks_for_data(&self, message: &[u8]) -> bool {
        message[0] == b'G'
    }

    fn ends_data(&self, message: &[u8]) -> bool {
        matches!(message[0], b'c' | b'f')
    }
}

impl PostgresWire {
    fn start(&mut self, code: Option<u32>) -> Sent {
        match code {
            Some(SSL_REQUEST | GSS_REQUEST) => self.negotiating = true,
            Some(CANCEL_REQUEST) => {}
            _ => (self.started, self.owed) = (true, 1),
        }
        Sent::Whole(None)
    }

    fn parse(&mut self, body: &[u8]) -> Sent {
        if let Some((name, rest)) = text(body)
            && let Some((query, _)) = text(rest)
        {
            self.statements.insert(name, query.into());
        }
        Sent::Part(None)
    }

    fn bind(&mut self, body: &[u8]) -> Sent {
        if let Some((portal, rest)) = text(body)
            && let Some((statement, _)) = text(rest)
            && let Some(query) = self.statements.get(&statement)
        {
            self.portals.insert(portal, Arc::clone(query));
        }
        Sent::Part(None)
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}
