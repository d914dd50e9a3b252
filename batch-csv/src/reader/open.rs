//! The beginning of a file: is it there, what is it, what are its columns.

use super::{
    encoding::{Coding, Decoded},
    options::Options,
    position::CsvPosition,
    source::Source,
    split::{Mark, Split, Splitter},
};
use crate::{
    problem::{file_error, io_error},
    record::{Header, Row},
};
use batch_core::{Error, ErrorKind};
use csv::StringRecord;
use std::{
    fs::{self, File},
    io,
    path::Path,
    sync::Arc,
};

/// A file in reading.
pub(super) struct Open {
    pub(super) split: Splitter,
    pub(super) coding: Coding,
    pub(super) decoded: Decoded,
    pub(super) header: Option<Arc<Header>>,
}

impl Open {
    /// Opens the file and reads its header; also returns the position behind it.
    pub(super) fn start(options: &Options) -> Result<(Self, CsvPosition), Error> {
        options.validate()?;
        let path = options.path.as_path();
        let file = Arc::new(open_file(path)?);
        let mut position = CsvPosition::start(&file, path)?;
        let coding = sniff(&file, &position, options)?;
        coding.admit(options.dialect, path)?;
        let source = Source::new(file, coding.form, position.length, coding.mark as u64);
        let split = Splitter::new(source, options.dialect, 1, options.max_record_bytes as u64);
        let mut open = Self { split, coding, decoded: Decoded::default(), header: None };
        open.header = open.names(options)?.map(|names| Arc::new(Header::new(names)));
        let Mark { byte, line } = open.split.here();
        (position.byte, position.line) = (byte, line);
        position.width = open.header.as_ref().map(|header| header.names.len());
        Ok((open, position))
    }

    /// The header as users know it.
    pub(super) fn columns(&self) -> Option<&StringRecord> {
        self.header.as_ref().map(|header| &header.record)
    }

    /// The columns' names: those the user gave, else those of the header.
    fn names(&mut self, options: &Options) -> Result<Option<StringRecord>, Error> {
        let read = if options.has_headers { self.header_row(options)? } else { None };
        Ok(options.names.clone().or(read))
    }

    /// The header of the file; `None` where the file is empty.
    fn header_row(&mut self, options: &Options) -> Result<Option<StringRecord>, Error> {
        let path = options.path.as_path();
        let bad = |reason: String| file_error(ErrorKind::Configuration, format!("the header cannot be read: {reason}"), path);
        match self.split.next().map_err(|e| read_error(path, e))? {
            Split::End => Ok(None),
            Split::Record => {
                let text = self.coding.text(self.split.record(), &mut self.decoded);
                let parts = text.map_err(|m| bad(format!("column {} {}", m.column + 1, m.reason())))?;
                let row = Row { parts, trim: options.trims_headers(), ..Row::default() };
                Ok(Some(row.iter().collect()))
            }
            other => Err(bad(super::bad::shape(self, other, options.max_record_bytes).unwrap_or_default())),
        }
    }
}

/// The error of a read that failed although the file was opened.
pub(super) fn read_error(path: &Path, cause: io::Error) -> Error {
    if cause.kind() == io::ErrorKind::UnexpectedEof {
        let message = "the input file became shorter while it was read; put it back as it was, or start a new instance";
        return file_error(ErrorKind::NeedsOperator, message, path);
    }
    io_error(ErrorKind::Failed, "cannot read the input file", path, cause)
}

fn open_file(path: &Path) -> Result<File, Error> {
    let refuse = |message: &str| file_error(ErrorKind::Configuration, message, path);
    // Asked before opening: the opening of a pipe would wait for its other end.
    let metadata = fs::metadata(path).map_err(|e| open_error(path, e))?;
    if metadata.is_dir() {
        return Err(refuse("the input is a folder; name a file in it"));
    }
    if !metadata.is_file() {
        return Err(refuse("the input is not a regular file, so a restart could not go back in it; copy it to a file first"));
    }
    File::open(path).map_err(|e| open_error(path, e))
}

fn open_error(path: &Path, cause: io::Error) -> Error {
    let message = match cause.kind() {
        io::ErrorKind::NotFound => "the input file does not exist; check its path",
        io::ErrorKind::PermissionDenied => "the input file may not be read; give this user the permission",
        _ => return io_error(ErrorKind::Failed, "cannot open the input file", path, cause),
    };
    io_error(ErrorKind::Configuration, message, path, cause)
}

fn sniff(file: &Arc<File>, position: &CsvPosition, options: &Options) -> Result<Coding, Error> {
    let source = Source::new(Arc::clone(file), super::source::Form::Bytes, position.length, 0);
    let head = source.peek_raw(0, 3).map_err(|e| read_error(&options.path, e))?;
    Ok(Coding::of(&head, options.encoding))
}
