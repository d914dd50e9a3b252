//! What the tuning found, as plain data.

mod bars;
mod numbers;
mod plot;
mod text;

use crate::{Dimension, Quantiles, Setting, Spread};
use batch_core::{Error, ErrorKind};
use serde::{Deserialize, Serialize};
use std::{fs, path::Path};

pub(crate) use numbers::{bytes, grouped, milliseconds, percent};

/// What the tuning found. Its `Display` is a table, bars and the reason of each recommendation.
///
/// As JSON it is one object with these fields, numbers in the units of their names; [`Tuning::VERSION`] rises when a field changes its
/// meaning or goes, not when one is added. Nothing is a secret: parameters are not in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tuning {
    /// Of this layout.
    pub version: u32,
    /// The job's name.
    pub job: String,
    /// Whether every chunk was rolled back: commits, their wait for the disk, and what grows with the table are then not in the figures.
    pub rolled_back: bool,
    /// By which the order of the trials can be repeated.
    pub seed: u64,
    /// How long all of it took.
    pub seconds: f64,
    /// Rounds asked for.
    pub rounds: u32,
    /// Throughput that may be given up for a smaller number, as a share of the best.
    pub tolerance: f64,
    /// Limits asked for.
    pub limits: Limits,
    /// One for each dimension, in the order in which they were tuned, each at what the ones before recommended.
    pub curves: Vec<Curve>,
    /// Everything together; a dimension without recommendation stays as it was given.
    pub recommended: Setting,
}

/// What a recommendation must keep to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// How long a chunk's transaction may be open, at the 99th percentile.
    pub lock_ms: Option<f64>,
    /// How much memory the job may take.
    pub memory_bytes: Option<u64>,
}

/// The numbers tried in one dimension.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    /// Which.
    pub dimension: Dimension,
    /// The setting of which only this dimension was changed.
    pub from: Setting,
    /// Smallest first.
    pub points: Vec<Point>,
    /// Numbers that were asked for and not tried.
    pub not_tried: Option<NotTried>,
    /// Rounds that were made, where the time budget ended them early.
    pub cut_short: Option<u32>,
    /// Which to take.
    pub recommendation: Recommendation,
}

/// Numbers that were not tried, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotTried {
    /// The numbers.
    pub values: Vec<usize>,
    /// A sentence.
    pub reason: String,
}

/// One number and what it brought, over all its trials.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// The number.
    pub value: usize,
    /// Records read a second.
    pub items_per_second: Spread,
    /// The same of each trial, in the order they were made.
    pub trials: Vec<f64>,
    /// Chunks committed in all.
    pub chunks: usize,
    /// Where an item's time goes. Reading and processing overlap with writing and commit, so the sum may exceed 1 / throughput.
    pub us_per_item: Phases,
    /// Commits alone; rollbacks where chunks were rolled back.
    pub commit_ms: Quantiles,
    /// Whole transactions: how long a chunk holds its locks.
    pub lock_ms: Quantiles,
    /// Highest memory above what the process had before the first trial, at most: what a trial frees stays with the process, and counts
    /// for smaller ones after it. None where the system does not tell, and in a dimension that others were tuned before.
    pub memory_bytes: Option<u64>,
    /// Cost of a chunk that fails just before its commit and is tried again; none where it was not measured.
    pub retried_chunk: Option<RetriedChunk>,
    /// The round after which it was given up as too slow.
    pub given_up: Option<u32>,
}

/// Microseconds of an item in each phase.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Phases {
    /// Reading.
    pub read: f64,
    /// Processing.
    pub process: f64,
    /// Writing, with the transaction's begin.
    pub write: f64,
    /// Commit.
    pub commit: f64,
}

/// What a failed attempt at a chunk costs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RetriedChunk {
    /// Work of the failed attempt, which was thrown away.
    pub lost_ms: f64,
    /// How much later the chunk committed than the others: the lost work, the rollback and the job's own wait between attempts.
    pub extra_ms: f64,
}

/// What to take.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recommendation {
    /// The number; none where every one breaks a limit.
    pub value: Option<usize>,
    /// Whether the trials differ little enough to tell.
    pub sure: bool,
    /// Why, in a few sentences.
    pub reason: String,
}

impl Tuning {
    /// Of the layout of the JSON.
    pub const VERSION: u32 = 1;

    /// The layout as JSON, indented.
    pub fn to_json(&self) -> String {
        // Strings and finite numbers alone: there is nothing that JSON could refuse.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Writes the JSON to a file.
    ///
    /// # Errors
    /// Kind `Configuration` where it cannot be written.
    pub fn write_json(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        write(path.as_ref(), &self.to_json())
    }

    /// A plot of the curves as SVG: throughput with its spread over each number, and how long transactions last.
    pub fn to_svg(&self) -> String {
        plot::svg(self)
    }

    /// Writes the plot to a file.
    ///
    /// # Errors
    /// As for [`Self::write_json`].
    pub fn write_svg(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        write(path.as_ref(), &self.to_svg())
    }

    /// The curve of a dimension, where it was tuned.
    pub fn curve(&self, dimension: Dimension) -> Option<&Curve> {
        self.curves.iter().find(|curve| curve.dimension == dimension)
    }
}

impl Curve {
    /// The point that is recommended.
    pub fn recommended(&self) -> Option<&Point> {
        self.points.iter().find(|point| Some(point.value) == self.recommendation.value)
    }
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    fs::write(path, text)
        .map_err(|e| Error::new(ErrorKind::Configuration, "the file cannot be written").with("file", path.display()).because(e))
}

#[cfg(test)]
mod tests;
