//! The command line.

use crate::{plan::GROUPS, result::Who};
use clap::{Parser, builder::PossibleValuesParser};
use std::path::{Path, PathBuf};

pub const HERE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peers");
const URL: &str = "postgres://postgres@127.0.0.1:54329/bench?sslmode=disable";

#[derive(Parser)]
#[command(about = "Runs this framework and its peers side by side", name = "cargo bench --bench peers --")]
pub struct Options {
    /// How often each is run
    #[arg(long, default_value_t = 5)]
    pub rounds: usize,
    /// Groups of runs that are compared; all, where none is given
    #[arg(long, value_delimiter = ',', value_parser = PossibleValuesParser::new(GROUPS))]
    pub workloads: Vec<String>,
    /// Items a chunk, where a group does not say otherwise
    #[arg(long, default_value_t = 1000)]
    pub chunk: u64,
    /// Only these contestants
    #[arg(long, value_delimiter = ',')]
    pub who: Vec<Who>,
    /// Where data/ is, and out/ is written
    #[arg(long = "in", value_name = "DIR", default_value = HERE)]
    pub folder: PathBuf,
    /// Where results.json, results.md and results.svg are written; `results` in that folder, where none is given
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Another program in our place, as `target/peers/examples/ours` of an older commit
    #[arg(long, value_name = "PROGRAM")]
    pub ours: Option<PathBuf>,
    /// The database, for all contestants
    #[arg(long, env = "BENCH_URL", default_value = URL)]
    pub url: String,
    /// Cargo says so to every bench
    #[arg(long, hide = true)]
    bench: bool,
}

impl Options {
    pub fn groups(&self) -> Vec<&'static str> {
        GROUPS.into_iter().filter(|group| self.workloads.is_empty() || self.workloads.iter().any(|one| one == group)).collect()
    }

    pub fn wants(&self, who: Who) -> bool {
        self.who.is_empty() || self.who.contains(&who)
    }

    pub fn out(&self) -> PathBuf {
        self.out.clone().unwrap_or_else(|| self.folder.join("results"))
    }

    /// A folder like the usual one, with ten times the rows.
    pub fn ten(&self) -> PathBuf {
        self.folder.join("ten")
    }

    /// Our program: in the same target folder as this one.
    pub fn ours(&self) -> PathBuf {
        self.ours.clone().unwrap_or_else(|| {
            let this = std::env::current_exe().unwrap_or_default();
            this.ancestors().nth(3).unwrap_or(Path::new("target")).join("peers/examples/ours")
        })
    }
}
