//! The acceptance scenarios, a file for each table; each test carries its row's id.

mod adaptive;
mod ahead;
mod chunk;
mod connections;
mod elsewhere;
mod isolation;
mod limits;
mod listener;
mod parameters;
mod restart;
mod retry;
mod skip;
mod stop;
mod transaction;
mod units;
