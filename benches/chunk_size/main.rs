//! What the size of a chunk is worth on each database, and what batching is worth against one row at a time.
//!
//! `cargo bench --bench chunk_size [-- --help]`. Starts private servers with fsync on, reached through Unix sockets. First, curves: steps
//! that insert, update and upsert rows in chunks of 1 to 50,000. Then the factors: 50,000 rows, each a statement and a commit of its
//! own; each a statement, a commit a thousand; and a step in chunks of a thousand. Everything interleaved round by round, and what
//! each wrote is checked; prints medians and ratios, and writes them with a plot.

#[path = "../shared/chart.rs"]
mod chart;
mod curves;
mod factors;
mod hand;
mod place;
mod product;
mod steps;
mod times;

use batch_core::Result;
use clap::{Parser, ValueEnum};
use place::Place;
use std::{fs, path::PathBuf, thread};

#[derive(Parser)]
#[command(about = "Chunk sizes, and batching against one row at a time", name = "cargo bench --bench chunk_size --")]
struct Options {
    /// How often each is run
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Rows of a curve's longer runs; small chunks write fewer
    #[arg(long, default_value_t = 100_000)]
    rows: usize,
    /// Rows of the factors
    #[arg(long, default_value_t = 50_000)]
    factor_rows: usize,
    /// Sizes of chunks
    #[arg(long, value_delimiter = ',', default_values_t = [1, 10, 50, 100, 500, 1000, 5000, 10_000, 50_000])]
    sizes: Vec<usize>,
    /// Only these parts
    #[arg(long, value_delimiter = ',', default_values_t = [Part::Curves, Part::Factors])]
    parts: Vec<Part>,
    /// Only these databases
    #[arg(long, value_delimiter = ',', default_values_t = ["SQLite".to_owned(), "PostgreSQL".to_owned(), "MariaDB".to_owned()], ignore_case = true,
        value_parser = clap::builder::PossibleValuesParser::new(["SQLite", "PostgreSQL", "MariaDB"]))]
    on: Vec<String>,
    /// Where chunk_size.md, chunk_size.svg and chunk_size.json are written
    #[arg(long, value_name = "DIR", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/target/chunk_size"))]
    out: PathBuf,
    /// Cargo says so to every bench
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Part {
    Curves,
    Factors,
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if *self == Self::Curves { "curves" } else { "factors" })
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let options = Options::parse();
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let mut places = Vec::new();
    for name in &options.on {
        places.push(Place::open(name, folder.path()).await?);
    }
    let cores = thread::available_parallelism()?;
    let mut text =
        format!("{cores} cores, fsync on, Unix sockets; medians of {} interleaved rounds. Load before: {}", options.rounds, load());
    fs::create_dir_all(&options.out)?;
    let mut raw = serde_json::Map::new();
    if options.parts.contains(&Part::Curves) {
        let curves = curves::measure(&mut places, &options.sizes, options.rows, options.rounds).await?;
        text += &curves.markdown();
        fs::write(options.out.join("chunk_size.svg"), chart::svg(&curves.panels()))?;
        raw.insert("curves_us_a_row".to_owned(), serde_json::to_value(curves)?);
    }
    if options.parts.contains(&Part::Factors) {
        let factors = factors::measure(&mut places, options.factor_rows, options.rounds).await?;
        text += &factors.markdown();
        raw.insert("factors_us_a_row".to_owned(), serde_json::to_value(factors)?);
    }
    text += &format!("\nLoad after: {}\n", load());
    println!("{text}");
    fs::write(options.out.join("chunk_size.md"), text)?;
    fs::write(options.out.join("chunk_size.json"), serde_json::to_string_pretty(&raw)?)?;
    println!("written to {}", options.out.display());
    Ok(())
}

fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').take(3).collect::<Vec<_>>().join(" ")
}
