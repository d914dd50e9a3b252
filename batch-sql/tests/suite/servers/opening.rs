//! Opening: URLs, names, migrations.

use super::fixture::{OnServer, Speaks, on_every_server};
use batch_core::{ErrorKind, Transactions};
use batch_sql::{MySql, MySqlKind, Postgres, PostgresKind, PostgresOptions, Server, ServerOptions};
use batch_testkit::MariaDb;
use futures_util::future::join_all;

on_every_server!(
    many_migrators_at_once_make_one_repository,
    newer_tables_are_refused,
    repositories_of_two_prefixes_are_apart,
    hostile_names_are_refused,
    a_password_is_never_shown,
);

async fn many_migrators_at_once_make_one_repository<K: Speaks>(f: OnServer<K>) {
    let database = K::server().database().await;
    let url = database.url();
    let opened = join_all((0..8).map(|_| Server::<K>::open(&url))).await;
    assert!(opened.iter().all(Result::is_ok), "{opened:?}");
    let again = Server::<K>::open(&url).await.unwrap();
    let mut conn = again.pool().acquire().await.unwrap();
    let versions = K::run(&mut *conn, "SELECT version FROM batch_schema_version ORDER BY version").await.unwrap();
    assert_eq!(versions, f.sql("SELECT version FROM batch_schema_version ORDER BY version").await);
}

async fn newer_tables_are_refused<K: Speaks>(f: OnServer<K>) {
    f.sql("INSERT INTO batch_schema_version (version, applied) VALUES (999, '')").await;
    let refused = Server::<K>::open(&f.database.url()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NeedsOperator);
    assert!(refused.to_string().contains("version 999"), "{refused}");
}

async fn repositories_of_two_prefixes_are_apart<K: Speaks>(f: OnServer<K>) {
    ServerOptions::<K>::new().table_prefix("other_").open(&f.database.url()).await.unwrap();
    f.sql("INSERT INTO other_instance (job_name, job_key, create_time) VALUES ('a', 'b', '2026-01-01 00:00:00')").await;
    let explorer = f.first.repository().explorer();
    assert!(explorer.job_names().await.unwrap().is_empty());
}

async fn hostile_names_are_refused<K: Speaks>(f: OnServer<K>) {
    for name in ["", "a\"b", "a`b", "a b", "a;DROP TABLE put", "a\0", "ä", "1a", &"a".repeat(64)] {
        let refused = ServerOptions::<K>::new().table_prefix(name).open(&f.database.url()).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Configuration, "{name:?}");
    }
    f.sql("SELECT k FROM put").await;
}

async fn a_password_is_never_shown<K: Speaks>(f: OnServer<K>) {
    let scheme = K::NAME.to_lowercase();
    let urls = [
        format!("{scheme}://me:s3cret@127.0.0.1:1/db"),
        format!("{scheme}://me:s3cret@"),
        format!("{scheme}://me:s3cret@127.0.0.1:1/"),
        "s3cret://x".replace("s3cret", "other"),
    ];
    for url in urls {
        let error = Server::<K>::open(&url).await.unwrap_err();
        assert!(!error.report().contains("s3cret") && !format!("{error:?}").contains("s3cret"), "{error:?}");
    }
    assert!(format!("{:?}", f.first).contains(f.database.name()));
}

#[tokio::test]
async fn a_schema_of_its_own_is_created_and_used() {
    let f = OnServer::<PostgresKind>::fresh().await;
    let url = f.database.url();
    for _ in 0..2 {
        PostgresOptions::new().schema("jobs").open(&url).await.unwrap();
    }
    assert_eq!(f.sql("SELECT version FROM jobs.batch_schema_version ORDER BY version LIMIT 1").await, [1]);
    let refused = PostgresOptions::new().schema("jobs\"; DROP TABLE put; --").open(&url).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Configuration);
}

/// DDL commits by itself there: a migration that was cut off goes on.
#[tokio::test]
async fn a_half_applied_migration_is_completed() {
    let database = MariaDb::shared().database().await;
    let whole = MySql::open(&database.url()).await.unwrap();
    let mut conn = whole.pool().acquire().await.unwrap();
    let cut = "DROP TABLE batch_skip; DROP TABLE batch_step; DELETE FROM batch_schema_version";
    <MySqlKind as Speaks>::run(&mut conn, cut).await.unwrap();
    let again = MySql::open(&database.url()).await.unwrap();
    assert!(again.repository().explorer().job_names().await.unwrap().is_empty());
    <MySqlKind as Speaks>::run(&mut conn, "SELECT id FROM batch_skip").await.unwrap();
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_unavailable() {
    let refused = Postgres::open("postgres://postgres@127.0.0.1:1/none").await.unwrap_err();
    assert_eq!((refused.kind(), refused.is_transient()), (ErrorKind::Unavailable, true));
    assert!(refused.to_string().contains("none at 127.0.0.1:1"), "{refused}");
    let wrong = Postgres::open("mysql://root@localhost/x").await.unwrap_err();
    assert_eq!(wrong.kind(), ErrorKind::Configuration);
}

#[tokio::test]
async fn a_database_that_is_not_there_is_named() {
    let database = batch_testkit::Postgres::shared().database().await;
    let url = database.url().replace(database.name(), "nowhere");
    let refused = Postgres::open(&url).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unavailable);
    assert!(refused.report().contains("nowhere"), "{}", refused.report());
}
