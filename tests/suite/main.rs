//! Tests of the whole: scenarios with exact outcomes, the same on every backend.

mod backends;
mod charts;
mod doubles;
mod faults;
mod jobs;
mod peers;
mod readme;
mod scenarios;
