//! What holds on servers alone.

mod durability;
mod elsewhere;
pub(crate) mod fixture;
mod leases;
mod locks;
mod opening;
mod takeover;
mod transactions;
mod units;
