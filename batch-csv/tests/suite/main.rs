//! What readers and writers of delimited files promise.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod reader;
mod rows;
mod support;
mod writer;
