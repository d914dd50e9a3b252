//! w1, w5, w5r: CSV to a table, each chunk with its place in one transaction.

use crate::{
    CSV, R, checkpoint,
    product::{Product, process},
};
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use sqlx::{Connection, PgConnection};

const UNNEST: &str = "INSERT INTO product(id,sku,name,category,price,stock,updated_at)
    SELECT * FROM UNNEST($1::bigint[],$2::text[],$3::text[],$4::text[],$5::numeric[],$6::int[],$7::timestamptz[])";

/// Goes on where the last run failed; fails itself at row `fail_at` of this run.
pub async fn run(conn: &mut PgConnection, chunk: usize, fail_at: Option<u64>, mut first: impl FnMut()) -> R<u64> {
    let place: Option<i64> =
        sqlx::query_scalar("SELECT pos FROM hand_ck WHERE job='w1' AND NOT done").fetch_optional(&mut *conn).await?;
    let mut reader = csv::Reader::from_path(CSV)?;
    let headers = reader.headers()?.clone();
    if let Some(place) = place.filter(|place| *place > 0) {
        let mut at = csv::Position::new();
        at.set_byte(place as u64);
        reader.seek(at)?;
    }
    let (mut record, mut products, mut rows) = (csv::StringRecord::new(), Vec::with_capacity(chunk), 0);
    loop {
        products.clear();
        while products.len() < chunk && reader.read_record(&mut record)? {
            products.push(process(record.deserialize(Some(&headers))?));
        }
        if products.is_empty() {
            break;
        }
        first();
        let mut tx = conn.begin().await?;
        insert(&mut tx, &products).await?;
        rows += products.len() as u64;
        if fail_at.is_some_and(|row| rows >= row) {
            return Err("the writer failed at its row".into());
        }
        checkpoint(&mut tx, "w1", reader.position().byte() as i64, false).await?;
        tx.commit().await?;
    }
    checkpoint(conn, "w1", 0, true).await?;
    Ok(rows)
}

async fn insert(conn: &mut PgConnection, rows: &[Product]) -> R<()> {
    let id: Vec<i64> = rows.iter().map(|p| p.id).collect();
    let sku: Vec<&str> = rows.iter().map(|p| p.sku.as_str()).collect();
    let name: Vec<&str> = rows.iter().map(|p| p.name.as_str()).collect();
    let category: Vec<&str> = rows.iter().map(|p| p.category.as_str()).collect();
    let price: Vec<Decimal> = rows.iter().map(|p| p.price).collect();
    let stock: Vec<i32> = rows.iter().map(|p| p.stock).collect();
    let at: Vec<DateTime<Utc>> = rows.iter().map(|p| p.updated_at).collect();
    let query = sqlx::query(UNNEST).bind(id).bind(sku).bind(name).bind(category).bind(price).bind(stock).bind(at);
    query.execute(conn).await?;
    Ok(())
}
