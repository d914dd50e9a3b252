//! A chunk is committed as a whole, once, and under its guard.

use super::{
    Fixture,
    story::{Run, explorer, is_not_owner, skip},
};
use crate::{
    execution::{BatchStatus, Counts, Phase, SkipRecord},
    repository::Page,
};
use serde_json::json;

/// Counts, checkpoint, context, commit number and skips of two chunks are what the second one said.
pub async fn a_commit_stores_everything_together<F: Fixture>(f: &F) {
    let run = Run::begin(f).await;
    let mut step = run.start("load").await;
    run.commit(&mut step).await;
    run.commit(&mut step).await;
    let stored = &run.stored().await.steps[0];
    assert_eq!((stored.counts, stored.commit_no), (step.counts, 2));
    assert_eq!((&stored.checkpoint, &stored.context), (&step.checkpoint, &step.context));
    assert_eq!((stored.status, stored.epoch), (BatchStatus::Started, step.epoch));
    assert_eq!(explorer(f).skips(step.id, Page::all()).await.unwrap(), [skip(2), skip(5)]);
}

/// `None` means that the chunk did not change it.
pub async fn a_commit_without_a_context_keeps_the_one_before<F: Fixture>(f: &F) {
    let run = Run::begin(f).await;
    let mut step = run.start("load").await;
    run.commit(&mut step).await;
    let mut commit = run.chunk(&step);
    commit.context = None;
    run.repository.commit(&commit).await.unwrap();
    assert_eq!(run.stored().await.steps[0].context, step.context);
}

/// The same commit sent twice is refused the second time: its number has passed.
pub async fn a_commit_is_counted_once<F: Fixture>(f: &F) {
    let run = Run::begin(f).await;
    let step = run.start("load").await;
    let commit = run.chunk(&step);
    run.repository.commit(&commit).await.unwrap();
    let before = run.stored().await;
    assert!(is_not_owner(&run.repository.commit(&commit).await));
    assert_eq!(run.stored().await, before);
    assert_eq!(explorer(f).skips(step.id, Page::all()).await.unwrap().len(), 1);
}

/// Not counted, not stored, and nothing of its skips.
pub async fn a_commit_under_an_old_epoch_changes_nothing<F: Fixture>(f: &F) {
    let run = Run::begin(f).await;
    let step = run.start("load").await;
    let before = run.stored().await;
    let mut commit = run.chunk(&step);
    commit.guard.epoch -= 1;
    assert!(is_not_owner(&run.repository.commit(&commit).await));
    assert_eq!(run.stored().await, before);
    assert!(explorer(f).skips(step.id, Page::all()).await.unwrap().is_empty());
}

/// Whatever the status it ended with.
pub async fn a_commit_of_a_step_that_ended_changes_nothing<F: Fixture>(f: &F) {
    let run = Run::begin(f).await;
    for (name, status) in [("a", BatchStatus::Completed), ("b", BatchStatus::Failed), ("c", BatchStatus::Stopped)] {
        let step = run.start(name).await;
        run.end_step(&step, status).await;
        let before = run.stored().await;
        assert!(is_not_owner(&run.repository.commit(&run.chunk(&step)).await), "{status}");
        assert_eq!(run.stored().await, before);
    }
}

/// One more than before: it counts. The same: it does not. Either way the step goes on under the new epoch.
pub async fn a_lost_answer_is_resolved_by_the_commit_number<F: Fixture>(f: &F) {
    let run = Run::begin(f).await;
    let mut step = run.start("load").await;
    let lost = run.guard(&step);
    run.commit(&mut step).await;
    let resolved = run.repository.resolve(&lost).await.unwrap();
    assert_eq!((resolved.commit_no, resolved.request), (lost.commit_no + 1, None));
    assert!(resolved.epoch > lost.epoch);
    step.epoch = resolved.epoch;
    let again = run.repository.resolve(&run.guard(&step)).await.unwrap();
    assert_eq!(again.commit_no, step.commit_no);
    step.epoch = again.epoch;
    run.commit(&mut step).await;
    assert_eq!(run.stored().await.steps[0].commit_no, 2);
}

/// A commit that arrives after it was resolved as not done is refused.
pub async fn resolving_fences_the_commit_in_flight<F: Fixture>(f: &F) {
    let run = Run::begin(f).await;
    let step = run.start("load").await;
    let late = run.chunk(&step);
    run.repository.resolve(&late.guard).await.unwrap();
    assert!(is_not_owner(&run.repository.commit(&late).await));
    assert_eq!(run.stored().await.steps[0].commit_no, 0);
}

/// The answer to the question itself may be lost: asked again in the same words, it is answered again.
pub async fn resolving_can_be_repeated<F: Fixture>(f: &F) {
    let run = Run::begin(f).await;
    let step = run.start("load").await;
    let late = run.chunk(&step);
    let first = run.repository.resolve(&late.guard).await.unwrap();
    let again = run.repository.resolve(&late.guard).await.unwrap();
    assert!(again.epoch > first.epoch && again.commit_no == first.commit_no);
    let mut commit = run.chunk(&step);
    commit.guard.epoch = again.epoch;
    run.repository.commit(&commit).await.unwrap();
}

/// Up to the largest that a signed column of 64 bits holds.
pub async fn large_counts_are_kept<F: Fixture>(f: &F) {
    let run = Run::begin(f).await;
    let step = run.start("load").await;
    let most = i64::MAX.unsigned_abs();
    let mut commit = run.chunk(&step);
    commit.counts = Counts {
        read: most,
        written: most - 1,
        filtered: most - 2,
        read_skips: most - 3,
        process_skips: most - 4,
        write_skips: most - 5,
        commits: most - 6,
        rollbacks: most - 7,
    };
    commit.checkpoint.read = most;
    run.repository.commit(&commit).await.unwrap();
    let stored = &run.stored().await.steps[0];
    assert_eq!((stored.counts, stored.checkpoint.read), (commit.counts, most));
}

/// Over chunks, and within one; a window of them is what it says.
pub async fn skips_are_paged_in_the_order_they_happened<F: Fixture>(f: &F) {
    let run = Run::begin(f).await;
    let mut step = run.start("load").await;
    for numbers in [vec![9, 3, 5], vec![], vec![4, 1]] {
        let mut commit = run.chunk(&step);
        commit.skips = numbers.into_iter().map(skip).collect();
        run.repository.commit(&commit).await.unwrap();
        step.commit_no += 1;
    }
    let numbers = async |page| {
        let skips = explorer(f).skips(step.id, page).await.unwrap();
        skips.into_iter().map(|s| s.number).collect::<Vec<_>>()
    };
    assert_eq!(numbers(Page::all()).await, [9, 3, 5, 4, 1]);
    assert_eq!(numbers(Page { offset: 2, limit: 2 }).await, [5, 4]);
    assert_eq!(numbers(Page { offset: 4, limit: 9 }).await, [1]);
    assert!(numbers(Page { offset: 5, limit: 9 }).await.is_empty());
}

/// Every field comes back; where a store knows no NUL, it is left out.
pub async fn a_skip_may_hold_any_text<F: Fixture>(f: &F) {
    let run = Run::begin(f).await;
    let step = run.start("load").await;
    let text = |length| format!("a\0b 日本語 🚀 '\"\\ {}", "x".repeat(length));
    let full = SkipRecord {
        phase: Phase::Read,
        number: i64::MAX.unsigned_abs(),
        line: Some(1),
        byte: Some(0),
        column: Some(text(0)),
        reason: text(5_000),
        item: Some(text(1_000_000)),
    };
    let bare = SkipRecord { line: None, byte: None, column: None, item: None, phase: Phase::Process, ..full.clone() };
    let mut commit = run.chunk(&step);
    commit.skips = vec![full, bare];
    run.repository.commit(&commit).await.unwrap();
    let stored = explorer(f).skips(step.id, Page::all()).await.unwrap();
    let without_nul =
        |skips: Vec<SkipRecord>| skips.into_iter().map(|s| json!(s).to_string().replace("\\u0000", "")).collect::<Vec<_>>();
    assert_eq!(without_nul(stored), without_nul(commit.skips));
}

/// Positions are the readers' own: nested, large, with numbers up to 64 bits.
pub async fn a_checkpoint_may_hold_any_json<F: Fixture>(f: &F) {
    let run = Run::begin(f).await;
    let step = run.start("load").await;
    let mut commit = run.chunk(&step);
    commit.checkpoint.reader =
        json!({"key": ["日本語 🚀 '\"\\", u64::MAX, i64::MIN, 0.1, null], "big": "x".repeat(1_000_000), "": {}});
    commit.checkpoint.writer = json!(null);
    let mut context = crate::Context::default();
    context.set("🚀", json!([{"a": [1, 2.5, false]}])).unwrap();
    commit.context = Some(context);
    run.repository.commit(&commit).await.unwrap();
    let stored = &run.stored().await.steps[0];
    assert_eq!((&stored.checkpoint, Some(&stored.context)), (&commit.checkpoint, commit.context.as_ref()));
}
