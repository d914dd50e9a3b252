//! w3: COPY out, price x 1.1, COPY in, one transaction a chunk.

use crate::{
    R,
    binary::{self, HEADER, ROW},
    server::{connect, copy},
};
use bytes::{BufMut, BytesMut};
use futures_util::StreamExt;

pub async fn raise(chunk: usize) -> R<usize> {
    let (source, target) = (connect().await?, connect().await?);
    let insert = target.prepare(binary::COPY).await?;
    let rows = source.copy_out("COPY product_src TO STDOUT (FORMAT binary)").await?;
    futures_util::pin_mut!(rows);
    let mut out = begin(chunk);
    let (mut in_chunk, mut total, mut first) = (0, 0, true);
    // One message a row; the first has the header before it, the last is the trailer.
    while let Some(message) = rows.next().await {
        let message = message?;
        let mut row = &message[if first { HEADER.len() } else { 0 }..];
        first = false;
        while row.len() >= 2 && row[..2] != [0xff, 0xff] {
            row = raised(row, &mut out)?;
            in_chunk += 1;
            if in_chunk == chunk {
                out.put_i16(-1);
                total += copy(&target, &insert, out.split().freeze()).await?;
                (in_chunk, out) = (0, begin(chunk));
            }
        }
    }
    if in_chunk > 0 {
        out.put_i16(-1);
        total += copy(&target, &insert, out.freeze()).await?;
    }
    Ok(usize::try_from(total)?)
}

fn begin(chunk: usize) -> BytesMut {
    let mut out = BytesMut::with_capacity(chunk * ROW + 64);
    out.put_slice(HEADER);
    out
}

/// Copies the row at the beginning with its price raised, rounded half away from zero; returns what follows it.
fn raised<'a>(row: &'a [u8], out: &mut BytesMut) -> R<&'a [u8]> {
    let (count, mut rest) = row.split_at(2);
    out.put_slice(count);
    for column in 0..7 {
        let length = 4 + usize::try_from(i32::from_be_bytes(rest[..4].try_into()?))?;
        if column == 4 {
            let cents = binary::cents(&rest[4..length])?;
            binary::numeric(out, (cents * 11 + if cents < 0 { -5 } else { 5 }) / 10);
        } else {
            out.put_slice(&rest[..length]);
        }
        rest = &rest[length..];
    }
    Ok(rest)
}
