//! What another process does: stops, dies, runs out of disk.

use crate::fixture::{Fixture, commit, launch, lease, owner, url};
use batch_core::{ErrorKind, Owner, Transactions, repository::CommitError};
use batch_sql::{Sqlite, SqliteOptions};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

const ROLE: &str = "BATCH_SQL_TEST_ROLE";
const URL: &str = "BATCH_SQL_TEST_URL";

/// Not a test of its own: what a child of the other tests runs.
#[tokio::test]
async fn child() {
    let (Ok(role), Ok(url)) = (std::env::var(ROLE), std::env::var(URL)) else { return };
    let db = SqliteOptions::new().open(&url).await.unwrap();
    let me = Owner::current();
    let execution = db.repository().launch(&launch("import", &me)).await.unwrap();
    match role.as_str() {
        "hold" => hold(&db).await,
        "fill" => fill(&db, &execution, &me).await,
        other => panic!("{other}"),
    }
}

/// Keeps a chunk open until it is killed.
async fn hold(db: &Sqlite) {
    let tx = db.begin().await.unwrap();
    println!("\nholding");
    let mut end = String::new();
    std::io::stdin().read_to_string(&mut end).unwrap();
    drop(tx);
}

/// Commits more than the limit on the size of files allows.
async fn fill(db: &Sqlite, launched: &batch_core::repository::Launched, me: &Owner) {
    let start = crate::fixture::step_start(launched, me, "load");
    let batch_core::repository::StepStarted::Started(step) = db.repository().start_step(&start).await.unwrap() else { panic!() };
    let mut tx = db.begin().await.unwrap();
    sqlx::raw_sql("INSERT INTO t VALUES (randomblob(600000))").execute(Sqlite::conn(&mut tx)).await.unwrap();
    let outcome = db.commit(tx, &commit(&step, me)).await;
    let transient = matches!(&outcome, Err(CommitError::Unknown(e)) if db.is_transient(e));
    println!("\noutcome {outcome:?} transient {transient}");
}

fn spawn(role: &str, f: &Fixture, before: &str) -> Child {
    let script = format!("{before} exec \"$0\" --exact processes::child --nocapture");
    let mut command = Command::new("sh");
    command.args(["-c", &script]).arg(std::env::current_exe().unwrap()).env(ROLE, role).env(URL, url(&f.dir));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
}

/// The first line of the child's output that contains `part`.
fn line(child: &mut Child, part: &str) -> String {
    let lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    lines.map(Result::unwrap).find(|l| l.contains(part)).unwrap_or_default()
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

fn state(child: &Child) -> char {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
    stat.rsplit_once(") ").unwrap().1.chars().next().unwrap()
}

#[tokio::test]
async fn a_stopped_process_keeps_the_file_and_is_named_and_a_killed_one_is_taken_over() {
    let f = Fixture::with(|o| o.launch_wait(Duration::from_millis(50)).clock(Arc::new(batch_core::SystemClock))).await;
    let mut child = spawn("hold", &f, "");
    assert_eq!(line(&mut child, "holding"), "holding");
    signal(&child, Signal::STOP);
    while state(&child) != 'T' {
        tokio::task::yield_now().await;
    }
    let error = f.launch(&Owner::current()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyRunning);
    let report = error.report();
    for part in [format!("process {} ", child.id()), "which is stopped: continue it (SIGCONT) or kill it".to_owned()] {
        assert!(report.contains(&part), "{report}");
    }
    signal(&child, Signal::KILL);
    child.wait().unwrap();
    let taken = f.launch(&Owner::current()).await.unwrap().taken_over.unwrap();
    assert_eq!(taken.reason, format!("process {} no longer exists", child.id()));
}

#[tokio::test]
async fn a_commit_that_the_disk_cannot_hold_is_of_unknown_outcome() {
    let f = Fixture::new().await;
    f.sql("CREATE TABLE t (v)").await;
    // In blocks of 512 bytes; without the trap the signal would kill the child before SQLite sees the error.
    let mut child = spawn("fill", &f, "trap '' XFSZ; ulimit -f 800;");
    let outcome = line(&mut child, "outcome");
    child.wait().unwrap();
    assert!(outcome.starts_with("outcome Err(Unknown(") && outcome.ends_with("transient true"), "{outcome}");
    assert_eq!(f.number("SELECT count(*) FROM t").await, 0);
    assert_eq!(f.number("SELECT commit_no FROM batch_step").await, 0);
}

#[tokio::test]
async fn a_full_database_is_no_items_fault() {
    let f = Fixture::new().await;
    f.sql("CREATE TABLE t (v)").await;
    let me = owner();
    let (launched, step) = f.running(&me).await;
    let mut tx = f.db.begin().await.unwrap();
    let full = "PRAGMA max_page_count = 60; INSERT INTO t VALUES (randomblob(600000))";
    let error: batch_core::BoxError = sqlx::raw_sql(full).execute(Sqlite::conn(&mut tx)).await.unwrap_err().into();
    assert!(f.db.is_transient(&error), "{error}");
    f.db.rollback(tx).await.unwrap();
    let tx = f.db.begin().await.unwrap();
    f.db.commit(tx, &commit(&step, &me)).await.unwrap();
    f.repository.renew(&lease(launched.execution.id, &me)).await.unwrap();
}
