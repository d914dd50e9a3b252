//! Where the programs of the servers are.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// The file of `program`, in PATH or where the distributions put what users don't call themselves.
///
/// Panics with the command that installs it where it is nowhere.
pub(crate) fn find(program: &str, package: &str) -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(postgres_folders())
        .chain(["/usr/sbin".into(), "/usr/local/sbin".into()])
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
        .unwrap_or_else(|| panic!("missing: {program}; install it with: apt-get install {package}"))
}

/// `/usr/lib/postgresql/*/bin`, the newest first.
fn postgres_folders() -> Vec<PathBuf> {
    let version = |folder: &Path| folder.file_name()?.to_str()?.parse::<u32>().ok();
    let entries = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<_> = entries.filter_map(|entry| version(&entry.path())).collect();
    versions.sort_unstable();
    versions.iter().rev().map(|version| PathBuf::from(format!("/usr/lib/postgresql/{version}/bin"))).collect()
}
