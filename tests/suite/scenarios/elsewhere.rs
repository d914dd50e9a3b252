//! Rows in another database than the repository's: PROTOCOL 15. Each test has two databases of its kind.

use crate::{
    backends::{Backend, on_a_paused_clock, on_every_backend},
    doubles::{Always, Fault, Once, Play, Ran, parameters},
};
use batch_core::{
    ChunkReport, Clock, Context, DryRun, Error, ErrorKind, Job, JobExplorer, JobRepository, Ledger, ListWriter, Listener, Page,
    Phase, Result, StepOptions, SystemClock, Transactions,
    testing::{Call, Fault as At, Scripted},
    transaction::{LedgerEntry, LedgerGuard, LedgerKey},
};
use chrono::{DateTime, Utc};
use std::{sync::Arc, time::Duration};

on_every_backend![
    a_chunk_commits_there_and_is_recorded_here,
    a_kill_between_the_two_commits_loses_and_repeats_nothing,
    a_second_kill_changes_nothing,
    skips_and_saved_values_of_an_unrecorded_chunk_are_kept,
    a_lost_answer_is_settled_by_the_ledger,
    a_ledger_that_is_busy_is_taken_later,
    a_record_that_fails_is_repeated_without_the_rows,
    a_step_that_lost_its_ledger_commits_nothing_more,
    another_database_than_before_is_refused,
    databases_that_do_not_belong_together_are_refused,
    a_step_that_reruns_begins_at_its_beginning,
    a_dry_run_leaves_rows_and_ledger_alone,
];
on_a_paused_clock![a_repository_that_is_away_ends_the_run];

/// A play whose rows go to a database of their own.
struct Apart<B: Backend> {
    play: Play<B>,
    rows: Scripted<B::Database>,
    repository: Scripted<B::Database>,
    _other: B,
}

impl<B: Backend> Apart<B> {
    /// Thirty values; `rows` and `repository` are what goes wrong there.
    async fn new(rows: &[(usize, At)], repository: &[(usize, At)]) -> Self {
        let (play, other) = (Play::<B>::new(30).await, B::create().await);
        let scripted = |database: &B::Database, faults: &[(usize, At)]| {
            faults.iter().fold(Scripted::new(database.clone()), |all, (nth, at)| all.fail(*nth, *at))
        };
        let (rows, repository) = (scripted(play.database(), rows), scripted(other.database(), repository));
        Self { play, rows, repository, _other: other }
    }

    fn fails(mut self, phase: Phase, value: i64, fault: Fault, times: crate::doubles::Times) -> Self {
        self.play = self.play.fails(phase, [value], fault, times);
        self
    }

    /// Chunks of ten, up to one skip.
    fn job(&self) -> Job<Scripted<B::Database>> {
        self.job_into(&self.rows)
    }

    fn job_into(&self, rows: &Scripted<B::Database>) -> Job<Scripted<B::Database>> {
        self.with(rows, Counting)
    }

    fn with(&self, rows: &Scripted<B::Database>, listener: impl Listener + Clone) -> Job<Scripted<B::Database>> {
        let (play, rows) = (self.play.clone(), rows.clone());
        Job::new("play", &self.repository).step("act", move |s| {
            let step = s.chunk(10, play.reader()).processor(play.processor()).transaction(&rows);
            Ok(step.writer(play.writer()).skip(1).listener(listener.clone()))
        })
    }

    async fn run<D: Transactions + Clone>(&self, job: &Job<D>) -> Ran {
        let returned = job.run(parameters()).await.expect("the run has an execution");
        self.play.check_in(&*self.explorer(), returned).await
    }

    /// Runs to the commit in which the script gets stuck, and drops the run there.
    async fn killed<D: Transactions + Clone>(&self, job: &Job<D>) {
        tokio::select! {
            ended = job.run(parameters()) => panic!("the run ended: {ended:?}"),
            () = self.rows.stuck() => {}
        }
    }

    async fn refused<D: Transactions + Clone>(&self, job: &Job<D>) -> Error {
        job.run(parameters()).await.expect_err("the run is refused")
    }

    fn explorer(&self) -> Arc<dyn JobExplorer> {
        self.repository.repository().explorer()
    }

    async fn key(&self) -> LedgerKey {
        let instance = self.explorer().instances("play", Page::all()).await.expect("instances")[0].id;
        let repository = self.repository.repository().id().await.expect("an id");
        LedgerKey { repository, instance, step: "act".to_owned() }
    }

    /// Has the ledger hold `entry`, as if the try before had written it.
    async fn forge(&self, entry: &str) {
        let (key, database) = (self.key().await, self.play.database());
        let execution = self.explorer().executions(key.instance).await.expect("executions")[0].id;
        let holder = self.explorer().steps(execution).await.expect("steps")[0].id;
        let state = database.claim(&key, holder).await.expect("a ledger");
        let guard = LedgerGuard { key, epoch: state.epoch, commit_no: state.commit_no };
        let tx = database.begin().await.expect("a transaction");
        database.commit_with_ledger(tx, &guard, entry).await.expect("a commit");
    }

    fn calls(&self, call: Call) -> usize {
        self.rows.calls().iter().filter(|c| **c == call).count()
    }
}

/// Counts the commits in the step's saved context.
#[derive(Clone)]
struct Counting;

impl Listener for Counting {
    fn before_commit(&self, context: &mut Context) -> Result<()> {
        let commits: i64 = context.get("commits").unwrap_or(0);
        context.set("commits", commits + 1)
    }
}

async fn a_chunk_commits_there_and_is_recorded_here<B: Backend>() {
    let apart = Apart::<B>::new(&[], &[]).await;
    let ran = apart.run(&apart.job()).await;
    assert_eq!((ran.tells(), ran.step().commit_no), ("COMPLETED R=30 W=30 C=3".to_owned(), 3));
    let chunk = [Call::Begin, Call::Savepoint, Call::Release, Call::Commit].repeat(3);
    assert_eq!(apart.rows.calls(), [vec![Call::Claim], chunk].concat());
    assert_eq!(apart.repository.calls(), [Call::Record; 3]);
    apart.play.assert_all_written();
}

/// The restart finds the chunk in the ledger, records it, and opens the reader after it; at the last one nothing is left to read.
async fn a_kill_between_the_two_commits_loses_and_repeats_nothing<B: Backend>() {
    for nth in 1..=3 {
        let apart = Apart::<B>::new(&[(nth, At::CommitStuck)], &[]).await;
        let job = apart.job();
        apart.killed(&job).await;
        assert_eq!(apart.repository.calls().len(), nth - 1);
        let ran = apart.run(&job).await;
        let left = 30 - 10 * (nth as u64 - 1);
        assert_eq!(ran.tells(), format!("COMPLETED R={left} W={left} C={}", 4 - nth));
        assert_eq!(apart.play.seen(|s| s.reader_opens.clone()), [None, Some(10 * nth as u64)]);
        assert_eq!(apart.play.seen(|s| s.writer_opens.clone()), [None, Some(10 * nth as u64)]);
        assert_eq!(apart.play.writes(), "[0-9][10-19][20-29]");
        apart.play.assert_all_written();
    }
}

/// Every try but the last dies between its two commits, and records what the one before left.
async fn a_second_kill_changes_nothing<B: Backend>() {
    let apart = Apart::<B>::new(&[(1, At::CommitStuck), (2, At::CommitStuck), (3, At::CommitStuck)], &[]).await;
    let job = apart.job();
    for _ in 0..3 {
        apart.killed(&job).await;
    }
    assert_eq!(apart.run(&job).await.tells(), "COMPLETED R=10 W=10 C=1");
    assert_eq!(apart.play.writes(), "[0-9][10-19][20-29]");
    assert_eq!(apart.play.seen(|s| s.reader_opens.clone()), [None, Some(10), Some(20), Some(30)]);
    apart.play.assert_all_written();
}

async fn skips_and_saved_values_of_an_unrecorded_chunk_are_kept<B: Backend>() {
    let apart = Apart::<B>::new(&[(2, At::CommitStuck)], &[]).await.fails(Phase::Process, 15, Fault::Y, Always);
    let job = apart.job();
    apart.killed(&job).await;
    let ran = apart.run(&job).await;
    assert_eq!(ran.tells(), "COMPLETED R=20 W=19 SP=1 C=2");
    assert_eq!(ran.step().context.get::<i64>("commits").ok(), Some(3));
    let skips = apart.explorer().skips(ran.step().id, Page::all()).await.expect("skips");
    assert_eq!(skips.iter().map(|s| s.number).collect::<Vec<_>>(), [15]);
    apart.play.assert_written_except(&[15]);
}

/// PROTOCOL 7, by the database in which the commit was.
async fn a_lost_answer_is_settled_by_the_ledger<B: Backend>() {
    for (fault, writes) in [(At::CommitLost, "[0-9][10-19][20-29]"), (At::CommitUnsent, "[0-9][10-19][10-19][20-29]")] {
        let apart = Apart::<B>::new(&[(2, fault)], &[]).await;
        let ran = apart.run(&apart.job()).await;
        assert_eq!((ran.tells(), ran.step().epoch), ("COMPLETED R=30 W=30 C=3".to_owned(), 1), "{fault:?}");
        assert_eq!((apart.play.writes().as_str(), apart.calls(Call::Claim)), (writes, 2), "{fault:?}");
        apart.play.assert_all_written();
    }
}

async fn a_ledger_that_is_busy_is_taken_later<B: Backend>() {
    // At the start of the step, and when a lost answer is to be settled.
    let apart = Apart::<B>::new(&[(1, At::Claim), (1, At::CommitLost), (3, At::Claim)], &[]).await;
    assert_eq!(apart.run(&apart.job()).await.tells(), "COMPLETED R=30 W=30 C=3");
    assert_eq!(apart.calls(Call::Claim), 4);
    apart.play.assert_all_written();
}

/// The rows are committed, so whatever the repository says there is nothing to undo.
async fn a_record_that_fails_is_repeated_without_the_rows<B: Backend>() {
    for fault in [At::RecordTransient, At::RecordLost, At::RecordUnsent] {
        let apart = Apart::<B>::new(&[], &[(1, fault), (3, fault)]).await;
        let ran = apart.run(&apart.job()).await;
        assert_eq!((ran.tells(), ran.step().commit_no), ("COMPLETED R=30 W=30 C=3".to_owned(), 3), "{fault:?}");
        assert_eq!((apart.play.writes().as_str(), apart.calls(Call::Begin)), ("[0-9][10-19][20-29]", 3), "{fault:?}");
        apart.play.assert_all_written();
    }
}

/// Has somebody else take the ledger after the first chunk, as a later step execution does.
#[derive(Clone)]
struct TakesOver<L>(L, Arc<dyn JobRepository>);

#[async_trait::async_trait]
impl<L: Ledger + Clone> Listener for TakesOver<L> {
    async fn after_chunk(&self, report: &ChunkReport<'_>) -> Result<()> {
        let instance = self.1.explorer().execution(report.step.execution_id).await?.instance.id;
        let key = LedgerKey { repository: self.1.id().await?, instance, step: report.step.name.clone() };
        self.0.claim(&key, i64::MAX).await?;
        Ok(())
    }
}

async fn a_step_that_lost_its_ledger_commits_nothing_more<B: Backend>() {
    let apart = Apart::<B>::new(&[], &[]).await;
    let job = apart.with(&apart.rows, TakesOver(apart.play.database().clone(), apart.repository.repository()));
    let refused = apart.refused(&job).await;
    assert_eq!((refused.kind(), refused.kind().exit_code()), (ErrorKind::NotOwner, 4), "{}", refused.report());
    if let Some(table) = apart.play.backend.table().await {
        assert_eq!(table, (0..10).collect::<Vec<_>>(), "the second chunk left nothing");
    }
    // The repository knows of no later try, so it is an older copy of the one that does.
    let refused = apart.refused(&apart.job()).await;
    assert_eq!(refused.kind(), ErrorKind::NeedsOperator, "{}", refused.report());
    assert!(refused.report().contains("knows a later try than the repository"), "{}", refused.report());
}

async fn another_database_than_before_is_refused<B: Backend>() {
    let apart = Apart::<B>::new(&[], &[]).await.fails(Phase::Read, 15, Fault::Y, Once);
    let job = apart.job();
    assert_eq!(apart.run(&job).await.tells(), "FAILED R=10 W=10 C=1");
    let empty = B::create().await;
    let refused = apart.refused(&apart.job_into(&Scripted::new(empty.database().clone()))).await;
    assert_eq!((refused.kind(), refused.kind().exit_code()), (ErrorKind::NeedsOperator, 6));
    assert!(refused.report().contains("1 committed chunks, and the database of the rows none"), "{}", refused.report());
    assert_eq!(apart.play.seen(|s| s.reader_opens.clone()), [None], "nothing was opened");
    assert_eq!(apart.run(&job).await.tells(), "COMPLETED R=20 W=20 C=2");
    apart.play.assert_all_written();
}

/// As when one of them was restored from a backup.
async fn databases_that_do_not_belong_together_are_refused<B: Backend>() {
    let apart = Apart::<B>::new(&[], &[]).await.fails(Phase::Read, 15, Fault::Y, Once);
    let job = apart.job();
    assert_eq!(apart.run(&job).await.tells(), "FAILED R=10 W=10 C=1");
    let key = apart.key().await;
    let written = apart.play.database().claim(&key, 1 << 40).await;
    let entry = LedgerEntry::decode(&written.expect("a ledger").entry.expect("an entry")).expect("it is read");
    drop(apart);
    let at = |commit_no: i64, read: u64| {
        let mut entry = LedgerEntry { commit_no, ..entry.clone() };
        entry.checkpoint.read = read;
        entry.encode()
    };
    let cases = [
        (at(3, 30), "at commit 3 and record 30, the repository at commit 1 and record 10"),
        (at(2, 25), "at commit 2 and record 25, the repository at commit 1 and record 10"),
        (at(1, 11), "at commit 1 and record 11, the repository at commit 1 and record 10"),
        (at(0, 0), "at commit 0 and record 0, the repository at commit 1 and record 10"),
        ("{".to_owned(), "the ledger's entry cannot be read"),
    ];
    for (forged, said) in cases {
        let apart = Apart::<B>::new(&[], &[]).await.fails(Phase::Read, 15, Fault::Y, Once);
        let job = apart.job();
        apart.run(&job).await;
        apart.forge(&forged).await;
        let refused = apart.refused(&job).await;
        assert_eq!(refused.kind(), ErrorKind::NeedsOperator, "{}", refused.report());
        assert!(refused.report().contains(said), "{}", refused.report());
        assert_eq!(apart.play.seen(|s| s.reader_opens.clone()), [None], "nothing was opened");
    }
}

/// The ledger holds the last chunk of the pass before; what a kill leaves of the new pass is told apart by its number.
async fn a_step_that_reruns_begins_at_its_beginning<B: Backend>() {
    let apart = Apart::<B>::new(&[(4, At::CommitStuck)], &[]).await.fails(Phase::Write, -7, Fault::Y, Once);
    let (play, rows, last) = (apart.play.clone(), apart.rows.clone(), apart.play.clone());
    let job = Job::new("play", &apart.repository)
        .step_with("act", StepOptions::new().rerun(), move |s| {
            Ok(s.chunk(10, play.reader()).transaction(&rows).writer(play.writer()))
        })
        .step("last", move |s| {
            last.meets(Phase::Write, -7)?;
            Ok(s.chunk(10, batch_core::iter(Vec::<i64>::new())).writer(ListWriter::new()))
        });
    assert_eq!(apart.run(&job).await.execution.step("act").map(|s| s.counts.read), Some(30));
    apart.killed(&job).await;
    let ran = apart.run(&job).await;
    let step = ran.execution.step("act").expect("it ran");
    assert_eq!((step.counts.read, step.counts.commits, step.commit_no), (30, 3, 6));
    assert_eq!(apart.play.seen(|s| s.reader_opens.clone()), [None, None, Some(10)]);
    assert_eq!(apart.play.writes(), "[0-9][10-19][20-29][0-9][10-19][20-29]");
    assert_eq!(apart.play.list().len(), 60);
}

async fn a_dry_run_leaves_rows_and_ledger_alone<B: Backend>() {
    let apart = Apart::<B>::new(&[], &[]).await;
    let (play, rows) = (apart.play.clone(), apart.rows.clone());
    let job = Job::new("play", &DryRun::new(&apart.repository))
        .step("act", move |s| Ok(s.chunk(10, play.reader()).transaction(&rows).writer(play.writer())));
    let done = job.run(parameters()).await.expect("a run");
    assert_eq!((done.status.as_str(), done.step("act").map(|s| s.counts.written)), ("COMPLETED", Some(30)));
    assert_eq!(apart.rows.calls(), [Call::Begin, Call::Rollback].repeat(3));
    assert!(apart.explorer().job_names().await.expect("names").is_empty());
    assert_eq!(apart.play.backend.table().await.unwrap_or_default(), [0; 0]);
}

/// The clock that tokio's tests stop.
#[derive(Debug)]
struct Paused(tokio::time::Instant);

impl Clock for Paused {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now()
    }

    fn uptime(&self) -> Duration {
        self.0.elapsed()
    }
}

/// For as long as the lease lasts the copy is tried again; then a restart does it.
async fn a_repository_that_is_away_ends_the_run<B: Backend>() {
    let away: Vec<(usize, At)> = (2..=45).map(|nth| (nth, At::RecordTransient)).collect();
    let apart = Apart::<B>::new(&[], &away).await;
    let job = apart.job().clock(Paused(tokio::time::Instant::now()));
    let begun = tokio::time::Instant::now();
    let away = apart.refused(&job).await;
    assert_eq!((away.kind(), away.kind().exit_code()), (ErrorKind::Unavailable, 7), "{}", away.report());
    assert!(away.report().contains("committed in the other database"), "{}", away.report());
    assert!(begun.elapsed() >= Duration::from_secs(30), "for as long as the lease lasts");
    assert_eq!(apart.play.writes(), "[0-9][10-19]");
    assert!(apart.repository.calls().len() < 45, "the repository is away for a part of the next run too");
    assert_eq!(apart.run(&job).await.tells(), "COMPLETED R=20 W=20 C=2");
    assert_eq!(apart.play.writes(), "[20-29]");
    apart.play.assert_all_written();
}
