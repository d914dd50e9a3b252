//! w2: CSV to CSV.

use crate::{Call, INPUT, Measured, fresh, product::Product, timed};
use batch_core::{Job, Result};
use batch_csv::{CsvReader, CsvWriter};

pub async fn run(call: &Call) -> Result<Measured> {
    let chunk = call.chunk;
    timed(call, fresh()?, |database| {
        Job::new("bench-w2", database).step("copy", move |s| {
            Ok(s.chunk(chunk, CsvReader::<Product>::open(INPUT))
                .map(|product| Ok(product.upper()))
                .writer(CsvWriter::create("out/ours-w2.csv")))
        })
    })
    .await
}
