//! The same on servers: killed at every point and at random, stopped inside transactions, raced.

mod crash;
mod elsewhere;
pub(crate) mod matrix;
mod progress;
mod race;
mod scene;
mod worker;
mod zombie;
