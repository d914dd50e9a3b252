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

#[cfg(test)]
mod tests {
    use super::{PostgresWire, Sent, Wire};

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        [&[kind], &(u32::try_from(body.len()).unwrap() + 4).to_be_bytes()[..], body].concat()
    }

    /// A connection whose start was answered.
    fn started() -> PostgresWire {
        let mut wire = PostgresWire::default();
        assert_eq!(wire.client_message(&[0, 0, 0, 8]), Some(8));
        wire.sent(&[0, 0, 0, 8, 0, 3, 0, 0]);
        wire.heard(&message(b'Z', b"I"));
        wire
    }

    #[test]
    fn statements_sent_together_are_answered_in_turn() {
        let mut wire = started();
        for query in [b"UPDATE a\0", b"UPDATE b\0"] {
            assert_eq!(wire.sent(&message(b'Q', query)), Sent::Whole(Some(String::from_utf8_lossy(&query[..8]).into())));
        }
        let heard = [b'C', b'Z', b'C', b'Z'].map(|kind| wire.heard(&message(kind, b"")));
        assert_eq!((heard, wire.owed()), ([1, 1, 0, 0], 0));
    }

    #[test]
    fn a_statement_is_executed_by_the_portal_it_was_bound_to() {
        let mut wire = started();
        for (kind, body) in
            [(b'P', &b"one\0SELECT 1\0\0\0"[..]), (b'P', b"two\0SELECT 2\0\0\0"), (b'B', b"p\0one\0"), (b'B', b"\0two\0")]
        {
            assert_eq!(wire.sent(&message(kind, body)), Sent::Part(None));
        }
        assert_eq!(wire.sent(&message(b'E', b"p\0\0\0\0\0")), Sent::Part(Some("SELECT 1".into())));
        assert_eq!(wire.sent(&message(b'E', b"\0\0\0\0\0")), Sent::Part(Some("SELECT 2".into())));
        assert_eq!((wire.sent(&message(b'S', b"")), wire.owed()), (Sent::Whole(None), 1));
    }

    #[test]
    fn a_server_refuses_tls_with_one_byte() {
        let mut wire = PostgresWire::default();
        wire.sent(&[&8_u32.to_be_bytes()[..], &80_877_103_u32.to_be_bytes()].concat());
        assert_eq!(wire.server_message(b"N"), Some(1));
        wire.heard(b"N");
        assert_eq!(wire.client_message(&[0, 0, 0, 50]), Some(50));
    }
}
