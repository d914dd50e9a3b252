//! The engine against whatever may fail, and the compile errors that users meet.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's failure is a panic")]

mod mistakes;
mod schedules;
