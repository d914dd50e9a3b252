//! What was measured, and what follows from it: without a clock, a process or a database, so that the suite can test it.

mod goals;
mod plot;
mod run;
mod table;

pub use goals::{Goal, Verdict, goals};
pub use plot::svg;
pub use run::{Run, Variant, Who};
pub use table::{markdown, number};

use serde::Serialize;

/// One run of one contestant.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Measurement {
    /// What the contestant says that its work took, without connecting to make the table.
    pub seconds: f64,
    /// From its beginning to the first item, where it says so.
    pub first_item: Option<f64>,
    /// The whole process, in seconds, by our clock.
    pub whole: f64,
    /// The most memory it held, in KiB.
    pub peak: u64,
    pub rows: u64,
}

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Metric {
    Seconds,
    FirstItem,
    WholeProcess,
    Peak,
    /// Nanoseconds an item of the ten million of w4.
    PerItem,
}

impl Metric {
    pub fn name(self) -> &'static str {
        match self {
            Self::Seconds | Self::PerItem => "time",
            Self::FirstItem => "first item",
            Self::WholeProcess => "whole process",
            Self::Peak => "peak memory",
        }
    }

    pub fn unit(self) -> &'static str {
        match self {
            Self::Seconds => "s",
            Self::FirstItem | Self::WholeProcess => "ms",
            Self::Peak => "MB",
            Self::PerItem => "ns an item",
        }
    }

    fn of(self, measurement: &Measurement) -> Option<f64> {
        Some(match self {
            Self::Seconds => measurement.seconds,
            Self::FirstItem => measurement.first_item? * 1e3,
            Self::WholeProcess => measurement.whole * 1e3,
            Self::Peak => measurement.peak as f64 / 1024.0,
            Self::PerItem => measurement.seconds * 1e9 / measurement.rows.max(1) as f64,
        })
    }
}

/// What the runs of a group are compared by.
pub fn compared(group: &str) -> Metric {
    match group {
        "w5" => Metric::FirstItem,
        "w6" => Metric::WholeProcess,
        "w4m" => Metric::PerItem,
        "memory" => Metric::Peak,
        _ => Metric::Seconds,
    }
}

/// All measurements of one run, and why there are no more.
#[derive(Debug, Serialize)]
pub struct Entry {
    pub group: &'static str,
    pub run: Run,
    pub measurements: Vec<Measurement>,
    /// Why it was given up: it is not offered, failed, or wrote something else than the others.
    pub given_up: Option<String>,
}

impl Entry {
    pub fn median(&self, metric: Metric) -> Option<f64> {
        median(self.measurements.iter().filter_map(|m| metric.of(m)).collect())
    }

    /// The least and the most.
    pub fn range(&self, metric: Metric) -> Option<(f64, f64)> {
        let mut of: Vec<f64> = self.measurements.iter().filter_map(|m| metric.of(m)).collect();
        of.sort_by(f64::total_cmp);
        Some((*of.first()?, *of.last()?))
    }
}

#[derive(Debug, Default, Serialize)]
#[serde(transparent)]
pub struct Results(pub Vec<Entry>);

impl Results {
    pub fn median(&self, run: Run, metric: Metric) -> Option<f64> {
        self.0.iter().find(|entry| entry.run == run)?.median(metric)
    }

    /// The groups in their order, each with its entries.
    pub fn groups(&self) -> impl Iterator<Item = (&'static str, &[Entry])> {
        self.0.chunk_by(|one, other| one.group == other.group).map(|entries| (entries[0].group, entries))
    }
}

/// The middle one, or the mean of the middle two.
pub fn median(mut of: Vec<f64>) -> Option<f64> {
    of.sort_by(f64::total_cmp);
    let middle = of.len() / 2;
    if of.len() % 2 == 1 { of.get(middle).copied() } else { Some((of.get(middle.checked_sub(1)?)? + of[middle]) / 2.0) }
}
