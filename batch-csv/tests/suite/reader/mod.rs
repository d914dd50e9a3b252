//! The reader.

mod bad;
mod encodings;
mod files;
mod items;
mod large;
mod properties;
mod restart;

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Product {
    pub(crate) id: i64,
    pub(crate) sku: String,
    pub(crate) price: f64,
}

pub(crate) fn product(id: i64, sku: &str, price: f64) -> Product {
    Product { id, sku: sku.to_owned(), price }
}
