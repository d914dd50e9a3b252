//! What the user's closures are told of a trial.

use crate::Setting;

/// One run of the job with one setting.
#[derive(Debug, Clone)]
pub struct Trial<D> {
    pub(crate) database: D,
    pub(crate) setting: Setting,
    pub(crate) number: u64,
}

impl<D> Trial<D> {
    /// The database of the job: the one given, or that one with every chunk rolled back.
    pub fn database(&self) -> &D {
        &self.database
    }

    /// Everything that is tuned.
    pub fn setting(&self) -> Setting {
        self.setting
    }

    /// Items a chunk.
    pub fn chunk(&self) -> usize {
        self.setting.chunk
    }

    /// Items processed at once, for `.concurrent(..)`.
    pub fn concurrent(&self) -> usize {
        self.setting.concurrent
    }

    /// Chunks processed at once, for `.workers(..)`.
    pub fn workers(&self) -> usize {
        self.setting.workers
    }

    /// Chunks written at once, for `.in_flight(..)`.
    pub fn in_flight(&self) -> usize {
        self.setting.in_flight
    }

    /// Which trial of this tuning, from 1: for the name of a scratch target that each trial has for itself.
    pub fn number(&self) -> u64 {
        self.number
    }
}
