//! What is tuned.

use serde::{Deserialize, Serialize};

/// How a trial runs the job; what each number does is up to the job that is built from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Setting {
    /// Items a chunk.
    pub chunk: usize,
    /// Items processed at once.
    pub concurrent: usize,
    /// Chunks processed at once, each on a task of its own.
    pub workers: usize,
    /// Chunks written at once, each in a transaction of its own.
    pub in_flight: usize,
}

impl Setting {
    /// Chunks of so many items, nothing at once.
    pub fn chunk(items: usize) -> Self {
        Self { chunk: items, ..Self::default() }
    }

    /// The same with another number in one dimension.
    #[must_use]
    pub fn with(mut self, dimension: Dimension, value: usize) -> Self {
        *match dimension {
            Dimension::Chunk => &mut self.chunk,
            Dimension::Concurrent => &mut self.concurrent,
            Dimension::Workers => &mut self.workers,
            Dimension::InFlight => &mut self.in_flight,
        } = value;
        self
    }

    /// The number in one dimension.
    pub fn get(&self, dimension: Dimension) -> usize {
        match dimension {
            Dimension::Chunk => self.chunk,
            Dimension::Concurrent => self.concurrent,
            Dimension::Workers => self.workers,
            Dimension::InFlight => self.in_flight,
        }
    }
}

/// Chunks of 1,000, nothing at once.
impl Default for Setting {
    fn default() -> Self {
        Self { chunk: 1000, concurrent: 1, workers: 1, in_flight: 1 }
    }
}

/// One number of a [`Setting`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dimension {
    /// Items a chunk.
    Chunk,
    /// Items processed at once.
    Concurrent,
    /// Chunks processed at once.
    Workers,
    /// Chunks written at once.
    InFlight,
}

impl Dimension {
    /// Its name, as the job's builder spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Chunk => "chunk",
            Self::Concurrent => "concurrent",
            Self::Workers => "workers",
            Self::InFlight => "in_flight",
        }
    }
}
