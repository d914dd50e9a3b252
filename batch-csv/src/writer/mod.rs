//! Writes delimited files.

mod dialect;
mod options;
mod part;
mod pending;
mod saved;
mod ser;

pub use options::{Existing, Fsync};

use crate::problem::{Count, file_error};
use batch_core::{BoxError, Chunk, Error, ErrorKind, Result, Undo, Writer, failpoint};
use dialect::Dialect;
use part::{Part, exists, sync_folder};
use pending::Pending;
use saved::{Saved, Tail};
use ser::Row;
use serde::Serialize;
use serde_json::Value;
use std::{
    fs::{self, File},
    marker::PhantomData,
    path::{Path, PathBuf},
};

/// Writes items as records of a delimited file (RFC 4180), exactly once over restarts.
///
/// `T` is any type that serde can serialise to single fields: a struct, a map, a tuple, a [`Record`](crate::Record).
///
/// Defaults: commas, double quotes where needed, `\n`, a header from the first item's field names, an fsync each chunk, an
/// existing file is replaced at the end. UTF-8.
///
/// # How it writes
/// `write` only appends to memory, at most a chunk. `flush` writes to `<name>.part` beside the output, under an exclusive lock
/// that is held until `close`; the file is opened without following links. An fsync runs on tokio's blocking threads, so that the
/// next chunk is read meanwhile. When the step completes, the part file gets the
/// output's name, and replaces a link of that name rather than what it points to.
///
/// # Header
/// Written once, before the first record. Where no item was ever written, only a header given by [`header`](Self::header) is.
///
/// # Restart
/// The first flush cuts the part file back to the length of the last commit. One that is shorter, missing, or has other bytes before that length
/// (BLAKE3 of 4 KiB) is refused with `NeedsOperator`. No part file and an output of the checkpoint's length and end mean that it
/// was published already: then nothing is left to do.
///
/// # Errors
/// `AlreadyRunning` where another process or step holds the part file, naming it; `Configuration` where folder or permission are
/// missing; `Failed` with the system's answer where the disk is full: after that, a restart goes on. An item that cannot be written
/// (a nested value under a header, another number of fields) is an error of `write`, which then wrote none of its items.
pub struct CsvWriter<T> {
    path: PathBuf,
    dialect: Dialect,
    headers: bool,
    header: Option<Vec<String>>,
    flexible: bool,
    fsync: Fsync,
    existing: Existing,
    part: Option<Part>,
    /// Whether the part file may hold more than was committed.
    surplus: bool,
    published: bool,
    saved: Saved,
    tail: Tail,
    pending: Pending,
    names: Vec<String>,
    fields: Option<usize>,
    items: PhantomData<fn(T)>,
}

impl<T> CsvWriter<T> {
    /// A writer of the file at `path`, whose part file is made when the step starts. The folder must exist.
    pub fn create(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            dialect: Dialect::default(),
            headers: true,
            header: None,
            flexible: false,
            fsync: Fsync::default(),
            existing: Existing::default(),
            part: None,
            surplus: false,
            published: false,
            saved: Saved::default(),
            tail: Tail::default(),
            pending: Pending::default(),
            names: Vec::new(),
            fields: None,
            items: PhantomData,
        }
    }
}

impl<T> CsvWriter<T> {
    fn start(&mut self, saved: Option<&Value>) -> Result<(), Error> {
        self.pending.keep(0);
        (self.names, self.published) = (Vec::new(), false);
        let part_path = self.validate()?;
        match saved {
            Some(value) => self.resume(Saved::parse(value, &self.path)?, &part_path)?,
            None => self.begin(&part_path)?,
        }
        self.fields = self.saved.fields;
        Ok(())
    }

    fn validate(&self) -> Result<PathBuf, Error> {
        let refuse = |message| file_error(ErrorKind::Configuration, message, &self.path);
        if let Some(fault) = self.dialect.fault() {
            return Err(refuse(fault));
        }
        let Some(name) = self.path.file_name() else { return Err(refuse("the output path names no file")) };
        if self.path.is_dir() {
            return Err(refuse("the output is a folder; name a file in it"));
        }
        let mut part = name.to_owned();
        part.push(".part");
        Ok(self.path.with_file_name(part))
    }

    fn begin(&mut self, part_path: &Path) -> Result<(), Error> {
        if self.existing == Existing::Refuse && fs::symlink_metadata(&self.path).is_ok() {
            return Err(exists(&self.path));
        }
        let part = match self.held(part_path)? {
            Some(part) => Some(part),
            None => Part::acquire(part_path, true)?,
        };
        let part = part.ok_or_else(|| self.not_open())?;
        failpoint!("csv.part.locked");
        if self.fsync == Fsync::EachChunk {
            // Else a power failure could lose the file's name with all that was committed in it.
            sync_folder(part_path)?;
        }
        (self.part, self.surplus, self.saved, self.tail) = (Some(part), true, Saved::default(), Tail::default());
        Ok(())
    }

    fn resume(&mut self, saved: Saved, part_path: &Path) -> Result<(), Error> {
        let part = match self.held(part_path)? {
            Some(part) => Some(part),
            None => Part::acquire(part_path, false)?,
        };
        let Some(part) = part else { return self.resume_published(saved) };
        match saved.find(part.file(), part_path)? {
            Ok(tail) => {
                failpoint!("csv.part.resumed");
                (self.part, self.surplus, self.saved, self.tail) = (Some(part), true, saved, tail);
                Ok(())
            }
            Err(what) => Err(changed(&format!("the part file is not as it was: {what}"), part_path)),
        }
    }

    /// The lock that an earlier `open` of this writer took, while its file is still at its place.
    fn held(&mut self, part_path: &Path) -> Result<Option<Part>, Error> {
        match self.part.take() {
            Some(part) if part.is_at(part_path)? => Ok(Some(part)),
            _ => Ok(None),
        }
    }

    /// Without a part file, the output itself must be what the checkpoint names.
    fn resume_published(&mut self, saved: Saved) -> Result<(), Error> {
        let gone = |what: String| changed(&format!("the part file is gone, and {what}"), &self.path);
        let Ok(file) = File::open(&self.path) else { return Err(gone("there is no output file".to_owned())) };
        let tail = match saved.find(&file, &self.path)? {
            Ok(tail) if file.metadata().is_ok_and(|m| m.len() == saved.length) => tail,
            Ok(_) => {
                let length = Count(saved.length);
                return Err(gone(format!("the output file is longer than the {length} bytes of the last commit")));
            }
            Err(what) => return Err(gone(format!("the output file is not what was committed: {what}"))),
        };
        (self.published, self.saved, self.tail) = (true, saved, tail);
        Ok(())
    }

    async fn flush_pending(&mut self) -> Result<Value, Error> {
        if self.published {
            return self.refuse_items().and_then(|()| self.state());
        }
        let header = self.write_pending()?;
        let bytes = header.len() + self.pending.bytes().len();
        if let Some(part) = self.part.as_ref().filter(|_| self.fsync == Fsync::EachChunk && bytes > 0) {
            part.sync_aside().await?;
        }
        self.accept(&header)
    }

    /// Writes what is pending behind what is saved; returns the header, if that was still to be written.
    fn write_pending(&mut self) -> Result<Vec<u8>, Error> {
        let header = self.header_bytes()?;
        let Some(part) = &self.part else { return Err(self.not_open()) };
        if std::mem::take(&mut self.surplus) {
            // Not on opening: only then has the engine made sure that nobody took over before the lock was ours, and went on.
            part.truncate(self.saved.length)?;
        }
        part.write(&header, self.saved.length)?;
        failpoint!("csv.flush.header");
        part.write(self.pending.bytes(), self.saved.length + header.len() as u64)?;
        failpoint!("csv.flush.written");
        Ok(header)
    }

    /// Counts what was written as saved.
    fn accept(&mut self, header: &[u8]) -> Result<Value, Error> {
        let records = self.pending.bytes();
        let bytes = header.len() + records.len();
        self.tail.push(header);
        self.tail.push(records);
        self.saved = self.saved.after(bytes as u64, self.pending.items() as u64, self.fields, &self.tail);
        self.pending.keep(0);
        self.state()
    }

    /// The header, if it is still to be written; and known.
    fn header_bytes(&self) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        let names = self.header.as_ref().unwrap_or(&self.names);
        if self.saved.length == 0 && self.headers && !names.is_empty() {
            let row = Row::new(&self.dialect, &mut bytes, false, None);
            row.write(names)
                .map_err(|e| file_error(ErrorKind::Configuration, "the header cannot be written", &self.path).because(e))?;
        }
        Ok(bytes)
    }

    fn state(&self) -> Result<Value, Error> {
        let failed = |e| file_error(ErrorKind::Failed, "cannot describe the output file", &self.path).because(e);
        self.saved.to_value().map_err(failed)
    }

    fn publish(&mut self) -> Result<(), Error> {
        self.refuse_items()?;
        if !self.published {
            let header = self.write_pending()?;
            self.accept(&header)?;
            let Some(part) = &self.part else { return Err(self.not_open()) };
            // A finish that failed after its rename is called again.
            if !part.is_at(&self.path)? {
                part.truncate(self.saved.length)?;
                part.publish(&self.path, self.existing == Existing::Replace)?;
            }
        }
        sync_folder(&self.path)?;
        failpoint!("csv.published");
        self.published = true;
        Ok(())
    }

    /// After publication, and when it begins, nothing may be waiting: no checkpoint would name it.
    fn refuse_items(&self) -> Result<(), Error> {
        if self.pending.items() == 0 {
            return Ok(());
        }
        let message =
            if self.published { "the output file is published, and items follow" } else { "items are written, but not flushed" };
        Err(file_error(ErrorKind::NeedsOperator, message, &self.path))
    }

    fn not_open(&self) -> Error {
        file_error(ErrorKind::Failed, "the writer is not open", &self.path)
    }

    fn keep(&mut self, items: usize) {
        self.pending.keep(items);
        if self.pending.items() == 0 {
            // Names and width are the first item's: taken back, it decides nothing.
            self.fields = self.saved.fields;
            self.names.clear();
        }
    }
}

impl<T: Serialize> CsvWriter<T> {
    fn write_items(&mut self, items: &[T]) -> Result<()> {
        let before = self.pending.items();
        let written = items.iter().try_for_each(|item| self.write_item(item));
        if written.is_err() {
            self.keep(before);
        }
        written
    }

    fn write_item(&mut self, item: &T) -> Result<()> {
        let first = self.saved.length == 0 && self.pending.items() == 0;
        let wants_names = first && self.headers && self.header.is_none();
        let names = wants_names.then_some(&mut self.names);
        let named = self.headers && self.header.is_none();
        let fields = Row::new(&self.dialect, self.pending.buffer(), named, names).write(item)?;
        let must = self.fields.or(self.header.as_ref().filter(|_| self.headers).map(Vec::len)).unwrap_or(fields);
        if fields != must && !self.flexible {
            return Err(BoxError::from(format!("the item has {fields} fields, those before it or the header have {must}")));
        }
        self.fields = Some(must);
        self.pending.accept();
        Ok(())
    }
}

fn changed(what: &str, path: &Path) -> Error {
    let message = format!("cannot go on in the output file: {what}; put it back, or start a new instance");
    file_error(ErrorKind::NeedsOperator, message, path)
}

impl<T: Serialize + Send + Sync + 'static, Conn: Send> Writer<T, Conn> for CsvWriter<T> {
    async fn write(&mut self, _: &mut Conn, items: Chunk<'_, T>) -> Result<()> {
        self.write_items(&items)
    }

    async fn open(&mut self, saved: Option<Value>) -> Result<()> {
        Ok(self.start(saved.as_ref())?)
    }

    fn rollback_to(&mut self, items: usize) {
        self.keep(items);
    }

    async fn flush(&mut self) -> Result<Value> {
        Ok(self.flush_pending().await?)
    }

    async fn finish(&mut self) -> Result<()> {
        Ok(self.publish()?)
    }

    async fn close(&mut self) -> Result<()> {
        self.part = None;
        Ok(())
    }

    fn undo(&self) -> Undo {
        Undo::Rewind
    }

    fn uses_connection(&self) -> bool {
        false
    }
}
