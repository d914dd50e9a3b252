//! Microseconds a row of the same work, round after round.

use serde::Serialize;

#[derive(Debug, Default, Clone, Serialize)]
#[serde(transparent)]
pub struct Times(Vec<f64>);

impl Times {
    pub fn push(&mut self, seconds: f64, rows: usize) {
        self.0.push(seconds * 1e6 / rows as f64);
        self.0.sort_by(f64::total_cmp);
    }

    /// The middle one, or the later of the middle two.
    pub fn median(&self) -> f64 {
        self.0[self.0.len() / 2]
    }

    pub fn least(&self) -> f64 {
        self.0[0]
    }

    pub fn most(&self) -> f64 {
        self.0[self.0.len() - 1]
    }
}
