//! What holds on servers alone.

pub(crate) mod fixture;
mod leases;
mod opening;
mod takeover;
mod transactions;
