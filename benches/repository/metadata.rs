//! Chunks of one item that write nothing: what is left is the framework's own.

use crate::timed::Times;
use batch_core::{BatchStatus, Chunk, Job, Parameters, Result, Writer, iter};
use batch_sql::Database;
use batch_testkit::{Options, Proxy, Server};
use sqlx::{Connection, Executor, MySqlConnection, PgConnection, SqliteConnection, raw_sql};

const CHECKPOINT: &str = "CREATE TABLE checkpoint (id BIGINT PRIMARY KEY, place BIGINT NOT NULL, counts BIGINT NOT NULL)";

struct Nothing;

impl<C: Send> Writer<u64, C> for Nothing {
    async fn write(&mut self, _: &mut C, _: Chunk<'_, u64>) -> Result<()> {
        Ok(())
    }
}

async fn by_framework(database: &Database, chunks: u64, run: u64) -> Result<()> {
    let job = Job::new("metadata", database).step("count", move |s| Ok(s.chunk(1, iter(0..chunks)).writer(Nothing)));
    let execution = job.run(Parameters::new().set("run", i64::try_from(run)?)).await?;
    assert_eq!((execution.status, execution.steps[0].counts.commits), (BatchStatus::Completed, chunks));
    Ok(())
}

/// The least that keeps a place: three statements a chunk, the middle one prepared.
macro_rules! by_hand {
    ($name:ident, $conn:ty, $begin:literal, $update:literal) => {
        async fn $name(conn: &mut $conn, chunks: u64) -> Result<()> {
            for chunk in 0..i64::try_from(chunks)? {
                conn.execute(raw_sql($begin)).await?;
                sqlx::query($update).bind(chunk).bind(chunk).execute(&mut *conn).await?;
                conn.execute(raw_sql("COMMIT")).await?;
            }
            Ok(())
        }
    };
}

by_hand!(sqlite, SqliteConnection, "BEGIN IMMEDIATE", "UPDATE checkpoint SET place = ?, counts = ? WHERE id = 1");
by_hand!(postgres, PgConnection, "BEGIN", "UPDATE checkpoint SET place = $1, counts = $2 WHERE id = 1");
by_hand!(mysql, MySqlConnection, "START TRANSACTION", "UPDATE checkpoint SET place = ?, counts = ? WHERE id = 1");

pub async fn compare(chunks: u64, rounds: u64) -> Result<()> {
    println!("{chunks} chunks of one item that write nothing, medians of {rounds} interleaved rounds");
    println!("{:>12} {:>22} {:>14} {:>14} {:>7}", "", "statements a chunk", "us by hand", "us framework", "ratio");
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let url = format!("sqlite://{}", folder.path().join("metadata.db").display());
    let database = Database::open(&url).await?;
    database.execute(CHECKPOINT).await?;
    database.execute("INSERT INTO checkpoint VALUES (1, 0, 0)").await?;
    let mut conn = SqliteConnection::connect(&url).await?;
    conn.execute("PRAGMA synchronous = FULL").await?;
    let (mut hand, mut ours) = (Times::default(), Times::default());
    for round in 0..rounds {
        hand.note(sqlite(&mut conn, chunks)).await?;
        ours.note(by_framework(&database, chunks, round)).await?;
    }
    row("SQLite", "3 (no round trips)".to_owned(), &hand, &ours, chunks);
    on_server::<PgConnection>("PostgreSQL", &Server::start(Options::postgres()), chunks, rounds, postgres).await?;
    on_server::<MySqlConnection>("MariaDB", &Server::start(Options::mariadb()), chunks, rounds, mysql).await
}

async fn on_server<C: Connection>(
    name: &str,
    server: &Server,
    chunks: u64,
    rounds: u64,
    by_hand: impl AsyncFn(&mut C, u64) -> Result<()>,
) -> Result<()> {
    let place = server.database().await;
    let database = Database::open(&place.url()).await?;
    database.execute(CHECKPOINT).await?;
    database.execute("INSERT INTO checkpoint VALUES (1, 0, 0)").await?;
    let mut conn = C::connect(&place.url()).await?;
    let (mut hand, mut ours) = (Times::default(), Times::default());
    for round in 0..rounds {
        hand.note(by_hand(&mut conn, chunks)).await?;
        ours.note(by_framework(&database, chunks, round)).await?;
    }
    row(name, statements(server).await?, &hand, &ours, chunks);
    Ok(())
}

/// Round trips of a hundred more chunks, seen by a proxy.
async fn statements(server: &Server) -> Result<String> {
    let proxy = Proxy::to(server);
    let database = Database::open(&server.database().await.url_through(&proxy)).await?;
    let mut seen = Vec::new();
    for (run, chunks) in [100, 200].into_iter().enumerate() {
        let before = proxy.seen("");
        by_framework(&database, chunks, run as u64).await?;
        seen.push(proxy.seen("") - before);
    }
    Ok(format!("{:.2} round trips", (seen[1] - seen[0]) as f64 / 100.0))
}

fn row(name: &str, statements: String, hand: &Times, ours: &Times, chunks: u64) {
    let [hand, ours] = [hand, ours].map(|times| times.medians().0 * 1e6 / chunks as f64);
    println!("{name:>12} {statements:>22} {hand:>14.0} {ours:>14.0} {:>7.2}", ours / hand);
}
