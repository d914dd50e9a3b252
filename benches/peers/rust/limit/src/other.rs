//! w1 by other ways, without a checkpoint: COPY of text, COPY by sqlx in pieces of several sizes, UNNEST by sqlx.

use crate::{
    R,
    binary::{self, Chunks, ROW, reader},
    row::Row,
    server::{connect, url},
    text::Fields,
    time::EPOCH,
};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::SinkExt;
use rust_decimal::Decimal;
use sqlx::{Connection, PgConnection};
use std::mem;

/// Typed processing, then text again.
pub async fn text(chunk: usize) -> R<usize> {
    let client = connect().await?;
    let (mut reader, mut record, mut row) = (reader()?, csv::ByteRecord::new(), Row::default());
    let (mut fields, mut total) = (Fields::default(), 0);
    loop {
        let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::with_capacity(chunk * ROW));
        let mut rows = 0;
        while rows < chunk && reader.read_byte_record(&mut record)? {
            row.parse(&record)?;
            fields.write(&mut writer, &row)?;
            rows += 1;
        }
        if rows == 0 {
            return Ok(total);
        }
        let data = Bytes::from(writer.into_inner().map_err(|e| e.to_string())?);
        let sink = client.copy_in::<_, Bytes>("COPY product FROM STDIN (FORMAT csv)").await?;
        futures_util::pin_mut!(sink);
        sink.send(data).await?;
        total += usize::try_from(sink.finish().await?)?;
    }
}

/// The same binary COPY by sqlx, so many bytes a call.
pub async fn sqlx_copy(chunk: usize, piece: usize) -> R<usize> {
    let mut conn = PgConnection::connect(&url()).await?;
    let (mut chunks, mut total) = (Chunks::open()?, 0);
    loop {
        let next = chunks.next(chunk)?;
        if next.rows == 0 {
            return Ok(total);
        }
        let mut copy = conn.copy_in_raw(binary::COPY).await?;
        for piece in next.data.chunks(piece) {
            copy.send(piece).await?;
        }
        total += usize::try_from(copy.finish().await?)?;
    }
}

const UNNEST: &str = "INSERT INTO product(id,sku,name,category,price,stock,updated_at)
    SELECT * FROM UNNEST($1::bigint[],$2::text[],$3::text[],$4::text[],$5::numeric[],$6::int[],$7::timestamptz[])";

#[derive(Default)]
struct Columns {
    id: Vec<i64>,
    sku: Vec<String>,
    name: Vec<String>,
    category: Vec<String>,
    price: Vec<Decimal>,
    stock: Vec<i32>,
    at: Vec<DateTime<Utc>>,
}

impl Columns {
    fn push(&mut self, row: &mut Row) -> R<()> {
        self.id.push(row.id);
        self.sku.push(mem::take(&mut row.sku));
        self.name.push(mem::take(&mut row.name));
        self.category.push(mem::take(&mut row.category));
        self.price.push(Decimal::new(row.cents, 2));
        self.stock.push(row.stock);
        self.at.push(DateTime::from_timestamp_micros(row.at + EPOCH * 1_000_000).ok_or("no such time")?);
        Ok(())
    }
}

pub async fn unnest(chunk: usize) -> R<usize> {
    let mut conn = PgConnection::connect(&url()).await?;
    let (mut reader, mut record, mut row) = (reader()?, csv::ByteRecord::new(), Row::default());
    let mut total = 0;
    loop {
        let mut columns = Columns::default();
        while columns.id.len() < chunk && reader.read_byte_record(&mut record)? {
            row.parse(&record)?;
            columns.push(&mut row)?;
        }
        if columns.id.is_empty() {
            return Ok(total);
        }
        let mut tx = conn.begin().await?;
        let query = sqlx::query(UNNEST).bind(&columns.id).bind(&columns.sku).bind(&columns.name).bind(&columns.category);
        let query = query.bind(&columns.price).bind(&columns.stock).bind(&columns.at);
        total += usize::try_from(query.execute(&mut *tx).await?.rows_affected())?;
        tx.commit().await?;
    }
}
