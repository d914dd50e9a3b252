//! What holds on servers alone.

mod durability;
pub(crate) mod fixture;
mod leases;
mod opening;
mod takeover;
mod transactions;
