//! Readers, on each kind of database alike.

mod claim;
mod cursor;
mod identifiers;
mod jobs;
mod keys;
mod keyset;
mod lost;
mod order;
mod own;
mod pool;
mod ranges;
mod support;
