//! What is left in the repository, the table and the files, and what must be true of it after every run.

use crate::{input::Expected, worker::Kind};
use sqlx::{AssertSqlSafe, ConnectOptions, Row as _, SqliteConnection, sqlite::SqliteConnectOptions, sqlite::SqliteRow};
use std::{fs, future::Future, path::Path};

/// The job's file and what was committed to it, as another process would find them; what a tuner of the job did is not of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct State {
    /// Status and whether it is the active one, oldest first.
    pub(crate) executions: Vec<(String, bool)>,
    pub(crate) messages: Vec<String>,
    pub(crate) steps: Vec<StepRow>,
    /// In the order of the input.
    pub(crate) skips: Vec<Skip>,
    /// The table.
    pub(crate) rows: Vec<(i64, String, i64, String)>,
    pub(crate) totals: Vec<(i64, i64)>,
}

/// Phase, number, line, reason.
pub(crate) type Skip = (String, i64, i64, String);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StepRow {
    pub(crate) execution: i64,
    pub(crate) name: String,
    pub(crate) status: String,
    pub(crate) commit_no: i64,
    pub(crate) commits: i64,
    pub(crate) counts: [i64; 6],
    /// Length of the output file in the checkpoint.
    pub(crate) length: i64,
}

/// Numbered anew, since a tuner has executions between them.
const EXECUTIONS: &str = "SELECT row_number() OVER (ORDER BY e.id) AS number, e.* FROM batch_execution e
    JOIN batch_instance i ON i.id = e.instance_id WHERE i.job_name <> 'batch-tuner'";
const STEPS: &str = "SELECT e.number, step_name, s.status, commit_no, commit_count, read_count, write_count, filter_count,
    read_skip_count, process_skip_count, write_skip_count, coalesce(checkpoint ->> '$.writer.length', 0)
    FROM batch_step s JOIN e ON e.id = s.execution_id ORDER BY s.id";
const SKIPS: &str = "SELECT phase, record_number, line, reason FROM batch_skip k JOIN batch_step s ON s.id = k.step_id
    JOIN e ON e.id = s.execution_id ORDER BY record_number, k.id";

/// Makes the database in which a worker finds its table.
pub(crate) fn prepare(folder: &Path) {
    block_on(async {
        let mut conn = connect(&folder.join("job.db")).await;
        let tables = "CREATE TABLE product (id INTEGER PRIMARY KEY, kind TEXT, cents INTEGER, note TEXT);
            CREATE TABLE total (rows INTEGER, cents INTEGER);
            CREATE TABLE trial (id INTEGER PRIMARY KEY, kind TEXT, cents INTEGER, note TEXT)";
        sqlx::raw_sql(tables).execute(&mut conn).await.unwrap();
    });
}

/// Whether no lease is valid any more, by the clock that leases are timed by.
pub(crate) fn lease_is_over(folder: &Path) -> bool {
    let until: Option<i64> = copied(&folder.join("job.db"), async |conn| {
        let known = sqlx::query("SELECT 1 FROM sqlite_schema WHERE name = 'batch_lease'").fetch_optional(&mut *conn).await?;
        match known {
            Some(_) => sqlx::query_scalar("SELECT max(until_uptime) FROM batch_lease").fetch_one(&mut *conn).await,
            None => Ok(None),
        }
    });
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    until.is_none_or(|until| until < now.tv_sec * 1_000_000 + now.tv_nsec / 1_000)
}

/// Reads a copy of the database: the next run must find the log of the killed one as it was left.
pub(crate) fn state(folder: &Path) -> State {
    copied(&folder.join("job.db"), read)
}

pub(crate) fn copied<T>(file: &Path, read: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, sqlx::Error>) -> T {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.db");
    for ending in ["", "-wal"] {
        let [from, to] = [file, &copy].map(|path| format!("{}{ending}", path.display()));
        if fs::exists(&from).unwrap() {
            fs::copy(from, to).unwrap();
        }
    }
    block_on(async {
        let mut conn = connect(&copy).await;
        read(&mut conn).await.unwrap()
    })
}

async fn read(conn: &mut SqliteConnection) -> Result<State, sqlx::Error> {
    let known = sqlx::query("SELECT 1 FROM sqlite_schema WHERE name = 'batch_skip'").fetch_optional(&mut *conn).await?;
    if known.is_none() {
        return Ok(State::default());
    }
    let of_job = |sql: &str| AssertSqlSafe(format!("WITH e AS ({EXECUTIONS}) {sql}"));
    let rows = sqlx::query(of_job("SELECT status, active_key IS NOT NULL, exit_message FROM e ORDER BY number"));
    let rows = rows.fetch_all(&mut *conn).await?;
    let executions = rows.iter().map(|r| (r.get(0), r.get(1))).collect();
    let messages = rows.iter().map(|r| r.get(2)).collect();
    let steps = sqlx::query(of_job(STEPS)).fetch_all(&mut *conn).await?.iter().map(step).collect();
    let skips = sqlx::query_as(of_job(SKIPS)).fetch_all(&mut *conn).await?;
    let rows = sqlx::query_as("SELECT id, kind, cents, note FROM product ORDER BY id").fetch_all(&mut *conn).await?;
    let totals = sqlx::query_as("SELECT rows, cents FROM total").fetch_all(&mut *conn).await?;
    Ok(State { executions, messages, steps, skips, rows, totals })
}

fn step(row: &SqliteRow) -> StepRow {
    StepRow {
        execution: row.get(0),
        name: row.get(1),
        status: row.get(2),
        commit_no: row.get(3),
        commits: row.get(4),
        counts: [5, 6, 7, 8, 9, 10].map(|column| row.get(column)),
        length: row.get(11),
    }
}

/// What is true at every moment.
pub(crate) fn check(state: &State, folder: &Path, kind: Kind) {
    let active = state.executions.iter().filter(|(status, active)| *active || is_active(status)).count();
    assert!(active <= 1, "more than one active execution: {:?}", state.executions);
    for (i, (status, active)) in state.executions.iter().enumerate() {
        assert_eq!(is_active(status), *active, "status and active key of execution {i} differ");
        assert!(!active || i + 1 == state.executions.len(), "an older execution stayed active: {:?}", state.executions);
    }
    let mut commits = std::collections::HashMap::new();
    for step in &state.steps {
        let [read, written, filtered, skips @ ..] = step.counts;
        assert_eq!(read, written + filtered + skips.iter().sum::<i64>(), "counts of {step:?}");
        let before = commits.entry(&step.name).or_insert(0);
        *before += step.commits;
        assert_eq!(step.commit_no, *before, "commit numbers go on over tries: {:?}", state.steps);
        let newest = step.execution == state.executions.len() as i64;
        assert!(newest || !is_active(&step.status), "a step of a closed execution is active: {step:?}");
    }
    let counted: Vec<i64> = totals(state);
    let named = ["READ", "PROCESS", "WRITE"].map(|phase| state.skips.iter().filter(|s| s.0 == phase).count() as i64);
    assert_eq!(counted[3..], named, "skips counted and skips recorded");
    if kind == Kind::Load {
        assert_eq!(counted[1], state.rows.len() as i64, "rows counted and rows in the table");
    } else if let Some(last) = state.steps.last() {
        let length = |name: &str| fs::metadata(folder.join(name)).map(|m| m.len().cast_signed()).ok();
        let length = length("out.csv.part").or_else(|| length("out.csv")).unwrap_or(0);
        assert!(length >= last.length, "the file has {length} bytes, the checkpoint names {}", last.length);
    }
}

fn is_active(status: &str) -> bool {
    matches!(status, "STARTING" | "STARTED" | "STOPPING")
}

/// Read, written, filtered, and skips by phase, over all tries.
fn totals(state: &State) -> Vec<i64> {
    (0..6).map(|i| state.steps.iter().map(|s| s.counts[i]).sum()).collect()
}

/// What a complete job leaves, however often it died on the way.
pub(crate) fn check_complete(state: &State, expected: &Expected, folder: &Path, kind: Kind) {
    use batch_core::Phase::{Process, Read, Write};
    assert_eq!(state.executions.last(), Some(&("COMPLETED".to_owned(), false)));
    let skips: Vec<_> = state.skips.iter().map(|s| (s.0.parse().unwrap(), s.1 as u64, s.2 as u64)).collect();
    assert_eq!(skips, expected.skips, "skip records");
    let counts = [
        expected.read,
        expected.rows.len() as u64,
        expected.filtered,
        expected.skipped(Read),
        expected.skipped(Process),
        expected.skipped(Write),
    ];
    assert_eq!(totals(state), counts.map(u64::cast_signed), "counts over all tries");
    if kind == Kind::Load {
        let mut rows: Vec<_> =
            expected.rows.iter().map(|r| (r.id.cast_signed(), r.kind.clone(), r.cents, r.note.clone())).collect();
        rows.sort();
        assert_eq!(state.rows, rows, "the table");
        let cents = expected.rows.iter().map(|r| r.cents).sum();
        assert_eq!(state.totals, [(rows.len() as i64, cents)], "the tasklet's row");
    } else {
        assert_eq!(fs::read(folder.join("out.csv")).unwrap(), expected.bytes, "the output file");
        assert!(!folder.join("out.csv.part").exists(), "the part file is still there");
    }
}

async fn connect(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(path).create_if_missing(true).disable_statement_logging().connect().await.unwrap()
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
