//! The rows.

use chrono::{DateTime, Utc};
use serde::Serialize;

#[derive(Clone, Serialize)]
pub struct Product {
    pub id: i64,
    pub sku: String,
    pub name: String,
    pub category: String,
    pub price_cents: i64,
    pub stock: i32,
    pub updated_at: DateTime<Utc>,
}

/// Row `id` as of some edition, by which its stock differs from others'.
pub fn product(id: i64, edition: i32) -> Product {
    Product {
        id,
        sku: format!("SKU-{id:08}"),
        name: format!("Product number {id} of the catalogue"),
        category: format!("category-{}", id % 40),
        price_cents: id * 7 % 100_000,
        stock: stock(id, edition),
        updated_at: DateTime::from_timestamp(1_767_225_600 + id * 60, 0).unwrap_or_default(),
    }
}

pub fn stock(id: i64, edition: i32) -> i32 {
    (id % 500) as i32 + edition
}
