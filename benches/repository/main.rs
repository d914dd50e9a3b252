//! What a chunk's metadata costs on each database, and CSV to PostgreSQL against a COPY loop written by hand.
//!
//! `cargo bench --bench repository [-- CHUNKS ROWS ROUNDS]`. Starts private servers with fsync on. First, chunks of one item whose writer
//! writes nothing, against a loop of BEGIN, one UPDATE of a checkpoint row and COMMIT; statements are counted by a proxy between client
//! and server. Then a file of products, chunks of a thousand, against a loop that parses, checks, encodes and sends the same rows by
//! `COPY .. BINARY` and saves its place in the same transaction; over a Unix socket and over TCP. Both in turns, in one run; prints
//! medians and ratios.

#[path = "../../examples/import_products/generate.rs"]
mod generate;
mod import;
#[path = "../shared/measure.rs"]
mod measure;
mod metadata;
#[expect(dead_code, unused_imports, reason = "its tests run with the example")]
#[path = "../../examples/import_products/product.rs"]
mod product;
#[path = "../shared/products.rs"]
mod products;
#[path = "../shared/timed.rs"]
mod timed;

use batch_core::Result;
use measure::argument;

#[tokio::main]
async fn main() -> Result<()> {
    let (chunks, rows, rounds) = (argument(0, 2000), argument(1, 200_000), argument(2, 5));
    metadata::compare(chunks, rounds).await?;
    import::compare(rows, rounds).await
}
