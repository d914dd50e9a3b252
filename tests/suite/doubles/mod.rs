//! Readers, processors and writers that fail as scripted and record what the engine did with them.

mod error;
mod listener;
mod play;
mod processor;
mod reader;
mod script;
mod writer;

pub(crate) use error::{Y, is_x};
pub(crate) use listener::Diary;
pub(crate) use play::{Play, Ran, parameters};
pub(crate) use reader::Unseekable;
pub(crate) use script::{
    Fault::{self, Busy, Panic},
    Times::{self, Always, Once, Twice},
};
