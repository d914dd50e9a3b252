//! The writer: UNNEST in the chunk's transaction.

use crate::{
    FAIL_AT, FIRST, START,
    product::{Product, Row3, rfc3339},
};

use oxide_batch::*;
use std::{fmt::Write as _, sync::atomic::Ordering::Relaxed};

/// Columns as literals of arrays: a value is text, bytes, i64, bool or null.
#[derive(Default)]
pub struct Cols {
    pub id: String,
    pub sku: String,
    pub name: String,
    pub cat: String,
    pub price: String,
    pub stock: String,
    pub at: String,
}

pub fn quoted(b: &mut String, s: &str) {
    b.push('"');
    for c in s.chars() {
        if c == '"' || c == '\\' {
            b.push('\\')
        }
        b.push(c)
    }
    b.push_str("\",");
}

pub trait Columns {
    fn push(&self, c: &mut Cols);
    fn key(&self) -> i64;
}

impl Columns for Product {
    fn push(&self, c: &mut Cols) {
        let _ = write!(c.id, "{},", self.id);
        quoted(&mut c.sku, &self.sku);
        quoted(&mut c.name, &self.name);
        quoted(&mut c.cat, &self.category);
        let _ = write!(c.price, "{},", self.price);
        let _ = write!(c.stock, "{},", self.stock);
        rfc3339(&mut c.at, &self.updated_at);
        c.at.push(',');
    }
    fn key(&self) -> i64 {
        self.id
    }
}

impl Columns for Row3 {
    fn push(&self, c: &mut Cols) {
        let _ = write!(c.id, "{},", self.id);
        quoted(&mut c.sku, &self.sku);
        quoted(&mut c.name, &self.name);
        quoted(&mut c.cat, &self.category);
        let _ = write!(c.price, "{},", self.price);
        let _ = write!(c.stock, "{},", self.stock);
        quoted(&mut c.at, &self.at);
    }
    fn key(&self) -> i64 {
        self.id
    }
}

pub const UNNEST: &str = "INSERT INTO product(id,sku,name,category,price,stock,updated_at)
    SELECT * FROM UNNEST($1::text::bigint[],$2::text::text[],$3::text::text[],$4::text::text[],$5::text::numeric[],$6::text::int[],
    $7::text::timestamptz[])";
/// With `bisect`, a refused row is found by halves between savepoints, which a skip needs.
pub struct Unnest {
    pub bisect: bool,
}

pub fn classify(e: BusinessTransactionError) -> WriterError {
    WriterError::with_category(if e == BusinessTransactionError::Rejected {
        FailureCategory::UserComponent
    } else {
        FailureCategory::TransientInfrastructure
    })
}

impl Unnest {
    pub async fn insert<T: Columns>(tx: &mut dyn BusinessTransaction, items: &[T]) -> Result<(), BusinessTransactionError> {
        let mut c = Cols::default();
        for s in [&mut c.id, &mut c.sku, &mut c.name, &mut c.cat, &mut c.price, &mut c.stock, &mut c.at] {
            s.reserve(items.len() * 24);
            s.push('{')
        }
        for p in items {
            p.push(&mut c)
        }
        for s in [&mut c.id, &mut c.sku, &mut c.name, &mut c.cat, &mut c.price, &mut c.stock, &mut c.at] {
            s.pop();
            s.push('}')
        }
        let v = [&c.id, &c.sku, &c.name, &c.cat, &c.price, &c.stock, &c.at].map(|s| BusinessValue::text(s));
        tx.execute(BusinessStatement::new(UNNEST, &v)).await.map(|_| ())
    }
}

impl<T: Columns + Send + Sync> ItemWriter<T> for Unnest {
    async fn write<'a>(&'a self, items: &'a [T], mut ctx: WriteContext<'a>) -> Result<WriteOutcome, WriterError> {
        if items.is_empty() {
            return Ok(WriteOutcome::Written);
        }
        FIRST.lock().unwrap().get_or_insert_with(|| START.get().unwrap().elapsed().as_secs_f64());
        let fail_at = FAIL_AT.load(Relaxed);
        if items.iter().any(|p| p.key() == fail_at) {
            return Err(WriterError::with_category(FailureCategory::PermanentInfrastructure));
        }
        let tx = ctx.transaction().ok_or_else(|| WriterError::with_category(FailureCategory::UnsupportedCapability))?;
        if !self.bisect {
            Unnest::insert(tx, items).await.map_err(classify)?;
            return Ok(WriteOutcome::Written);
        }
        let ex = async |tx: &mut dyn BusinessTransaction, s: &str| {
            tx.execute(BusinessStatement::new(s, &[])).await.map(|_| ()).map_err(classify)
        };
        let (mut lo, mut hi) = (0, items.len()); // the first bad row lies in lo..hi once the whole has failed
        let mut whole = true;
        loop {
            let end = if whole { hi } else { lo + (hi - lo) / 2 };
            ex(tx, "SAVEPOINT b").await?;
            match Unnest::insert(tx, &items[lo..end]).await {
                Ok(()) if whole => {
                    ex(tx, "RELEASE SAVEPOINT b").await?;
                    return Ok(WriteOutcome::Written);
                }
                Ok(()) => lo = end,
                Err(BusinessTransactionError::Rejected) => hi = end,
                Err(e) => return Err(classify(e)),
            }
            ex(tx, "ROLLBACK TO SAVEPOINT b").await?;
            whole = false;
            if hi - lo == 1 {
                return Err(WriterError::with_category(FailureCategory::UserComponent).with_rolled_back_output(lo));
            }
        }
    }
}
