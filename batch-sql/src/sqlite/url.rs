//! From a URL to a file that can hold a database.

use batch_core::{Error, ErrorKind};
use rustix::fs::{Access, access};
use sqlx::sqlite::SqliteConnectOptions;
use std::{
    path::{Path, PathBuf},
    str::FromStr,
};

/// Schemes that this library knows, for messages.
const KNOWN: &str = "known are: sqlite (sqlite://folder/file.db)";

/// What a URL names.
pub(super) struct Target {
    /// The file, as it was given.
    pub(super) path: PathBuf,
    /// How to connect to it.
    pub(super) connect: SqliteConnectOptions,
}

/// Reads the URL and checks the file that it names. The URL itself is never shown: another database's holds a password.
pub(super) fn target(url: &str) -> Result<Target, Error> {
    let Some((scheme, rest)) = url.split_once(':') else {
        return Err(wrong(format!("a database is named by a URL; {KNOWN}")));
    };
    if scheme != "sqlite" {
        let shown: String = scheme.chars().take(20).collect();
        return Err(wrong(format!("unknown database {shown:?}; {KNOWN}")));
    }
    let (file, query) = rest.split_once('?').unwrap_or((rest, ""));
    refuse_modes(file.trim_start_matches("//"), query)?;
    let connect = SqliteConnectOptions::from_str(url).map_err(|e| wrong("the database URL cannot be read").because(e))?;
    let path = connect.get_filename().to_owned();
    check(&path)?;
    let connect = connect.create_if_missing(!query.split('&').any(|q| q == "mode=rw"));
    Ok(Target { path, connect })
}

fn refuse_modes(file: &str, query: &str) -> Result<(), Error> {
    let has = |word: &str| query.split('&').any(|q| q == word);
    if file.is_empty() {
        return Err(wrong(format!("the database URL names no file; {KNOWN}")));
    }
    if file == ":memory:" || has("mode=memory") {
        let message =
            "an in-memory database dies with its connection, so nothing could be restarted; name a file, or use batch_core::Memory";
        return Err(wrong(message));
    }
    if has("mode=ro") || has("immutable=1") || has("immutable=true") {
        return Err(wrong("the database URL asks for read-only access, and a job repository must write; use mode=rwc"));
    }
    if has("cache=shared") {
        return Err(wrong("a shared cache has table locks instead of WAL; leave cache=shared out of the database URL"));
    }
    Ok(())
}

/// Finds by the file's attributes what SQLite would report as "unable to open database file". The file is not opened: closing it would
/// drop the locks that SQLite holds on it in this process.
fn check(path: &Path) -> Result<(), Error> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.display();
    if path.is_dir() {
        return Err(wrong("the database is a folder; name a file inside it").with("file", name));
    }
    if !folder.is_dir() {
        return Err(wrong(format!("the folder {} does not exist; create it first", folder.display())).with("file", name));
    }
    if path.exists() && access(path, Access::READ_OK | Access::WRITE_OK).is_err() {
        return Err(unwritable("the database file is not readable and writable; change its permissions").with("file", name));
    }
    if access(folder, Access::WRITE_OK | Access::EXEC_OK).is_err() {
        let message = "the database's folder is not writable, and SQLite keeps its log there; change its permissions";
        return Err(unwritable(message).with("file", name));
    }
    Ok(())
}

fn wrong(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Configuration, message)
}

fn unwritable(message: &str) -> Error {
    Error::new(ErrorKind::Unavailable, message)
}
