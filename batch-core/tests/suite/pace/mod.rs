//! Time that passes only where a double says so: what is measured of a chunk.

mod doubles;
mod phases;
