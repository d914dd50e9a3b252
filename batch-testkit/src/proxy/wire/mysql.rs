//! MySQL's protocol: a length of three bytes, a number within the exchange, a body. A command is number 0, its answer begins with 1.

use std::{collections::HashMap, sync::Arc};

use super::{Sent, Wire};

const QUIT: u8 = 0x01;
const QUERY: u8 = 0x03;
const PREPARE: u8 = 0x16;
const EXECUTE: u8 = 0x17;
const SEND_LONG_DATA: u8 = 0x18;
const CLOSE: u8 = 0x19;

/// COM_PING, which is answered with one OK.
const PING: &[u8] = &[1, 0, 0, 0, 0x0e];

#[derive(Debug, Default)]
pub(crate) struct MySqlWire {
    owed: u32,
    /// The number of the server's last message: in an answer of hundreds of messages, 1 follows 0 and begins nothing.
    last: u8,
    preparing: Option<Arc<str>>,
    statements: HashMap<u32, Arc<str>>,
}

impl Wire for MySqlWire {
    fn client_message(&self, bytes: &[u8]) -> Option<usize> {
        let [low, middle, high, ..] = *bytes else { return None };
        Some(u32::from_le_bytes([low, middle, high, 0]) as usize + 4)
    }

    fn server_message(&self, bytes: &[u8]) -> Option<usize> {
        self.client_message(bytes)
    }

    fn sent(&mut self, message: &[u8]) -> Sent {
        // Any other number is a part of the handshake, or the rest of a command of more than 16 MB.
        let [_, _, _, 0, command, ref body @ ..] = *message else { return Sent::Whole(None) };
        if !matches!(command, QUIT | SEND_LONG_DATA | CLOSE) {
            self.owed += 1;
            self.last = u8::MAX;
        }
        Sent::Whole(match command {
            QUERY => Some(String::from_utf8_lossy(body).into()),
            EXECUTE => number(body).and_then(|id| self.statements.get(&id).cloned()),
            PREPARE => {
                self.preparing = Some(String::from_utf8_lossy(body).into());
                None
            }
            _ => None,
        })
    }

    fn heard(&mut self, message: &[u8]) -> u32 {
        let begins = message[3] == 1 && self.last != 0;
        self.last = message[3];
        if begins {
            self.owed = self.owed.saturating_sub(1);
            self.prepared(&message[4..]);
        }
        self.owed
    }

    fn owed(&self) -> u32 {
        self.owed
    }

    fn probe(&self) -> &'static [u8] {
        PING
    }
}

impl MySqlWire {
    /// The answer to a PREPARE has the number by which the statement is executed.
    fn prepared(&mut self, answer: &[u8]) {
        if let Some(query) = self.preparing.take()
            && let [0, body @ ..] = answer
            && let Some(id) = number(body)
        {
            self.statements.insert(id, query);
        }
    }
}

fn number(bytes: &[u8]) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(..4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::{MySqlWire, PING, Sent, Wire};

    #[test]
    fn a_long_answer_ends_where_that_of_the_ping_begins() {
        let mut wire = MySqlWire::default();
        assert_eq!(wire.sent(b"\x09\0\0\0\x03SELECT 1"), Sent::Whole(Some("SELECT 1".into())));
        wire.sent(PING);
        let numbers = (1..=255).chain(0..=255).chain(0..=7); // they start again at 0
        assert!(numbers.map(|number: u8| wire.heard(&[0, 0, 0, number])).all(|after| after == 1));
        assert_eq!((wire.heard(&[0, 0, 0, 1]), wire.owed()), (0, 0));
    }

    #[test]
    fn a_statement_is_executed_by_the_number_it_was_given() {
        let mut wire = MySqlWire::default();
        assert_eq!(wire.sent(b"\x09\0\0\0\x16SELECT 1"), Sent::Whole(None));
        wire.heard(b"\x05\0\0\x01\0\x07\0\0\0");
        assert_eq!(wire.sent(b"\x05\0\0\0\x17\x07\0\0\0"), Sent::Whole(Some("SELECT 1".into())));
        assert_eq!(wire.sent(b"\x05\0\0\0\x17\x08\0\0\0"), Sent::Whole(None));
    }

    #[test]
    fn what_has_no_answer_owes_none() {
        let mut wire = MySqlWire::default();
        wire.sent(b"\x05\0\0\0\x19\x07\0\0\0");
        assert_eq!(wire.owed(), 0);
    }
}
