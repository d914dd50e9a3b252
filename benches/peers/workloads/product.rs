//! A row of the file and of the table.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// Makes the table of them anew.
pub const TABLE: &str = "DROP TABLE IF EXISTS product; CREATE TABLE product (id bigint PRIMARY KEY, sku text NOT NULL, name text NOT NULL,
    category text NOT NULL, price numeric(12,2) NOT NULL CHECK (price >= 0), stock integer NOT NULL, updated_at timestamptz NOT NULL)";

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Product {
    pub id: i64,
    pub sku: String,
    pub name: String,
    pub category: String,
    #[serde(with = "rust_decimal::serde::str")]
    pub price: Decimal,
    pub stock: i32,
    #[serde(serialize_with = "batch_core::item::iso", deserialize_with = "batch_core::item::from_iso")]
    pub updated_at: DateTime<Utc>,
}

impl Product {
    /// With its name in upper case, in place where that is possible.
    pub fn upper(mut self) -> Self {
        if self.name.is_ascii() {
            self.name.make_ascii_uppercase();
        } else {
            self.name = self.name.to_uppercase();
        }
        self
    }
}
