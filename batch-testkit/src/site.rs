//! The folder of a server, and the user who owns it.

use std::{
    ffi::{OsStr, OsString},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::programs;

/// A path of a Unix socket has at most 107 bytes; what is put behind the folder's name has fewer than 47.
const LONGEST_FOLDER: usize = 60;

/// Everything of one server is in `folder`: its data, socket and log.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) folder: PathBuf,
    /// Of 127.0.0.1, where the server listens there.
    pub(crate) port: Option<u16>,
    /// Whom the programs run as where this process is root, whom both servers refuse.
    user: Option<&'static str>,
}

impl Site {
    /// A new folder, which the caller removes.
    pub(crate) fn new(user: &'static str, package: &str, port: Option<u16>) -> Self {
        let folder = short_folder();
        let user = rustix::process::geteuid().is_root().then_some(user);
        if let Some(user) = user {
            let given = Command::new("chown").arg(format!("{user}:{user}")).arg(&folder).output().unwrap();
            assert!(given.status.success(), "no user {user} to run the server as; make it with: apt-get install {package}");
        }
        Self { folder, port, user }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    /// A command that runs in the folder. MariaDB starts by removing the temporary tables of all others where it has its own.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.folder).env("TMPDIR", &self.folder);
        command
    }

    /// The words of a command that runs `program` as the server's user.
    pub(crate) fn words(&self, program: &Path) -> Vec<OsString> {
        let mut words = Vec::new();
        if let Some(user) = self.user {
            words.push(programs::find("setpriv", "util-linux").into());
            words.extend([format!("--reuid={user}"), format!("--regid={user}"), "--clear-groups".into()].map(OsString::from));
        }
        words.push(program.into());
        words
    }

    /// Runs `program` to its end.
    pub(crate) fn run(&self, program: &Path, arguments: &[String]) {
        let words = self.words(program);
        let output = self.command(&words[0]).args(&words[1..]).args(arguments).output().unwrap();
        let told = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
        assert!(output.status.success(), "{} ended with {}: {}{}", program.display(), output.status, told[0], told[1]);
    }

    /// What the server wrote to its log, for a panic's message.
    pub(crate) fn told(&self) -> String {
        fs::read_to_string(self.log()).unwrap_or_default()
    }
}

fn short_folder() -> PathBuf {
    let usual = std::env::temp_dir();
    let parent = if usual.as_os_str().len() > LONGEST_FOLDER - 16 { Path::new("/tmp") } else { &usual };
    tempfile::Builder::new().prefix("server-").tempdir_in(parent).unwrap().keep()
}
