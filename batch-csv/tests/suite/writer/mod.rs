//! The writer.

mod disk;
mod format;
mod lock;
mod properties;
mod publication;
mod restart;
