//! Items, their processors, and the readers and writers that are not the framework's.

use chrono::{DateTime, Utc};
use rust_decimal::{Decimal, RoundingStrategy::MidpointAwayFromZero};
use serde::{Deserialize, Serialize};
use spring_batch_rs::{
    core::item::{ItemProcessor, ItemProcessorResult, ItemReader, ItemReaderResult, ItemWriter, ItemWriterResult},
    item::rdbc::DatabaseItemBinder,
};
use sqlx::{FromRow, Postgres, query_builder::Separated};
use std::cell::Cell;

#[derive(Clone, Deserialize, Serialize, FromRow)]
pub struct Product {
    pub id: i64,
    pub sku: String,
    pub name: String,
    pub category: String,
    #[serde(with = "rust_decimal::serde::str")]
    pub price: Decimal,
    pub stock: i32,
    pub updated_at: DateTime<Utc>,
}

pub struct Upper;

impl ItemProcessor<Product, Product> for Upper {
    fn process(&self, mut p: Product) -> ItemProcessorResult<Product> {
        p.name = p.name.to_uppercase();
        Ok(Some(p))
    }
}

pub struct Raise;

impl ItemProcessor<Product, Product> for Raise {
    fn process(&self, mut p: Product) -> ItemProcessorResult<Product> {
        p.price = (p.price * Decimal::new(11, 1)).round_dp_with_strategy(2, MidpointAwayFromZero);
        Ok(Some(p))
    }
}

pub struct Binder;

impl DatabaseItemBinder<Product, Postgres> for Binder {
    fn bind(&self, p: &Product, mut q: Separated<Postgres, &str>) {
        q.push_bind(p.id);
        q.push_bind(p.sku.clone());
        q.push_bind(p.name.clone());
        q.push_bind(p.category.clone());
        q.push_bind(p.price);
        q.push_bind(p.stock);
        q.push_bind(p.updated_at);
    }
}

pub struct Range(pub Cell<u64>, pub u64);

impl ItemReader<u64> for Range {
    fn read(&self) -> ItemReaderResult<u64> {
        let x = self.0.get();
        if x == self.1 {
            return Ok(None);
        }
        self.0.set(x + 1);
        Ok(Some(x))
    }
}

pub struct Plus1;

impl ItemProcessor<u64, u64> for Plus1 {
    fn process(&self, x: u64) -> ItemProcessorResult<u64> {
        Ok(Some(x + 1))
    }
}

pub struct Sum(pub Cell<u64>);

impl ItemWriter<u64> for Sum {
    fn write(&self, v: &[u64]) -> ItemWriterResult {
        self.0.set(self.0.get() + v.iter().sum::<u64>());
        Ok(())
    }
}
