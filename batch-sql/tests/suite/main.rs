//! The backends, each test on a database of its own.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's failure is a panic")]

mod conformance;
mod explorer;
mod fixture;
mod identifiers;
mod launches;
mod leases;
mod ledger;
mod locking;
mod locks;
mod opening;
mod processes;
mod readers;
mod schema;
mod servers;
mod steps;
mod transactions;
mod units;
mod writers;
