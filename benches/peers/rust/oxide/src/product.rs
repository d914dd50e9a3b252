//! Items and their processors.

use chrono::{DateTime, Datelike, Timelike, Utc};
use oxide_batch::{item_components::DelimitedRecord, *};
use rust_decimal::{Decimal, RoundingStrategy::MidpointAwayFromZero};
use std::{
    collections::HashSet,
    fmt::Write as _,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

/// What the writer of w4 has summed up.
pub static SUM: AtomicU64 = AtomicU64::new(0);

#[derive(Clone)]
pub struct Product {
    pub id: i64,
    pub sku: String,
    pub name: String,
    pub category: String,
    pub price: Decimal,
    pub stock: i32,
    pub updated_at: DateTime<Utc>,
}

/// The item of w3: a row is read as text, i64, i32, bool and f64 alone, so numeric and timestamptz come as text.
pub struct Row3 {
    pub id: i64,
    pub sku: String,
    pub name: String,
    pub category: String,
    pub price: Decimal,
    pub stock: i32,
    pub at: String,
}

pub fn to_product(r: &DelimitedRecord) -> Option<Product> {
    let f = r.fields();
    Some(Product {
        id: f.first()?.parse().ok()?,
        sku: f.get(1)?.clone(),
        name: f.get(2)?.to_uppercase(),
        category: f.get(3)?.clone(),
        price: Decimal::from_str_exact(f.get(4)?).ok()?,
        stock: f.get(5)?.parse().ok()?,
        updated_at: DateTime::parse_from_rfc3339(f.get(6)?).ok()?.with_timezone(&Utc),
    })
}

pub fn pad(b: &mut String, v: u32, w: usize) {
    let _ = write!(b, "{v:0w$}");
}

pub fn rfc3339(b: &mut String, t: &DateTime<Utc>) {
    pad(b, t.year() as u32, 4);
    b.push('-');
    pad(b, t.month(), 2);
    b.push('-');
    pad(b, t.day(), 2);
    b.push('T');
    pad(b, t.hour(), 2);
    b.push(':');
    pad(b, t.minute(), 2);
    b.push(':');
    pad(b, t.second(), 2);
    b.push('Z');
}

impl From<Product> for DelimitedRecord {
    fn from(p: Product) -> Self {
        let mut t = String::with_capacity(20);
        rfc3339(&mut t, &p.updated_at);
        Self::new(vec![p.id.to_string(), p.sku, p.name, p.category, p.price.to_string(), p.stock.to_string(), t])
    }
}

/// Capitals; in mode 7 every 1,000th price changes its sign, in mode 8 every 1,000th item fails once.
pub struct Proc {
    pub mode: u8,
    pub seen: Mutex<HashSet<i64>>,
}

impl ItemProcessor<DelimitedRecord, Product> for Proc {
    async fn process(&self, r: &DelimitedRecord, _c: ProcessContext<'_>) -> Result<ProcessOutcome<Product>, ProcessorError> {
        let mut p = to_product(r).ok_or_else(|| ProcessorError::with_category(FailureCategory::UserComponent))?;
        if self.mode != 0 && p.id % 1000 == 0 {
            if self.mode == 7 {
                p.price = -p.price
            } else if self.seen.lock().unwrap().insert(p.id) {
                return Err(ProcessorError::with_category(FailureCategory::Timeout));
            }
        }
        Ok(ProcessOutcome::Item(p))
    }
}

pub struct Proc3;

impl ItemProcessor<Row3, Row3> for Proc3 {
    async fn process(&self, r: &Row3, _c: ProcessContext<'_>) -> Result<ProcessOutcome<Row3>, ProcessorError> {
        let price = (r.price * Decimal::new(11, 1)).round_dp_with_strategy(2, MidpointAwayFromZero);
        Ok(ProcessOutcome::Item(Row3 {
            id: r.id,
            sku: r.sku.clone(),
            name: r.name.clone(),
            category: r.category.clone(),
            price,
            stock: r.stock,
            at: r.at.clone(),
        }))
    }
}

pub struct Plus1;

impl ItemProcessor<u64, u64> for Plus1 {
    async fn process(&self, x: &u64, _c: ProcessContext<'_>) -> Result<ProcessOutcome<u64>, ProcessorError> {
        Ok(ProcessOutcome::Item(x + 1))
    }
}

pub struct SumWriter;

impl ItemWriter<u64> for SumWriter {
    async fn write(&self, v: &[u64], _c: WriteContext<'_>) -> Result<WriteOutcome, WriterError> {
        SUM.fetch_add(v.iter().sum(), Relaxed);
        Ok(WriteOutcome::Written)
    }
}

/// The first so many items.
pub struct Take<T> {
    pub inner: T,
    pub left: u64,
}

impl<I: 'static, T: ItemReader<I> + Send> ItemReader<I> for Take<T> {
    async fn read(&mut self, c: ReadContext<'_>) -> Result<ReadOutcome<I>, ReaderError> {
        if self.left == 0 {
            return Ok(ReadOutcome::EndOfInput);
        }
        self.left -= 1;
        self.inner.read(c).await
    }
}
