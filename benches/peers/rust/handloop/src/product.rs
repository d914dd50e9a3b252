use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

#[derive(Deserialize, Serialize)]
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

pub fn process(mut product: Product) -> Product {
    product.name = product.name.to_uppercase();
    product
}
