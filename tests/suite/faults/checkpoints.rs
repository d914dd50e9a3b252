//! Checkpoints that cannot be understood.

use super::fixture::{Scene, load, on_every_server, parameters};
use batch_core::{BatchStatus, ErrorKind};

on_every_server!(a_damaged_checkpoint_is_for_an_operator_and_never_the_start);

const ROWS: i64 = 50;

async fn a_damaged_checkpoint_is_for_an_operator_and_never_the_start(scene: Scene) {
    let job = load(&scene.db, ROWS);
    for (run, damaged) in [
        "",
        "nonsense",
        "{\"v\":1,\"read\":20,",
        "{\"v\":99,\"read\":20,\"reader\":20,\"writer\":null}",
        "{\"read\":20,\"reader\":20,\"writer\":null}",
        "{\"v\":1,\"read\":\"twenty\",\"reader\":20,\"writer\":null}",
        "{\"v\":1,\"read\":20,\"reader\":\"twenty\",\"writer\":null}",
        "{\"v\":1,\"read\":20,\"reader\":-1,\"writer\":null}",
        "{\"v\":1,\"read\":2000,\"reader\":2000,\"writer\":null}",
        "[20]",
        "null",
    ]
    .into_iter()
    .enumerate()
    {
        let run = run as i64;
        let stopped = job.launch(parameters(run)).limit(20).run().await.unwrap();
        assert_eq!(stopped.status, BatchStatus::Stopped);
        let of = format!("WHERE instance_id = {}", stopped.instance.id);
        let checkpoint = text(&scene, &format!("SELECT checkpoint FROM batch_step {of}")).await;
        scene.audit.execute(&format!("UPDATE batch_step SET checkpoint = '{damaged}' {of}")).await.unwrap();
        for _ in 0..2 {
            let refused = job.run(parameters(run)).await.unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::NeedsOperator, "{damaged}: {}", refused.report());
            assert_eq!(scene.number(&format!("SELECT count(*) FROM put WHERE run = {run}")).await, 20, "{damaged}");
        }
        scene.audit.execute(&format!("UPDATE batch_step SET checkpoint = '{checkpoint}' {of}")).await.unwrap();
        scene.completes(&job, run, ROWS).await;
    }
}

async fn text(scene: &Scene, sql: &str) -> String {
    use batch_sql::Database;
    let sql = sqlx::AssertSqlSafe(sql.to_owned());
    match &scene.audit {
        Database::Sqlite(db) => sqlx::query_scalar(sql).fetch_one(db.pool()).await.unwrap(),
        Database::Postgres(db) => sqlx::query_scalar(sql).fetch_one(db.pool()).await.unwrap(),
        Database::MySql(db) => sqlx::query_scalar(sql).fetch_one(db.pool()).await.unwrap(),
    }
}
