//! Tunings of whole jobs, on a clock that only their writers move: throughput is exact, and the machine's load is not in it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's failure is a panic")]

mod model;
mod retries;
mod samples;
mod traces;
mod tunings;
