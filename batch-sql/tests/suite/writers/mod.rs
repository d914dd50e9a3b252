//! From structs to rows, on each database, with a driver's own connection in a transaction of the test's.

mod delete;
mod identifiers;
mod insert;
mod jobs;
mod mysql;
mod own;
mod postgres;
mod refused;
mod sqlite;
mod support;
mod types;
mod update;
mod upsert;
mod values;
