//! The engine against whatever may fail, and the compile errors that users meet.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    unreachable_pub,
    reason = "a test's failure is a panic, and its modules are nobody else's"
)]

mod encoder;
mod flight;
mod mistakes;
mod order;
mod pace;
mod refused;
mod schedules;
mod table;
mod units;
mod workers;
