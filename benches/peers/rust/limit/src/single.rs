//! w1 with one transaction at a time.

use crate::{
    R,
    binary::{self, Chunks, Piece},
    server::{Connection, EPOCH, Wait, connect},
};
use bytes::{BufMut, Bytes, BytesMut};
use futures_util::SinkExt;
use std::{hint::black_box, thread};
use tokio::sync::mpsc;

/// COPY alone, each chunk a transaction of its own without a checkpoint.
pub async fn bare(chunk: usize) -> R<usize> {
    let connection = Connection::open().await?;
    let (mut chunks, mut total) = (Chunks::open()?, 0);
    loop {
        let piece = chunks.next(chunk)?;
        if piece.rows == 0 {
            return Ok(total);
        }
        total += piece.rows;
        connection.copy(piece.data).await?;
    }
}

/// COPY and checkpoint in one transaction a chunk.
pub async fn checkpointed(chunk: usize) -> R<usize> {
    let mut one = One::open().await?;
    let mut chunks = Chunks::open()?;
    loop {
        let piece = chunks.next(chunk)?;
        let rows = piece.rows;
        if rows > 0 {
            one.write(piece, Wait::Disk).await?;
        }
        if rows < chunk {
            return Ok(one.total);
        }
    }
}

/// The same, but only the last commit waits for the disk: after a crash rows and checkpoint go back together.
pub async fn relaxed(chunk: usize) -> R<usize> {
    let mut one = One::open().await?;
    let mut chunks = Chunks::open()?;
    loop {
        let piece = chunks.next(chunk)?;
        let last = piece.rows < chunk;
        one.write(piece, if last { Wait::Disk } else { Wait::Nothing }).await?;
        if last {
            return Ok(one.total);
        }
    }
}

/// Parsing on a thread of its own, beside the server's work.
pub async fn overlapped(chunk: usize, with_checkpoint: bool) -> R<usize> {
    let mut one = One::open().await?;
    let (mut pieces, parser) = parse_ahead(chunk, 4);
    while let Some(piece) = pieces.recv().await {
        if with_checkpoint {
            one.write(piece, Wait::Disk).await?;
        } else {
            one.total += piece.rows;
            one.connection.copy(piece.data).await?;
        }
    }
    parser.join().map_err(|_| "the parser panicked")??;
    Ok(one.total)
}

/// One COPY for the whole file.
pub async fn whole(chunk: usize) -> R<usize> {
    let client = connect().await?;
    let sink = client.copy_in::<_, Bytes>(binary::COPY).await?;
    futures_util::pin_mut!(sink);
    sink.feed(Bytes::from_static(binary::HEADER)).await?;
    let mut chunks = Chunks::open()?;
    loop {
        let piece = chunks.rows(chunk)?;
        if piece.rows == 0 {
            break;
        }
        sink.feed(piece.data).await?;
    }
    let mut end = BytesMut::new();
    end.put_i16(-1);
    sink.send(end.freeze()).await?;
    Ok(usize::try_from(sink.finish().await?)?)
}

/// The client's side alone: read, parse, encode.
pub fn parse(chunk: usize) -> R<usize> {
    let (mut chunks, mut total) = (Chunks::open()?, 0);
    loop {
        let piece = black_box(chunks.next(chunk)?);
        if piece.rows == 0 {
            return Ok(total);
        }
        total += piece.rows;
    }
}

/// Chunks that a thread encodes, at most so many ahead.
pub fn parse_ahead(chunk: usize, ahead: usize) -> (mpsc::Receiver<Piece>, thread::JoinHandle<R<()>>) {
    let (sender, receiver) = mpsc::channel(ahead);
    let parser = thread::spawn(move || {
        let mut chunks = Chunks::open()?;
        loop {
            let piece = chunks.next(chunk)?;
            if piece.rows == 0 {
                return Ok(());
            }
            sender.blocking_send(piece).map_err(|_| "nobody takes the chunks")?;
        }
    });
    (receiver, parser)
}

/// One connection, and what it has committed.
struct One {
    connection: Connection,
    commit_no: i64,
    total: usize,
}

impl One {
    async fn open() -> R<Self> {
        Ok(Self { connection: Connection::open().await?, commit_no: 0, total: 0 })
    }

    async fn write(&mut self, piece: Piece, wait: Wait) -> R<()> {
        self.connection.begin(wait).await?;
        if piece.rows > 0 {
            self.connection.copy(piece.data).await?;
        }
        self.connection.commit(piece.end, EPOCH, self.commit_no).await?;
        self.commit_no += 1;
        self.total += piece.rows;
        Ok(())
    }
}
