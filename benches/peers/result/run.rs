//! What can be measured: who, what, in chunks of how many.

use clap::ValueEnum;
use serde::{Serialize, Serializer};
use std::fmt;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
#[value(rename_all = "lower")]
pub enum Who {
    Ours,
    Limit,
    HandLoop,
    Oxide,
    Sbrs,
    Spring,
    PsqlCopy,
}

impl Who {
    pub fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Limit => "limit",
            Self::HandLoop => "handloop",
            Self::Oxide => "oxide",
            Self::Sbrs => "sbrs",
            Self::Spring => "spring",
            Self::PsqlCopy => "psqlcopy",
        }
    }
}

/// What is different from the usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    Usual,
    /// A restart of a run that failed at this many hundredths of the file.
    FailedAt(u8),
    /// A file of ten times as many rows.
    TenTimes,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Run {
    pub who: Who,
    pub workload: &'static str,
    pub chunk: u64,
    #[serde(serialize_with = "as_text")]
    pub variant: Variant,
}

impl Run {
    pub fn new(who: Who, workload: &'static str, chunk: u64) -> Self {
        Self { who, workload, chunk, variant: Variant::Usual }
    }

    pub fn failed_at(self, hundredths: u8) -> Self {
        Self { variant: Variant::FailedAt(hundredths), ..self }
    }

    pub fn ten_times(self) -> Self {
        Self { variant: Variant::TenTimes, ..self }
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.who.name(), self.workload)?;
        match self.variant {
            Variant::Usual => Ok(()),
            Variant::FailedAt(hundredths) => write!(f, ", failed at {hundredths} %"),
            Variant::TenTimes => write!(f, ", ten times the rows"),
        }
    }
}

fn as_text<S: Serializer>(variant: &Variant, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&match variant {
        Variant::Usual => "usual".to_owned(),
        Variant::FailedAt(hundredths) => format!("failed at {hundredths} %"),
        Variant::TenTimes => "ten times the rows".to_owned(),
    })
}
