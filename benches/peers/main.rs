//! This framework and its peers side by side: `cargo bench --bench peers [-- --help]`.
//!
//! Set up by `benches/peers/setup.sh`; what is not built is left out. Each contestant is a process of its own, each runs once a round,
//! the next round begins with another one. Before each, PostgreSQL makes a checkpoint; after each, what it wrote is held against what
//! the data demands. Prints the goals and all medians as Markdown, and writes them with the raw results and a plot.

mod check;
mod conditions;
mod contestants;
mod measure;
mod options;
mod plan;
mod result;
mod rounds;

use batch_core::Result;
use check::Check;
use clap::Parser;
use options::Options;
use result::{Results, markdown, svg};
use std::fs;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let options = Options::parse();
    contestants::build_ours(&options)?;
    let mut check = Check::open(&options.url).await?;
    let mut results = rounds::entries(&options);
    let mut conditions = conditions::begin(&mut check, &options).await?;
    for round in 0..options.rounds {
        rounds::round(round, &mut results, &mut check, &options).await?;
        // A run that is broken off leaves what it has.
        write(&results, &conditions, &options)?;
    }
    conditions::end(&mut conditions);
    write(&results, &conditions, &options)?;
    println!("{}", markdown(&results, &conditions, options.chunk));
    println!("written to {}", options.out().display());
    Ok(())
}

fn write(results: &Results, conditions: &[(String, String)], options: &Options) -> Result<()> {
    let out = options.out();
    fs::create_dir_all(&out)?;
    let raw = serde_json::json!({ "conditions": conditions, "entries": results });
    fs::write(out.join("results.json"), serde_json::to_string_pretty(&raw)?)?;
    fs::write(out.join("results.md"), markdown(results, conditions, options.chunk))?;
    fs::write(out.join("results.svg"), svg(results))?;
    Ok(())
}
