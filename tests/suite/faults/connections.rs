//! Connections that are cut or ended by the server, all at once, at any moment.

use super::fixture::{Scene, cut_at_random, load, on_every_server, parameters};
use batch_core::BatchStatus;

on_every_server!(connections_cut_at_random_moments_change_nothing, connections_that_the_server_ends_change_nothing);

const ROWS: i64 = 300;
const ROUNDS: i64 = 30;

async fn connections_cut_at_random_moments_change_nothing(scene: Scene) {
    cut_at_random(&scene, ROUNDS, ROWS, load).await;
}

async fn connections_that_the_server_ends_change_nothing(scene: Scene) {
    for run in 0..5 {
        let (job, before) = (load(&scene.db, ROWS), scene.proxy.seen(&scene.insert()));
        let ends = async {
            for chunks in [3, 14, 25] {
                scene.proxy.until_seen(&scene.insert(), before + chunks).await;
                end_all(&scene).await;
            }
        };
        // The audit comes after it, on connections that the server leaves alone.
        let (done, ()) = tokio::join!(job.run(parameters(run)), ends);
        let done = done.unwrap_or_else(|e| panic!("run {run}: {}", e.report()));
        assert_eq!(done.status, BatchStatus::Completed, "retries were enough: {}", done.exit_status.message);
        scene.is_exact(&done, ROWS).await;
    }
}

/// Has the server end all connections of this database but the one that says so.
async fn end_all(scene: &Scene) {
    if scene.is_postgres() {
        let others = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()";
        scene.numbers(others).await;
        return;
    }
    let others = "SELECT CAST(id AS SIGNED) FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()";
    for id in scene.numbers(others).await {
        // One that has ended meanwhile is an error.
        let _ = scene.audit.execute(&format!("KILL CONNECTION {id}")).await;
    }
}
