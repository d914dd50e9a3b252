//! w3: PostgreSQL to PostgreSQL; and the table that the imports fill.

use crate::{
    Call, Measured, fresh,
    product::{Product, TABLE},
    timed,
};
use batch_core::{Job, Result};
use batch_sql::{Keyset, SqlInsert};
use chrono::{DateTime, Utc};
use rust_decimal::{Decimal, RoundingStrategy};
use sqlx::{Connection, PgConnection, raw_sql};

/// Makes the table anew; not timed.
pub async fn empty(url: &str) -> Result<()> {
    let mut conn = PgConnection::connect(url).await?;
    raw_sql(TABLE).execute(&mut conn).await?;
    conn.close().await?;
    Ok(())
}

type Row = (i64, String, String, String, Decimal, i32, DateTime<Utc>);

pub async fn run(call: &Call) -> Result<Measured> {
    empty(&call.url).await?;
    let chunk = call.chunk;
    timed(call, fresh()?, |database| {
        Job::new("bench-w3", database).step("raise", move |s| {
            let rows = Keyset::<Row, _>::table(s.database(), "product_src")
                .columns(["id", "sku", "name", "category", "price", "stock", "updated_at"])
                .key(["id"])
                .page_size(chunk);
            Ok(s.chunk(chunk, rows).map(|row| Ok(raised(row))).writer(SqlInsert::into("product")))
        })
    })
    .await
}

/// A tenth dearer, rounded to cents.
fn raised((id, sku, name, category, price, stock, updated_at): Row) -> Product {
    let price = (price * Decimal::new(11, 1)).round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
    Product { id, sku, name, category, price, stock, updated_at }
}
