//! What a user can say about a file, and the defaults.

use super::split::Dialect;
use crate::problem::file_error;
use batch_core::{Error, ErrorKind};
use csv::{StringRecord, Trim};
use encoding_rs::Encoding;
use std::path::PathBuf;

/// Every option with its default in [`Options::new`].
#[derive(Debug, Clone)]
pub(super) struct Options {
    pub(super) path: PathBuf,
    pub(super) dialect: Dialect,
    pub(super) has_headers: bool,
    pub(super) names: Option<StringRecord>,
    pub(super) flexible: bool,
    pub(super) trim: Trim,
    pub(super) encoding: &'static Encoding,
    pub(super) max_record_bytes: usize,
}

impl Options {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            dialect: Dialect { delimiter: b',', quote: Some(b'"'), comment: None },
            has_headers: true,
            names: None,
            flexible: false,
            trim: Trim::None,
            encoding: encoding_rs::UTF_8,
            max_record_bytes: 1024 * 1024,
        }
    }

    pub(super) fn trims_headers(&self) -> bool {
        matches!(self.trim, Trim::Headers | Trim::All)
    }

    pub(super) fn trims_fields(&self) -> bool {
        matches!(self.trim, Trim::Fields | Trim::All)
    }

    /// Refuses bytes that mean two things, or that are no character of their own in every encoding.
    pub(super) fn validate(&self) -> Result<(), Error> {
        let Dialect { delimiter, quote, comment } = self.dialect;
        let special: Vec<u8> = [Some(delimiter), quote, comment].into_iter().flatten().collect();
        let odd = special.iter().find(|b| !b.is_ascii() || matches!(b, b'\r' | b'\n'));
        let message = match odd {
            Some(byte) => format!("0x{byte:02X} cannot be a delimiter, quote or comment mark: name an ASCII byte, no line end"),
            None if special.iter().enumerate().any(|(i, byte)| special.iter().skip(i + 1).any(|other| other == byte)) => {
                "delimiter, quote and comment mark must differ".to_owned()
            }
            None => return Ok(()),
        };
        Err(file_error(ErrorKind::Configuration, message, &self.path))
    }
}
