//! The repository's own transactions, lost on the way there or on the way back.

use super::fixture::{BEGIN, COMMIT, Scene, load, load_as, on_every_server, parameters};
use batch_core::{Context, ErrorKind, Listener, Result, Retry};
use batch_testkit::{Fault, Rule};

on_every_server!(
    a_statement_that_is_lost_leaves_nothing_stuck,
    a_launch_whose_answer_is_lost_is_recognised,
    rows_are_guarded_by_their_commit_alone,
    a_lost_connection_needs_a_retry_and_without_one_a_restart,
);

const ROWS: i64 = 30;

/// What a job says on the connection that launches it, in this order; then what it says for a chunk.
const SAID: [&str; 13] = [
    "INSERT INTO @instance",
    "FROM @execution WHERE instance_id",
    "INSERT INTO @execution",
    "INSERT INTO @parameter",
    "INSERT INTO @lease",
    "INSERT INTO @step",
    "UPDATE @execution SET context",
    "UPDATE @step SET status",
    "UPDATE @execution SET status",
    "DELETE FROM @lease",
    BEGIN,
    "put",
    COMMIT,
];

/// The transactions of the launch, the step's start, the step's end and the job's end.
const TRANSACTIONS: usize = 4;

/// How a statement is lost.
type Loss = (&'static str, fn(Rule<'_>) -> Fault);
const LOSSES: [Loss; 2] = [("statement", |rule| rule.cut_before()), ("answer", |rule| rule.cut_answer())];

/// Leaves something to the job's later steps.
struct Promoting;

impl Listener for Promoting {
    fn before_commit(&self, context: &mut Context) -> Result<()> {
        context.set("loaded", true)
    }
}

async fn a_statement_that_is_lost_leaves_nothing_stuck(scene: Scene) {
    let job = load_as(&scene.db, ROWS, |step| step.listener(Promoting));
    let mut run = 0;
    for (what, lose) in LOSSES {
        for said in SAID {
            run += 1;
            let lost = lose(scene.proxy.on(&scene.text(said)));
            scene.completes(&job, run, ROWS).await;
            assert!(lost.has_fired(), "the {what} of {said}");
        }
        for nth in 1..=TRANSACTIONS {
            run += 1;
            // Chunks have connections of their own.
            let lost = lose(scene.proxy.on("COMMIT").after(&scene.text("INSERT INTO @instance")).nth(nth));
            scene.completes(&job, run, ROWS).await;
            assert!(lost.has_fired(), "the {what} of COMMIT {nth}");
        }
    }
}

async fn a_launch_whose_answer_is_lost_is_recognised(scene: Scene) {
    let lost = scene.proxy.on("COMMIT").after(&scene.text("INSERT INTO @execution")).cut_answer();
    let done = scene.completes(&load(&scene.db, ROWS), 1, ROWS).await;
    lost.settled().await;
    let tries = format!("SELECT count(*) FROM batch_execution WHERE instance_id = {}", done.instance.id);
    assert_eq!(scene.number(&tries).await, 1, "no second execution was begun");
}

/// A writer of files is opened, and then the repository is asked whether the step is still ours.
async fn rows_are_guarded_by_their_commit_alone(scene: Scene) {
    scene.completes(&load(&scene.db, ROWS), 1, ROWS).await;
    assert_eq!(scene.proxy.seen(&scene.text("UPDATE @lease")), 0);
}

async fn a_lost_connection_needs_a_retry_and_without_one_a_restart(scene: Scene) {
    for (run, said) in [BEGIN, "put", COMMIT].into_iter().enumerate() {
        let job = load_as(&scene.db, ROWS, |step| step.retry(Retry::times(1)));
        // A connection that lay idle is replaced without a word: only the first chunk's is new.
        let lost = scene.proxy.on(said).nth(if said == BEGIN { 1 } else { 2 }).cut_before();
        scene.db.close().await;
        // Where no chunk can be begun, the database is at fault, and the run ends with kind Unavailable.
        let kind = job.run(parameters(run as i64)).await.err().map(|error| error.kind());
        assert_eq!(kind, (said == BEGIN).then_some(ErrorKind::Unavailable), "{said}");
        lost.settled().await;
        let failed = "SELECT count(*) FROM batch_execution WHERE status = 'FAILED'";
        assert_eq!(scene.number(failed).await, run as i64 + 1, "{said}");
        scene.completes(&job, run as i64, ROWS).await;
    }
}
