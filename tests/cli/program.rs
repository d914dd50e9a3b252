//! Building and running the examples, and looking into their database.

use sqlx::{ConnectOptions, SqliteConnection, sqlite::SqliteConnectOptions, sqlite::SqliteRow};
use std::{
    fs,
    future::Future,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::LazyLock,
};
use tempfile::TempDir;

pub(crate) const HEADER: &str = "id,sku,name,category,price,stock,updated_at\n";

/// Where the examples are, once they are built: `cargo test --test cli` alone would not do so.
static EXAMPLES: LazyLock<PathBuf> = LazyLock::new(|| {
    let exe = std::env::current_exe().unwrap();
    let folder = exe.ancestors().nth(2).unwrap();
    let profile = match folder.file_name().unwrap().to_str().unwrap() {
        "debug" => "dev",
        other => other,
    };
    let target = folder.parent().unwrap();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(env!("CARGO_MANIFEST_DIR")).args(["build", "-q", "--workspace", "--examples", "--profile", profile]);
    assert!(cargo.arg("--target-dir").arg(target).status().unwrap().success());
    folder.join("examples")
});

pub(crate) fn path_of(example: &str) -> PathBuf {
    EXAMPLES.join(example)
}

/// A folder with an input and a database.
pub(crate) struct Place {
    folder: TempDir,
}

/// How a program ended, and what it said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    /// Fails unless it ended with `code` and its errors say all of `words`.
    #[track_caller]
    pub(crate) fn must(&self, code: i32, words: &[&str]) -> &Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        for word in words {
            assert!(self.err.contains(word), "{word:?} is missing: {self:#?}");
        }
        self
    }
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// With `in.csv` of these bytes.
    pub(crate) fn with(input: impl AsRef<[u8]>) -> Self {
        let place = Self::new();
        fs::write(place.input(), input).unwrap();
        place
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn input(&self) -> PathBuf {
        self.path().join("in.csv")
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.path().join("test.db")
    }

    /// The import of `in.csv`.
    pub(crate) fn command(&self) -> Command {
        self.command_of(path_of("import_products"))
    }

    pub(crate) fn command_of(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command.arg("--input").arg(self.input()).arg("--database").arg(format!("sqlite://{}", self.database().display()));
        command
    }

    /// Runs the import with more arguments.
    pub(crate) fn import(&self, more: &[&str]) -> Said {
        self.command().args(more).output().unwrap().into()
    }

    /// Runs statements in the database.
    pub(crate) fn execute(&self, sql: &str) {
        block_on(async {
            let mut conn = self.connect().await;
            sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut conn).await.unwrap();
        });
    }

    /// Rows of a query, or none where its tables are not there yet.
    pub(crate) fn rows<T>(&self, sql: &'static str) -> Vec<T>
    where
        T: Send + Unpin + for<'r> sqlx::FromRow<'r, SqliteRow>,
    {
        block_on(async {
            if !self.database().exists() {
                return Vec::new();
            }
            let mut conn = self.connect().await;
            sqlx::query_as(sql).fetch_all(&mut conn).await.unwrap_or_default()
        })
    }

    pub(crate) fn number(&self, sql: &'static str) -> i64 {
        self.rows::<(Option<i64>,)>(sql).first().and_then(|row| row.0).unwrap_or(0)
    }

    async fn connect(&self) -> SqliteConnection {
        SqliteConnectOptions::new()
            .filename(self.database())
            .create_if_missing(true)
            .disable_statement_logging()
            .connect()
            .await
            .unwrap()
    }
}

/// A good row.
pub(crate) fn row(id: u64) -> String {
    format!("{id},SKU-{id:010},Product {id},tools,{}.50,{},2026-01-02T03:04:05Z\n", id % 90 + 1, id % 7)
}

/// A header and so many good rows.
pub(crate) fn rows(count: u64) -> String {
    (1..=count).fold(HEADER.to_owned(), |text, id| text + &row(id))
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
