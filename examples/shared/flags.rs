//! The flags that every example takes.

use clap::Args;

#[derive(Args, Debug, Clone)]
pub struct Flags {
    /// Where the job's progress is kept (and, for an import, the rows)
    #[arg(long, value_name = "URL")]
    pub database: Option<String>,

    /// Items a chunk: how many are committed together
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub chunk: u32,

    /// How many bad rows may be left out before the job fails
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub skip_limit: u64,

    /// Stop after so many rows; run again to go on
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,

    /// Do everything, keep nothing
    #[arg(long)]
    pub dry_run: bool,
}

impl Flags {
    /// The database's URL: the one given, else a file under `target/`.
    pub fn database(&self, file: &str) -> String {
        self.database.clone().unwrap_or_else(|| format!("sqlite://target/{file}"))
    }
}
