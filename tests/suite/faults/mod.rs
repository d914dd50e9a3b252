//! Whole jobs on servers whose connections, processes and rows fail: every number is loaded exactly once, and every count agrees.

mod answers;
mod checkpoints;
mod conflicts;
mod connections;
mod fixture;
mod flights;
mod lease;
mod pool;
mod repository;
mod servers;
