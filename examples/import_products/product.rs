//! A row of the file, and what makes it a product.

use batch_core::{ItemProblem, Result};
use chrono::DateTime;
use serde::{Deserialize, Serialize};

/// A row as it stands in the file.
#[derive(Debug, Clone, Deserialize)]
pub struct Row {
    pub id: i64,
    pub sku: String,
    pub name: String,
    pub category: String,
    pub price: String,
    pub stock: i64,
    pub updated_at: String,
}

/// A row of the table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Product {
    pub id: i64,
    pub sku: String,
    pub name: String,
    pub category: String,
    pub price_cents: i64,
    pub stock: i64,
    pub updated_at: String,
}

/// The product in a row, or what is wrong with it.
pub fn check(row: Row) -> Result<Product> {
    if !is_sku(&row.sku) {
        return wrong("sku", format!("`{}` is not `SKU-` and ten digits", row.sku));
    }
    let name = collapsed(row.name);
    if name.is_empty() {
        return wrong("name", "is empty");
    }
    let price_cents = cents(&row.price)?;
    if row.stock < 0 {
        return wrong("stock", format!("{} is negative", row.stock));
    }
    if DateTime::parse_from_rfc3339(&row.updated_at).is_err() {
        return wrong("updated_at", format!("`{}` is not an RFC 3339 time", row.updated_at));
    }
    Ok(Product {
        id: row.id,
        sku: row.sku,
        name,
        category: row.category,
        price_cents,
        stock: row.stock,
        updated_at: row.updated_at,
    })
}

fn wrong<T>(column: &'static str, reason: impl Into<String>) -> Result<T> {
    Err(ItemProblem { column, reason: reason.into() }.into())
}

fn is_sku(sku: &str) -> bool {
    sku.strip_prefix("SKU-").is_some_and(|digits| digits.len() == 10 && digits.bytes().all(|b| b.is_ascii_digit()))
}

/// Without white space around it, and with one space wherever there is some inside.
fn collapsed(name: String) -> String {
    let tidy = name.trim() == name && !name.chars().any(|c| c.is_whitespace() && c != ' ') && !name.contains("  ");
    if tidy { name } else { name.split_whitespace().collect::<Vec<_>>().join(" ") }
}

/// A decimal with at most two fraction digits, in cents.
fn cents(price: &str) -> Result<i64> {
    let (whole, fraction) = price.split_once('.').unwrap_or((price, ""));
    if price.starts_with('-') && price.parse::<f64>().is_ok() {
        return wrong("price", format!("{price} is negative"));
    }
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let decimal = !whole.is_empty() && digits(whole) && digits(fraction) && fraction.len() <= 2 && !price.ends_with('.');
    let cents = if decimal { format!("{whole}{fraction:0<2}").parse().ok() } else { None };
    match cents {
        Some(cents) => Ok(cents),
        None => wrong("price", format!("`{price}` is not a decimal with at most two fraction digits")),
    }
}

#[cfg(test)]
mod tests {
    use super::{Row, cents, check};

    fn row() -> Row {
        Row {
            id: 1,
            sku: "SKU-0000000001".into(),
            name: "  Blue \t widget ".into(),
            category: "tools".into(),
            price: "12.5".into(),
            stock: 3,
            updated_at: "2026-01-02T03:04:05Z".into(),
        }
    }

    #[test]
    fn a_good_row_becomes_a_product() {
        let product = check(row()).unwrap();
        assert_eq!((product.name.as_str(), product.price_cents), ("Blue widget", 1250));
    }

    #[test]
    fn each_bad_row_says_its_column() {
        let cases = [
            ("sku", Row { sku: "SKU-1".into(), ..row() }),
            ("sku", Row { sku: "SKU-００００００００００".into(), ..row() }),
            ("name", Row { name: " \u{3000}\t".into(), ..row() }),
            ("price", Row { price: "-1".into(), ..row() }),
            ("price", Row { price: "1.234".into(), ..row() }),
            ("stock", Row { stock: -1, ..row() }),
            ("updated_at", Row { updated_at: "2026-01-02".into(), ..row() }),
        ];
        for (column, row) in cases {
            let error = check(row).unwrap_err().to_string();
            assert!(error.starts_with(column), "{error}");
        }
    }

    #[test]
    fn prices_are_exact() {
        for (price, expected) in [("0", 0), ("7", 700), ("7.1", 710), ("7.10", 710), ("90071992547409.93", 9_007_199_254_740_993)] {
            assert_eq!(cents(price).unwrap(), expected, "{price}");
        }
        for price in ["", ".", "1.", ".5", "1,5", "1e3", "+1", "٣", "1.2.3", "NaN", "99999999999999999999", "-0.01", "1 "] {
            assert!(cents(price).is_err(), "{price}");
        }
    }
}
