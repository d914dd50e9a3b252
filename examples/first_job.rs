// The README shows this file as it is; a test compares them.
#![cfg_attr(rustfmt, rustfmt_skip)]

use batch_core::{Job, Parameters, Result};
use batch_csv::CsvReader;
use batch_sql::{Database, SqlInsert};
use serde::{Deserialize, Serialize};
use std::process::ExitCode;

#[derive(Deserialize)]
struct Row { sku: String, price: String }
#[derive(Serialize)]
struct Product { sku: String, cents: i64 }

fn check(row: Row) -> Result<Product> {
    let cents = (row.price.parse::<f64>()? * 100.0).round() as i64;
    if cents < 0 { return Err(format!("price {} is negative", row.price).into()) }
    Ok(Product { sku: row.sku, cents })
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let db = Database::open("sqlite://target/first.db").await?;
    db.execute("CREATE TABLE IF NOT EXISTS product (sku VARCHAR(40) PRIMARY KEY, cents BIGINT)").await?;
    let job = Job::new("import", &db).step("products", |s| {
        let input: String = s.parameter("input")?;
        Ok(s.chunk(1000, CsvReader::open(input)).map(check).writer(SqlInsert::into("product")).skip(100))
    });
    Ok(job.main(Parameters::new().set("input", "products.csv")).await)
}
