//! The rows.

use serde::Serialize;

#[derive(Serialize, Clone)]
pub(crate) struct Product {
    pub(crate) id: i64,
    pub(crate) sku: String,
    pub(crate) name: String,
    pub(crate) category: String,
    pub(crate) price_cents: i64,
    pub(crate) stock: i32,
    pub(crate) updated_at: chrono::DateTime<chrono::Utc>,
}

/// So many, from a number on.
pub(crate) fn products(from: usize, count: usize) -> Vec<Product> {
    let from = i64::try_from(from).unwrap();
    let product = |id: i64| Product {
        id,
        sku: format!("SKU-{id:08}"),
        name: format!("Product number {id} of the catalogue"),
        category: format!("category-{}", id % 40),
        price_cents: id * 7 % 100_000,
        stock: i32::try_from(id % 500).unwrap(),
        updated_at: chrono::DateTime::from_timestamp(1_767_225_600 + id * 60, 0).unwrap(),
    };
    (from..).take(count).map(product).collect()
}
