//! The example programs as an operator meets them: killed, given bad input, and asked what went wrong.

mod databases;
mod inputs;
mod kills;
mod program;
mod tuning;
mod users;
