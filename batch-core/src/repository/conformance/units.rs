//! The log of units of work.

use super::{
    Fixture,
    story::{Run, TTL, explorer, gone, is_not_owner, launch, refusal},
};
use crate::{
    error::{Error, ErrorKind},
    execution::{BatchStatus, Counts, ExitStatus, StepExecution, UnitCounts, UnitRecord, UnitStatus},
    repository::{Commit, Launch, Owner, Page, UnitStart},
    transaction::Transactions,
};
use chrono::TimeDelta;

impl<F: Fixture> Run<'_, F> {
    fn unit_of(&self, step: &StepExecution, key: &str) -> UnitStart {
        UnitStart {
            lease: self.lease.clone(),
            instance: self.instance(),
            step: step.id,
            name: step.name.clone(),
            key: key.to_owned(),
            at: self.f.now(),
        }
    }

    async fn start_unit(&self, step: &StepExecution, key: &str) -> UnitRecord {
        self.repository.start_unit(&self.unit_of(step, key)).await.unwrap()
    }

    /// The commit with which these units end.
    fn units_of(&self, step: &StepExecution, units: Vec<UnitRecord>) -> Commit {
        let counts = step.counts + Counts { read: 1, written: 1, commits: 1, ..Counts::default() };
        Commit { counts, skips: Vec::new(), context: None, units, ..self.chunk(step) }
    }

    /// Runs a unit to its end.
    async fn unit(&self, step: &mut StepExecution, key: &str, error: Option<&str>) -> UnitRecord {
        let record = self.start_unit(step, key).await;
        let record = match error {
            None => record.succeeded(self.f.now()),
            Some(error) => record.failed(error.to_owned(), self.f.now()),
        };
        let commit = self.units_of(step, vec![record.clone()]);
        self.repository.commit(&commit).await.unwrap();
        (step.commit_no, step.counts) = (step.commit_no + 1, commit.counts);
        record
    }

    async fn units(&self, step: &str) -> Vec<UnitRecord> {
        explorer(self.f).units(self.instance(), step, None, Page::all()).await.unwrap()
    }
}

fn keys(units: &[UnitRecord]) -> Vec<&str> {
    units.iter().map(|unit| unit.key.as_str()).collect()
}

/// IN_PROGRESS, its first attempt, of this step execution; stored as it was returned.
pub async fn a_first_attempt_is_in_progress<F: Fixture>(f: &F) {
    let run = Run::begin(f).await;
    let step = run.start("users").await;
    let unit = run.start_unit(&step, "7").await;
    assert_eq!((unit.key.as_str(), unit.status, unit.attempts, unit.step), ("7", UnitStatus::InProgress, 1, step.id));
    assert_eq!((&unit.error, unit.ended), (&None, None));
    assert_eq!(run.units("users").await, [unit]);
}

/// Status, attempts, error and times are those of the commit, the start among them.
pub async fn a_unit_keeps_its_outcome<F: Fixture>(f: &F) {
    let run = Run::begin(f).await;
    let mut step = run.start("users").await;
    let done = run.unit(&mut step, "1", None).await;
    let failed = run.unit(&mut step, "2", Some("no such account")).await;
    assert_eq!((done.status, failed.status), (UnitStatus::Success, UnitStatus::Fail));
    assert_eq!(run.units("users").await, [done, failed]);
}

/// Over all tries; the error of the last one is gone, its step execution is the new one.
pub async fn attempts_are_counted_over_all_tries<F: Fixture>(f: &F) {
    let run = Run::begin(f).await;
    let mut step = run.start("users").await;
    run.start_unit(&step, "1").await;
    run.unit(&mut step, "1", Some("busy")).await;
    run.end_step(&step, BatchStatus::Failed).await;
    run.end(BatchStatus::Failed).await;
    let next = Run::begin(f).await;
    let step = next.start("users").await;
    let unit = next.start_unit(&step, "1").await;
    assert_eq!((unit.attempts, unit.status, unit.error.as_deref(), unit.ended), (3, UnitStatus::InProgress, None, None));
    assert_eq!(unit.step, step.id);
    assert_eq!(next.units("users").await, [unit]);
}

/// A unit whose lock was never free never began.
pub async fn a_unit_that_never_began_can_fail<F: Fixture>(f: &F) {
    let run = Run::begin(f).await;
    let mut step = run.start("users").await;
    let began = run.start_unit(&step, "1").await;
    let other = UnitRecord { key: "2".to_owned(), attempts: 0, ..began.clone() }.failed("locked".to_owned(), f.now());
    run.repository.commit(&run.units_of(&step, vec![other.clone()])).await.unwrap();
    step.commit_no += 1;
    assert_eq!(run.units("users").await, [began, other]);
}

/// Neither the units nor the counts.
pub async fn a_commit_that_is_refused_ends_no_unit<F: Fixture>(f: &F) {
    let run = Run::begin(f).await;
    let step = run.start("users").await;
    let unit = run.start_unit(&step, "1").await;
    for (epoch, commit_no) in [(-1, 0), (0, 1)] {
        let mut commit = run.units_of(&step, vec![unit.clone().succeeded(f.now())]);
        commit.guard.epoch += epoch;
        commit.guard.commit_no += commit_no;
        assert!(is_not_owner(&run.repository.commit(&commit).await));
        let tx = f.database().begin().await.unwrap();
        assert!(is_not_owner(&f.database().commit(tx, &commit).await));
    }
    assert_eq!(run.units("users").await, [unit]);
}

/// Its row and the rows it wrote are there together, or neither.
pub async fn a_unit_ends_with_its_rows<F: Fixture>(f: &F) {
    let (run, database) = (Run::begin(f).await, f.database());
    let mut step = run.start("users").await;
    for (key, commits) in [("1", true), ("2", false)] {
        let unit = run.start_unit(&step, key).await.succeeded(f.now());
        let mut tx = database.begin().await.unwrap();
        f.put(F::Database::conn(&mut tx), key.parse().unwrap()).await.unwrap();
        if commits {
            database.commit(tx, &run.units_of(&step, vec![unit])).await.unwrap();
            step.commit_no += 1;
        } else {
            database.rollback(tx).await.unwrap();
        }
    }
    if database.undoes_writes() {
        assert_eq!(f.keys().await, [1]);
    }
    let statuses: Vec<_> = run.units("users").await.into_iter().map(|unit| unit.status).collect();
    assert_eq!(statuses, [UnitStatus::Success, UnitStatus::InProgress]);
}

/// Some hundreds at once; those that never began are left out, and units of other steps and instances.
pub async fn units_are_found_by_their_keys<F: Fixture>(f: &F) {
    let run = Run::begin(f).await;
    let (mut step, other) = (run.start("users").await, run.start("accounts").await);
    for key in 0..7 {
        run.unit(&mut step, &key.to_string(), None).await;
    }
    run.start_unit(&other, "400").await;
    let asked: Vec<String> = (5..505).map(|key| key.to_string()).collect();
    let find = async |instance, name| {
        let mut found = run.repository.find_units(instance, name, &asked).await.unwrap();
        found.sort_by(|a, b| a.key.cmp(&b.key));
        found
    };
    assert_eq!(find(run.instance(), "users").await, run.units("users").await[5..]);
    assert_eq!(keys(&find(run.instance(), "accounts").await), ["400"]);
    assert!(find(run.instance(), "nobody").await.is_empty());
    assert!(run.repository.find_units(run.instance(), "users", &[]).await.unwrap().is_empty());
}

/// Case, accents, spaces and length tell them apart.
pub async fn keys_that_differ_in_anything_are_different_units<F: Fixture>(f: &F) {
    let run = Run::begin(f).await;
    let mut step = run.start("users").await;
    let long = "é".repeat(UnitRecord::KEY_LIMIT - 1);
    let all = ["\"a\"", "\"A\"", "\"á\"", "\"a \"", "\"a\" ", "\"日本語 🚀\"", "[1,\"'\\\\\"]"].map(str::to_owned);
    let all: Vec<String> = all.into_iter().chain([format!("{long}a"), format!("{long}b")]).collect();
    for key in &all {
        run.unit(&mut step, key, None).await;
    }
    let units = run.units("users").await;
    assert_eq!(keys(&units), all);
    assert!(units.iter().all(|unit| unit.attempts == 1));
    for key in all {
        let found = run.repository.find_units(run.instance(), "users", std::slice::from_ref(&key)).await.unwrap();
        assert_eq!(keys(&found), [key]);
    }
}

/// NUL is left out and ten million characters are cut, rather than that the outcome is lost.
pub async fn a_units_error_may_hold_any_text<F: Fixture>(f: &F) {
    let run = Run::begin(f).await;
    let step = run.start("users").await;
    let text = format!("a\0b 日本語 🚀 '\"\\ {}", "é".repeat(10_000_000));
    let unit = run.start_unit(&step, "1").await;
    let unit = UnitRecord { error: Some(text.clone()), ended: Some(f.now()), status: UnitStatus::Fail, ..unit };
    run.repository.commit(&run.units_of(&step, vec![unit])).await.unwrap();
    assert_eq!(run.units("users").await[0].error, Some(ExitStatus::new("", &text).message));
}

/// In the order in which they first began, whatever became of them since; a window is what it says.
pub async fn units_are_listed_by_status_and_paged<F: Fixture>(f: &F) {
    let run = Run::begin(f).await;
    let mut step = run.start("users").await;
    for (key, error) in [("9", None), ("3", Some("x")), ("5", Some("x")), ("1", None), ("4", Some("x"))] {
        run.unit(&mut step, key, error).await;
    }
    run.start_unit(&step, "9").await;
    let list = async |status, page| {
        let units = explorer(f).units(run.instance(), "users", status, page).await.unwrap();
        units.into_iter().map(|unit| unit.key).collect::<Vec<_>>().concat()
    };
    assert_eq!(list(None, Page::all()).await, "93514");
    assert_eq!(list(Some(UnitStatus::Fail), Page::all()).await, "354");
    assert_eq!(list(Some(UnitStatus::Success), Page::all()).await, "1");
    assert_eq!(list(Some(UnitStatus::InProgress), Page::all()).await, "9");
    assert_eq!(list(None, Page { offset: 1, limit: 2 }).await, "35");
    assert_eq!(list(Some(UnitStatus::Fail), Page { offset: 2, limit: 9 }).await, "4");
}

/// Each status; none where nothing began.
pub async fn units_are_counted_by_status<F: Fixture>(f: &F) {
    let run = Run::begin(f).await;
    let mut step = run.start("users").await;
    let counts = async |name| explorer(f).unit_counts(run.instance(), name).await.unwrap();
    assert_eq!(counts("users").await, UnitCounts::default());
    for (key, error) in [("1", None), ("2", Some("x")), ("3", None)] {
        run.unit(&mut step, key, error).await;
    }
    run.start_unit(&step, "4").await;
    assert_eq!(counts("users").await, UnitCounts { in_progress: 1, success: 2, fail: 1 });
    assert_eq!(counts("nobody").await, UnitCounts::default());
}

/// Of the same key too, and an instance that nobody launched is not found.
pub async fn units_of_other_steps_and_instances_are_apart<F: Fixture>(f: &F) {
    let run = Run::begin(f).await;
    let (mut step, other) = (run.start("users").await, run.start("accounts").await);
    run.unit(&mut step, "1", None).await;
    assert_eq!(run.start_unit(&other, "1").await.attempts, 1);
    let second = Run::of(f, Launch { job_key: "another".to_owned(), ..launch(Owner::current()) }).await;
    let step = second.start("users").await;
    assert_eq!(second.start_unit(&step, "1").await.attempts, 1);
    assert_eq!(run.units("users").await[0].status, UnitStatus::Success);
    let unknown = explorer(f).units(404_404, "users", None, Page::all()).await;
    assert_eq!(refusal(&unknown), Some(ErrorKind::NotFound));
    assert_eq!(refusal(&explorer(f).unit_counts(404_404, "users").await), Some(ErrorKind::NotFound));
}

/// Woken between two units, it does not begin the next one, and what its successor did to the unit stays.
pub async fn an_old_owner_cannot_start_a_unit<F: Fixture>(f: &F) {
    let old = Run::by(f, gone()).await;
    let stale = old.start("users").await;
    old.start_unit(&stale, "1").await;
    let new = Run::begin(f).await;
    let mut step = new.start("users").await;
    let done = new.unit(&mut step, "1", None).await;
    for key in ["1", "2"] {
        let refused: Result<UnitRecord, Error> = old.repository.start_unit(&old.unit_of(&stale, key)).await;
        assert_eq!(refusal(&refused), Some(ErrorKind::NotOwner));
    }
    let late = old.units_of(&stale, vec![done.clone().failed("late".to_owned(), f.now())]);
    assert!(is_not_owner(&old.repository.commit(&late).await));
    assert_eq!(new.units("users").await, [done]);
}

/// A lease that is over does not matter as long as nobody took over; an end does.
pub async fn an_execution_that_ended_starts_no_unit<F: Fixture>(f: &F) {
    let run = Run::begin(f).await;
    let step = run.start("users").await;
    f.advance(TTL * 2).await;
    let unit = run.start_unit(&step, "1").await;
    assert!(unit.started + TimeDelta::seconds(1) >= f.now());
    run.end_step(&step, BatchStatus::Failed).await;
    run.end(BatchStatus::Failed).await;
    let refused = run.repository.start_unit(&run.unit_of(&step, "2")).await;
    assert_eq!(refusal(&refused), Some(ErrorKind::NotOwner));
    assert_eq!(run.units("users").await, [unit]);
}
