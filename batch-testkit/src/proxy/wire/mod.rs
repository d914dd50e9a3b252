//! Just enough of the two protocols to know which statement a message executes, and when it is answered.

mod mysql;
mod postgres;

use std::{fmt::Debug, sync::Arc};

pub(crate) use mysql::MySqlWire;
pub(crate) use postgres::PostgresWire;

/// One connection's protocol. It sees every whole message of both directions, in order.
pub(crate) trait Wire: Debug + Send {
    /// The length of the first message of a client, once it is known.
    fn client_message(&self, bytes: &[u8]) -> Option<usize>;

    /// The length of the first message of the server, once it is known.
    fn server_message(&self, bytes: &[u8]) -> Option<usize>;

    /// Takes note of a client's message.
    fn sent(&mut self, message: &[u8]) -> Sent;

    /// Takes note of a server's message. Returns how many answers are owed after the one it belongs to.
    fn heard(&mut self, message: &[u8]) -> u32;

    /// How many answers have not been heard to their end; for MySQL, to their beginning.
    fn owed(&self) -> u32;

    /// A message of our own whose answer tells that the one before has ended; empty where every answer has an end that shows.
    fn probe(&self) -> &'static [u8] {
        &[]
    }

    /// Whether this message asks the client for the data of a COPY.
    fn asks_for_data(&self, _message: &[u8]) -> bool {
        false
    }

    /// Whether this message is the client's last of a COPY.
    fn ends_data(&self, _message: &[u8]) -> bool {
        false
    }
}

/// What a client's message means.
#[derive(Debug, PartialEq)]
pub(crate) enum Sent {
    /// More messages belong to it: they are judged and forwarded as one.
    Part(Option<Arc<str>>),
    /// Nothing has to follow for the server to act. The text is that of the statement which it executes, if it does.
    Whole(Option<Arc<str>>),
}

/// The bytes before the first zero, and those after it.
fn text(bytes: &[u8]) -> Option<(String, &[u8])> {
    let end = bytes.iter().position(|byte| *byte == 0)?;
    Some((String::from_utf8_lossy(&bytes[..end]).into_owned(), &bytes[end + 1..]))
}
