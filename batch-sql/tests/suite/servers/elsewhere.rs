//! Progress in a file, rows on a server: killed between the two commits.

use batch_core::{
    BatchStatus, Job, ListReader, Parameters, Transactions,
    testing::{Fault, Scripted},
};
use batch_sql::{Database, SqlInsert, Sqlite};
use serde::Serialize;

#[derive(Clone, Serialize)]
struct Row {
    nr: i64,
}

/// Thirty rows in chunks of ten, dropped just after the commit of each chunk in turn.
async fn nothing_is_lost_or_repeated(url: &str) {
    let dir = tempfile::tempdir().unwrap();
    let file = Sqlite::open(&format!("sqlite://{}?mode=rwc", dir.path().join("progress.db").display())).await.unwrap();
    let rows = Database::open(url).await.unwrap();
    rows.execute("CREATE TABLE put (nr bigint PRIMARY KEY)").await.unwrap();
    let scripted = (1..=3).fold(Scripted::new(rows.clone()), |all, nth| all.fail(nth, Fault::CommitStuck));
    let (writes, input) = (scripted.clone(), (0..30).map(|nr| Row { nr }).collect::<Vec<_>>());
    let job = Job::new("load", &file)
        .step("rows", move |s| Ok(s.chunk(10, ListReader::new(input.clone())).transaction(&writes).writer(SqlInsert::into("put"))));
    for _ in 1..=3 {
        tokio::select! {
            ended = job.run(Parameters::new()) => panic!("the run ended: {ended:?}"),
            () = scripted.stuck() => {}
        }
    }
    let done = job.run(Parameters::new()).await.unwrap();
    assert_eq!((done.status, done.steps[0].counts.read), (BatchStatus::Completed, 10), "{}", done.exit_status.message);
    // Each row once, or the key would have refused it.
    assert_eq!(rows.execute("UPDATE put SET nr = nr + 100").await.unwrap(), 30);
    let explorer = file.repository().explorer();
    let instance = explorer.instances("load", batch_core::Page::all()).await.unwrap()[0].id;
    let mut read = 0;
    for execution in explorer.executions(instance).await.unwrap() {
        read += explorer.steps(execution.id).await.unwrap()[0].counts.read;
    }
    assert_eq!(read, 30, "every chunk is recorded once");
}

#[tokio::test]
async fn nothing_is_lost_or_repeated_on_postgres() {
    nothing_is_lost_or_repeated(&batch_testkit::Postgres::shared().database().await.url()).await;
}

#[tokio::test]
async fn nothing_is_lost_or_repeated_on_mariadb() {
    nothing_is_lost_or_repeated(&batch_testkit::MariaDb::shared().database().await.url()).await;
}
