//! w1 with several chunks in flight, each in its own transaction on its own connection; checkpoints and commits strictly in order.

use crate::{
    R,
    binary::Piece,
    server::{Connection, EPOCH, Wait},
    single::parse_ahead,
};
use std::{collections::VecDeque, mem};
use tokio::{sync::oneshot, task::JoinHandle};

pub async fn in_flight(chunk: usize, connections: usize, wait: Wait) -> R<usize> {
    let (mut pieces, parser) = parse_ahead(chunk, 2);
    let mut free = VecDeque::new();
    for _ in 0..connections {
        free.push_back(Connection::open().await?);
    }
    let mut flying: VecDeque<JoinHandle<R<Connection>>> = VecDeque::new();
    let (mut total, mut commit_no, mut end) = (0, 0, 0);
    let (first, mut before) = oneshot::channel();
    let _ = first.send(());
    while let Some(piece) = pieces.recv().await {
        if free.is_empty()
            && let Some(oldest) = flying.pop_front()
        {
            free.push_back(oldest.await??);
        }
        let connection = free.pop_front().ok_or("no connection")?;
        total += piece.rows;
        end = piece.end;
        let (done, after) = oneshot::channel();
        let turn = Turn { before: mem::replace(&mut before, after), done, commit_no };
        flying.push_back(tokio::spawn(fly(connection, piece, wait, turn)));
        commit_no += 1;
    }
    for flight in flying {
        free.push_back(flight.await??);
    }
    parser.join().map_err(|_| "the parser panicked")??;
    if wait == Wait::Nothing
        && let Some(connection) = free.front()
    {
        // The log is written in order: once this one is on the disk, so are all before it.
        connection.begin(Wait::Disk).await?;
        connection.commit(end, EPOCH, commit_no).await?;
    }
    Ok(total)
}

/// What a chunk waits for, and whom it tells.
struct Turn {
    before: oneshot::Receiver<()>,
    done: oneshot::Sender<()>,
    commit_no: i64,
}

async fn fly(connection: Connection, piece: Piece, wait: Wait, turn: Turn) -> R<Connection> {
    connection.begin(wait).await?;
    connection.copy(piece.data).await?;
    turn.before.await?;
    connection.commit(piece.end, EPOCH, turn.commit_no).await?;
    let _ = turn.done.send(());
    Ok(connection)
}
