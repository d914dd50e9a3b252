//! Time that passes only where a double says so: what is measured of a chunk, and the sizes that are steered by it.

mod adaptive;
mod ahead;
mod doubles;
mod phases;
