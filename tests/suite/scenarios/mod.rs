//! The acceptance scenarios, a file for each table; each test carries its row's id.

mod chunk;
mod retry;
mod skip;
