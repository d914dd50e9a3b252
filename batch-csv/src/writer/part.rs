//! The file that a writer fills before it is published, and the lock on it.

use crate::problem::{file_error, io_error};
use batch_core::{Error, ErrorKind, failpoint};
use rustix::{
    fs::{CWD, OFlags, RenameFlags},
    io::Errno,
};
use std::{
    fs::{self, File, Metadata, OpenOptions, TryLockError},
    io,
    os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::runtime::Handle;

/// How often the path may come to name another file while this one waits for its lock.
const TRIES: usize = 16;

/// An open part file under an exclusive lock, which ends with it.
#[derive(Debug)]
pub(super) struct Part {
    file: Arc<File>,
    path: PathBuf,
}

impl Part {
    /// Opens and locks the file at `path`, making it where `create` is set; `None` where there is none.
    ///
    /// A publication may rename the file between its opening and its locking: what is locked then is no longer at `path`, and it
    /// is opened again.
    pub(super) fn acquire(path: &Path, create: bool) -> Result<Option<Self>, Error> {
        for _ in 0..TRIES {
            let Some(file) = open(path, create)? else { return Ok(None) };
            let part = Self { file: Arc::new(file), path: path.to_owned() };
            part.lock()?;
            if part.is_at(path)? {
                return Ok(Some(part));
            }
        }
        Err(file_error(ErrorKind::AlreadyRunning, "others replace the output file all the time", path))
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Whether `path` names this very file.
    pub(super) fn is_at(&self, path: &Path) -> Result<bool, Error> {
        let failed = |e| io_error(ErrorKind::Failed, "cannot examine the output file", path, e);
        let ours = self.file.metadata().map_err(failed)?;
        match fs::symlink_metadata(path) {
            Ok(there) => Ok((there.dev(), there.ino()) == (ours.dev(), ours.ino())),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(e) => Err(failed(e)),
        }
    }

    pub(super) fn truncate(&self, length: u64) -> Result<(), Error> {
        self.file.set_len(length).map_err(|e| io_error(ErrorKind::Failed, "cannot shorten the output file", &self.path, e))
    }

    pub(super) fn write(&self, bytes: &[u8], at: u64) -> Result<(), Error> {
        self.file.write_all_at(bytes, at).map_err(|e| io_error(ErrorKind::Failed, "cannot write the output file", &self.path, e))
    }

    /// Waits until what was written is on the disk.
    pub(super) fn sync(&self) -> Result<(), Error> {
        self.file.sync_data().map_err(|e| self.not_synced(e))
    }

    /// The same, without holding up the runtime's thread, where there is a runtime.
    pub(super) async fn sync_aside(&self) -> Result<(), Error> {
        let Ok(runtime) = Handle::try_current() else { return self.sync() };
        let file = Arc::clone(&self.file);
        match runtime.spawn_blocking(move || file.sync_data()).await {
            Ok(synced) => synced.map_err(|e| self.not_synced(e)),
            Err(lost) => Err(self.not_synced(lost.into())),
        }
    }

    fn not_synced(&self, cause: io::Error) -> Error {
        io_error(ErrorKind::Failed, "cannot write the output file to the disk", &self.path, cause)
    }

    /// Gives the file its final name; the folder is not yet on the disk. With `replace`, in the place of a file of that name.
    pub(super) fn publish(&self, target: &Path, replace: bool) -> Result<(), Error> {
        self.sync()?;
        failpoint!("csv.publish.synced");
        let renamed = if replace { fs::rename(&self.path, target) } else { rename_new(&self.path, target) };
        failpoint!("csv.publish.renamed");
        match renamed {
            Ok(()) => Ok(()),
            Err(e) if !replace && e.kind() == io::ErrorKind::AlreadyExists => Err(exists(target)),
            Err(e) => Err(io_error(ErrorKind::Failed, "cannot rename the part file to the output file", target, e)),
        }
    }

    fn lock(&self) -> Result<(), Error> {
        match self.file.try_lock() {
            Ok(()) => Ok(()),
            Err(TryLockError::WouldBlock) => Err(held(&self.file, &self.path)),
            Err(TryLockError::Error(e)) => Err(io_error(ErrorKind::Failed, "cannot lock the output file", &self.path, e)),
        }
    }
}

/// Renames unless there is a file of that name; where the file system cannot do both at once, one after the other.
fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS) if fs::symlink_metadata(to).is_ok() => Err(io::ErrorKind::AlreadyExists.into()),
        Err(Errno::INVAL | Errno::NOSYS) => fs::rename(from, to),
        renamed => Ok(renamed?),
    }
}

/// The error of an output file that must not be replaced.
pub(super) fn exists(target: &Path) -> Error {
    file_error(ErrorKind::Configuration, "the output file exists already; remove it, or allow it to be replaced", target)
}

/// Puts a folder's names on the disk.
pub(super) fn sync_folder(of: &Path) -> Result<(), Error> {
    let folder = of.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|e| io_error(ErrorKind::Failed, "cannot write the output folder to the disk", folder, e))
}

fn open(path: &Path, create: bool) -> Result<Option<File>, Error> {
    let follow = OFlags::NOFOLLOW.bits().cast_signed();
    match OpenOptions::new().read(true).write(true).create(create).truncate(false).custom_flags(follow).open(path) {
        Ok(file) if file.metadata().is_ok_and(|m| m.is_file()) => Ok(Some(file)),
        Ok(_) => Err(file_error(ErrorKind::Configuration, "the part file is not a regular file; remove it", path)),
        Err(e) if e.kind() == io::ErrorKind::NotFound && !create => Ok(None),
        Err(e) => Err(open_error(path, e)),
    }
}

fn open_error(path: &Path, cause: io::Error) -> Error {
    let link = Errno::LOOP.raw_os_error();
    let message = match cause.kind() {
        _ if cause.raw_os_error() == Some(link) => "the part file is a symbolic link, which is not followed; remove it",
        io::ErrorKind::NotFound => "the folder of the output file does not exist; create it",
        io::ErrorKind::NotADirectory => "the folder of the output file is a file; check the path",
        io::ErrorKind::PermissionDenied => "the output file may not be written; give this user the permission on file and folder",
        io::ErrorKind::IsADirectory => "the part file is a folder; remove it",
        _ => return io_error(ErrorKind::Failed, "cannot open the output file", path, cause),
    };
    io_error(ErrorKind::Configuration, message, path, cause)
}

fn held(file: &File, path: &Path) -> Error {
    let holder = file.metadata().ok().and_then(|m| holder(&m));
    let by = match holder {
        Some(pid) if pid == std::process::id() => " by another step of this process".to_owned(),
        Some(pid) => format!(" by process {pid}"),
        None => String::new(),
    };
    file_error(ErrorKind::AlreadyRunning, format!("the output file is being written{by}; wait for it or stop it"), path)
}

/// The process that holds the lock, where the system tells: it does not for one in another PID namespace.
fn holder(locked: &Metadata) -> Option<u32> {
    let dev = locked.dev();
    let name = format!("{:02x}:{:02x}:{}", rustix::fs::major(dev), rustix::fs::minor(dev), locked.ino());
    let locks = fs::read_to_string("/proc/locks").ok()?;
    let of = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [_, "FLOCK", _, _, pid, inode, ..] if *inode == name => pid.parse().ok(),
            _ => None,
        }
    };
    locks.lines().find_map(of)
}
