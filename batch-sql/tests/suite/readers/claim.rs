//! A table that is a queue, and the steps that share it.

use super::{
    lost::is_cut,
    support::{Brand, Db, Item, brand, on_every_server, rest, saved},
};
use batch_core::{BatchStatus, Chunk, Error, ErrorKind, Job, JobExecution, Parameters, Reader, Result, Scope, Writer};
use batch_sql::{Claim, Sqlite, SqliteOptions};
use batch_testkit::{MariaDb, Postgres, Proxy};
use parking_lot::Mutex;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::sync::Barrier;

/// A repository of its own, on SQLite, for queues anywhere.
struct Jobs {
    repository: Sqlite,
    _folder: TempDir,
}

impl Jobs {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("jobs.db").display());
        let repository = SqliteOptions::new().power_cut_may_lose_last_commits().open(&url).await.unwrap();
        Self { repository, _folder: folder }
    }

    /// Works on the queue as the worker of that number.
    async fn work<D: Db>(&self, db: &D, worker: i64, writer: impl Writer<Item> + Clone + Sync) -> JobExecution {
        let db = db.clone();
        let job = Job::new("work", &self.repository)
            .step("queue", move |s| Ok(s.chunk(3, claim(s, &db)).without_transaction().writer(writer.clone()).skip(100)));
        job.run(Parameters::new().set("worker", worker)).await.unwrap()
    }

    /// A reader of a step that is under way no more.
    async fn reader<D: Db>(&self, db: &D) -> Claim<Item, D> {
        let (reader, db) = (Arc::new(Mutex::new(None)), db.clone());
        let slot = reader.clone();
        let job = Job::new("reader", &self.repository).step("queue", move |s| {
            *slot.lock() = Some(claim(s, &db));
            Ok(s.tasklet(async |_: &mut sqlx::SqliteConnection, _: &mut batch_core::Context| Ok(())))
        });
        job.run(Parameters::new()).await.unwrap();
        reader.lock().take().unwrap()
    }
}

fn claim<D: Db>(scope: &Scope<Sqlite>, db: &D) -> Claim<Item, D> {
    let claim = Claim::table(scope, db, "queue").columns(["id", "name"]).key(["id"]).claimed_by("claimed_by");
    claim.pending("status = ? AND name <> 'why?'").bind("NEW").batch_size(4)
}

async fn queue(db: &impl Db, rows: i64) {
    db.run(
        "CREATE TABLE queue (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR(20), status VARCHAR(9) NOT NULL, claimed_by VARCHAR(50))",
    )
    .await;
    db.run("CREATE TABLE done (id BIGINT NOT NULL PRIMARY KEY)").await;
    let values: Vec<_> = (1..=rows).map(|id| format!("({id}, 'n{id}', 'NEW')")).collect();
    db.run(&format!("INSERT INTO queue (id, name, status) VALUES {}", values.join(", "))).await;
}

const OPEN: &str = "SELECT id FROM queue WHERE status = 'NEW' ORDER BY id";
const CLAIMED: &str = "SELECT id FROM queue WHERE status = 'NEW' AND claimed_by IS NOT NULL ORDER BY id";

/// Marks rows done; a row that two steps got breaks the key of `done`.
#[derive(Clone)]
struct Done<D>(D);

impl<D: Db> Writer<Item> for Done<D> {
    async fn write(&mut self, (): &mut (), items: Chunk<'_, Item>) -> Result<()> {
        for item in items.items() {
            self.0.run(&format!("INSERT INTO done VALUES ({0}); UPDATE queue SET status = 'DONE' WHERE id = {0}", item.id)).await;
        }
        Ok(())
    }
}

on_every_server!(every_row_goes_to_one_of_many_steps, 12);
async fn every_row_goes_to_one_of_many_steps(db: &impl Db) {
    queue(db, 150).await;
    let jobs = Jobs::new().await;
    let work = |worker| jobs.work(db, worker, Done(db.clone()));
    let runs = futures_util::future::join_all((0..4).map(work)).await;
    assert!(runs.iter().all(|run| run.status == BatchStatus::Completed), "{runs:?}");
    assert_eq!(runs.iter().map(|run| run.steps[0].counts.written).sum::<u64>(), 150);
    assert_eq!(db.numbers("SELECT count(*) FROM done").await, [150]);
    assert!(db.numbers(OPEN).await.is_empty());
}

/// Meets the test before and after its first chunk.
#[derive(Clone)]
struct Waiting<D>(Done<D>, Arc<Barrier>);

impl<D: Db> Writer<Item> for Waiting<D> {
    async fn write(&mut self, conn: &mut (), items: Chunk<'_, Item>) -> Result<()> {
        if items.items().iter().any(|item| item.id == 1) {
            self.1.wait().await;
            self.1.wait().await;
        }
        self.0.write(conn, items).await
    }
}

on_every_server!(claims_of_a_step_under_way_are_left_to_it, 8);
async fn claims_of_a_step_under_way_are_left_to_it(db: &impl Db) {
    queue(db, 10).await;
    let jobs = Jobs::new().await;
    let barrier = Arc::new(Barrier::new(2));
    let slow = jobs.work(db, 1, Waiting(Done(db.clone()), barrier.clone()));
    let quick = async {
        barrier.wait().await;
        let run = jobs.work(db, 2, Done(db.clone())).await;
        let (claimed, left) = (db.numbers(CLAIMED).await, db.numbers(OPEN).await);
        barrier.wait().await;
        (claimed, run.steps[0].counts.written, left)
    };
    let (slow, (claimed, quick, left)) = tokio::join!(slow, quick);
    assert!(claimed.contains(&1) && claimed == left, "{left:?} are open, {claimed:?} are claimed");
    assert_eq!(slow.steps[0].counts.written + quick, 10);
    assert!(db.numbers(OPEN).await.is_empty());
}

on_every_server!(claims_of_closed_steps_are_released_and_those_of_unknown_ones_are_not);
async fn claims_of_closed_steps_are_released_and_those_of_unknown_ones_are_not(db: &impl Db) {
    queue(db, 8).await;
    let jobs = Jobs::new().await;
    let over = jobs.work(db, 1, Refusing).await;
    assert_eq!(db.numbers(OPEN).await, [1, 2, 3, 4, 5, 6, 7, 8], "nothing was done yet");
    let (execution, step) = (over.id, over.steps[0].id);
    db.run(&format!("UPDATE queue SET claimed_by = '{execution}/{step}' WHERE id IN (2, 5)")).await;
    db.run(&format!("UPDATE queue SET claimed_by = '{execution}/{}' WHERE id = 6", step + 1000)).await;
    db.run("UPDATE queue SET claimed_by = '99999/1' WHERE id = 7").await;
    db.run("UPDATE queue SET claimed_by = 'somebody' WHERE id = 8").await;
    let run = jobs.work(db, 2, Done(db.clone())).await;
    assert_eq!(run.steps[0].counts.written, 5);
    assert_eq!(db.numbers(OPEN).await, [6, 7, 8]);
    assert_eq!(db.numbers("SELECT count(*) FROM queue WHERE claimed_by IS NOT NULL").await, [8], "claims stay where rows are done");
}

on_every_server!(claims_that_a_zombie_leaves_late_are_released_at_the_end);
async fn claims_that_a_zombie_leaves_late_are_released_at_the_end(db: &impl Db) {
    queue(db, 8).await;
    let jobs = Jobs::new().await;
    let over = jobs.work(db, 1, Refusing).await;
    let mut reader = jobs.reader(db).await;
    reader.open(None).await.unwrap();
    reader.read().await.unwrap();
    db.run(&format!("UPDATE queue SET claimed_by = '{}/{}' WHERE id = 7", over.id, over.steps[0].id)).await;
    let ids: Vec<_> = rest(&mut reader).await.into_iter().map(|item| item.unwrap().id).collect();
    assert_eq!(ids, [2, 3, 4, 5, 6, 8, 7]);
}

/// Refuses every item.
#[derive(Clone)]
struct Refusing;

impl Writer<Item> for Refusing {
    async fn write(&mut self, (): &mut (), _: Chunk<'_, Item>) -> Result<()> {
        Err("not today".into())
    }
}

on_every_server!(what_a_step_leaves_out_comes_once_in_it_and_again_in_the_next);
async fn what_a_step_leaves_out_comes_once_in_it_and_again_in_the_next(db: &impl Db) {
    queue(db, 9).await;
    let jobs = Jobs::new().await;
    let item_3 = |item: &Item| item.id != 3;
    let (repository, pool) = (&jobs.repository, db.clone());
    let job = Job::new("filtered", repository)
        .step("queue", move |s| Ok(s.chunk(3, claim(s, &pool)).filter(item_3).without_transaction().writer(Done(pool.clone()))));
    let run = job.run(Parameters::new()).await.unwrap();
    assert_eq!((run.steps[0].counts.read, run.steps[0].counts.filtered), (9, 1));
    assert_eq!(db.numbers(OPEN).await, [3]);
    assert!(db.numbers(CLAIMED).await.is_empty(), "a step that is over keeps no claim");
    assert_eq!(jobs.work(db, 2, Done(db.clone())).await.steps[0].counts.written, 1);
}

on_every_server!(a_row_that_is_no_item_is_named_by_its_key);
async fn a_row_that_is_no_item_is_named_by_its_key(db: &impl Db) {
    queue(db, 3).await;
    let none = if brand(db) == Brand::Sqlite { "x'ff'" } else { "''" };
    db.run(&format!("UPDATE queue SET name = {none} WHERE id = 2")).await;
    let reader = Jobs::new().await.reader(db).await;
    let mut reader = if brand(db) == Brand::Sqlite { reader } else { reader.columns(["id"]) };
    reader.open(None).await.unwrap();
    let mut bad = 0;
    while let Err(error) = reader.read().await {
        let error = error.downcast::<batch_core::BadRecord>().unwrap();
        bad += 1;
        assert!(error.raw.unwrap().starts_with("id "));
    }
    assert!(bad <= 3);
}

on_every_server!(a_read_that_is_dropped_loses_no_claim);
async fn a_read_that_is_dropped_loses_no_claim(db: &impl Db) {
    queue(db, 9).await;
    let mut reader = Jobs::new().await.reader(db).await;
    reader.open(None).await.unwrap();
    let mut ids = Vec::new();
    for turns in 0.. {
        // Dropped after more and more turns, and then not at all.
        let dropped = futures_util::FutureExt::now_or_never(reader.read());
        let read = match dropped {
            Some(read) => read,
            None if turns % 3 == 2 => reader.read().await,
            None => {
                tokio::task::yield_now().await;
                continue;
            }
        };
        match read.unwrap() {
            Some(item) => ids.push(item.id),
            None => break,
        }
    }
    assert_eq!(ids, (1..=9).collect::<Vec<_>>());
    assert_eq!(saved(&reader), reader.position());
}

on_every_server!(a_claim_says_what_it_needs);
async fn a_claim_says_what_it_needs(db: &impl Db) {
    queue(db, 1).await;
    let jobs = Jobs::new().await;
    let bare = |name: &str| {
        let (slot, pool, name) = (Arc::new(Mutex::new(None)), db.clone(), name.to_owned());
        let (job, taken) = (Job::new("bare", &jobs.repository), slot.clone());
        let job = job.step("queue", move |s| {
            *taken.lock() = Some(Claim::<Item, _>::table(s, &pool, &name));
            Ok(s.tasklet(async |_: &mut sqlx::SqliteConnection, _: &mut batch_core::Context| Ok(())))
        });
        async move {
            job.run(Parameters::new().set("table", rand())).await.unwrap();
            slot.lock().take().unwrap()
        }
    };
    let with_key = async || bare("queue").await.key(["id"]);
    for (reader, part) in [
        (bare("queue").await, "has no key"),
        (with_key().await.claimed_by("claimed_by"), ".pending(..)"),
        (with_key().await.pending("1 = 1"), ".claimed_by(..)"),
        (with_key().await.pending("1 = 1").claimed_by("a b"), "cannot name a column of a claim"),
        (bare("queue").await.key(["status"]).pending("1 = 1").claimed_by("claimed_by"), "not known to be unique"),
        (bare("a b").await.key(["id"]).pending("1 = 1").claimed_by("claimed_by"), "cannot name a table"),
    ] {
        let mut reader = reader;
        let error = reader.open(None).await.unwrap_err().downcast::<Error>().unwrap();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains(part), "{error}");
    }
}

fn rand() -> i64 {
    static NEXT: std::sync::atomic::AtomicI64 = std::sync::atomic::AtomicI64::new(0);
    NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
}

/// The second claim's COMMIT, where each begins with READ COMMITTED.
const SECOND: usize = 4;

/// The commit of the second claim takes place, and nobody is told; its rows come all the same, and once.
async fn settles_a_lost_commit<D: Db>(db: &D, proxy: &Proxy) {
    queue(db, 10).await;
    let mut reader = Jobs::new().await.reader(db).await;
    reader.open(None).await.unwrap();
    let lost = proxy.on("COMMIT").nth(SECOND).cut_answer();
    let mut ids = Vec::new();
    let mut failures = 0;
    loop {
        match reader.read().await {
            Ok(Some(item)) => ids.push(item.id),
            Ok(None) => break,
            Err(error) if is_cut(&error) => failures += 1,
            Err(error) => panic!("{error:?}"),
        }
    }
    assert!(lost.has_fired() && failures > 0);
    assert_eq!(ids, (1..=10).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_commit_whose_answer_is_lost_loses_no_row_on_postgres() {
    let proxy = Proxy::to(Postgres::shared());
    let pool = sqlx::PgPool::connect(&Postgres::shared().database().await.url_through(&proxy)).await.unwrap();
    settles_a_lost_commit(&pool, &proxy).await;
}

#[tokio::test]
async fn a_commit_whose_answer_is_lost_loses_no_row_on_mariadb() {
    let proxy = Proxy::to(MariaDb::shared());
    let pool = sqlx::MySqlPool::connect(&MariaDb::shared().database().await.url_through(&proxy)).await.unwrap();
    settles_a_lost_commit(&pool, &proxy).await;
}

/// The second claim's COMMIT is still in flight when the reader claims again.
async fn waits_for_a_commit_in_flight<D: Db>(db: &D, direct: &D, proxy: &Proxy) {
    queue(db, 6).await;
    let mut reader = Jobs::new().await.reader(db).await;
    reader.open(None).await.unwrap();
    let late = proxy.on("COMMIT").nth(SECOND).hold();
    let mut ids = Vec::new();
    while ids.len() < 4 {
        ids.push(reader.read().await.unwrap().unwrap().id);
    }
    assert!(is_cut(&reader.read().await.unwrap_err()));
    let mut reading = std::pin::pin!(rest(&mut reader));
    let rows = tokio::select! {
        rows = &mut reading => rows,
        () = until_somebody_waits(direct) => {
            late.release();
            reading.await
        }
    };
    ids.extend(rows.into_iter().map(|item| item.unwrap().id));
    assert_eq!(ids, [1, 2, 3, 4, 5, 6]);
}

/// Until a statement waits for a row of another transaction.
async fn until_somebody_waits<D: Db>(direct: &D) {
    let waiting = match D::BRAND {
        Brand::Postgres => "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
        _ => {
            "SELECT CAST(variable_value AS SIGNED) FROM information_schema.global_status
            WHERE variable_name = 'INNODB_ROW_LOCK_CURRENT_WAITS'"
        }
    };
    while direct.numbers(waiting).await == [0] {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_commit_in_flight_is_waited_for_on_postgres() {
    let (proxy, database) = (Proxy::to(Postgres::shared()), Postgres::shared().database().await);
    let through = sqlx::PgPool::connect(&database.url_through(&proxy)).await.unwrap();
    let direct = sqlx::PgPool::connect(&database.url()).await.unwrap();
    waits_for_a_commit_in_flight(&through, &direct, &proxy).await;
}

#[tokio::test]
async fn a_commit_in_flight_is_waited_for_on_mariadb() {
    let (proxy, database) = (Proxy::to(MariaDb::shared()), MariaDb::shared().database().await);
    let through = sqlx::MySqlPool::connect(&database.url_through(&proxy)).await.unwrap();
    let direct = sqlx::MySqlPool::connect(&database.url()).await.unwrap();
    waits_for_a_commit_in_flight(&through, &direct, &proxy).await;
}
