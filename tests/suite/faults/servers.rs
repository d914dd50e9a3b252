//! Servers that are killed in the middle of a job and started again, with commits that wait for the disk.

use super::fixture::{BEGIN, COMMIT, Scene, load_as, parameters, within_a_minute};
use async_trait::async_trait;
use batch_core::{BatchStatus, ExitStatus, Listener, Result, Retry, StepExecution};
use batch_testkit::{Options, Server};
use std::{sync::Arc, time::Duration};
use tokio::{sync::Notify, task::block_in_place};

const ROWS: i64 = 1000;

/// Kills the server at several places of several runs; retries last until it is back.
async fn retries_outlast_a_killed_server(server: &Server) {
    let scene = Scene::on(server).await;
    let job = load_as(&scene.db, ROWS, |step| step.retry(Retry::times(1000).constant(Duration::from_millis(20))));
    for (run, commits) in [10, 50, 90].into_iter().enumerate() {
        let kills = async {
            scene.proxy.until_seen(COMMIT, scene.proxy.seen(COMMIT) + commits).await;
            block_in_place(|| {
                server.stop_immediate();
                server.start_again();
            });
        };
        let (done, ()) = tokio::join!(job.run(parameters(run as i64)), kills);
        let done = done.unwrap_or_else(|e| panic!("run {run}: {}", e.report()));
        assert_eq!(done.status, BatchStatus::Completed, "run {run}: {}", done.exit_status.message);
        scene.is_exact(&done, ROWS).await;
    }
}

/// Says when a step has ended, before that is recorded.
struct Ends(Arc<Notify>);

#[async_trait]
impl Listener for Ends {
    async fn after_step(&self, _: &StepExecution) -> Result<Option<ExitStatus>> {
        self.0.notify_one();
        Ok(None)
    }
}

/// Without retries the job ends while the server is down, and says so once it is back; a restart goes on where it ended.
async fn a_restart_goes_on_after_a_killed_server(server: &Server) {
    let scene = Scene::on(server).await;
    let ended = Arc::new(Notify::new());
    let seen = ended.clone();
    let job = load_as(&scene.db, ROWS, move |step| {
        step.retry(Retry::times(2).constant(Duration::from_millis(1))).read_ahead(0).listener(Ends(seen.clone()))
    });
    let begins = scene.proxy.on(BEGIN).nth(50).blackhole();
    let kills = async {
        // Between two chunks: no outcome of a commit has to be waited for.
        begins.fired().await;
        block_in_place(|| server.stop_immediate());
        begins.release();
        ended.notified().await;
        block_in_place(|| server.start_again());
    };
    let (failed, ()) = tokio::join!(job.run(parameters(1)), kills);
    let failed = failed.map(|done| done.status);
    assert!(!matches!(failed, Ok(BatchStatus::Completed)), "{failed:?}");
    let recorded = "SELECT count(*) FROM batch_execution WHERE status = 'FAILED' AND active_key IS NULL";
    assert_eq!(scene.number(recorded).await, 1, "the end was recorded as soon as the server was back");
    let rows = scene.number("SELECT count(*) FROM put").await;
    assert!(rows > 0 && rows < ROWS, "{rows}");
    scene.completes(&job, 1, ROWS).await;
}

macro_rules! on_a_server_of_its_own {
    ($($story:ident),* $(,)?) => { $(
        mod $story {
            use batch_testkit::Options;

            #[tokio::test(flavor = "multi_thread", worker_threads = 3)]
            async fn postgres() {
                super::within_a_minute(super::$story(&super::start(Options::postgres()))).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 3)]
            async fn mariadb() {
                super::within_a_minute(super::$story(&super::start(Options::mariadb()))).await;
            }
        }
    )* };
}

on_a_server_of_its_own!(retries_outlast_a_killed_server, a_restart_goes_on_after_a_killed_server);

fn start(options: Options) -> Server {
    block_in_place(|| Server::start(options))
}
