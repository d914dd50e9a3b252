//! Real processes, killed, stopped, raced and starved: nothing is lost, nothing is written twice.
//!
//! `cargo test --test kill --features failpoints`; `BATCH_KILL_SEED=<number>` repeats a run, whose seed is printed where it fails.
//!
//! The worker is this very binary: it starts itself again with `BATCH_KILL_WORKER` set, and then `worker::child` runs a job.

mod adaptive;
mod audit;
mod files;
mod full;
mod input;
mod points;
mod poison;
mod process;
mod race;
mod scene;
mod servers;
mod signals;
mod tuner;
mod worker;
mod zombie;
