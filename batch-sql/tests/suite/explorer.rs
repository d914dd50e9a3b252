//! What operators read.

use crate::fixture::{Fixture, commit, launch, owner};
use batch_core::{BatchStatus, ErrorKind, Page, Phase, SkipRecord};

#[tokio::test]
async fn lists_are_newest_first_and_cut_to_the_page() {
    let f = Fixture::new().await;
    let explorer = f.repository.explorer();
    assert_eq!(explorer.job_names().await.unwrap(), Vec::<String>::new());
    for (job, key) in [("b", "1"), ("a", "1"), ("b", "2"), ("b", "3")] {
        let launch = batch_core::repository::Launch { job_key: key.into(), ..launch(job, &owner()) };
        f.repository.launch(&launch).await.unwrap();
    }
    assert_eq!(explorer.job_names().await.unwrap(), ["a", "b"]);
    let keys = |page| async move {
        let instances = f.repository.explorer().instances("b", page).await.unwrap();
        (instances.into_iter().map(|i| i.job_key).collect::<Vec<_>>(), f)
    };
    let (all, f) = keys(Page::all()).await;
    assert_eq!(all, ["3", "2", "1"]);
    let page = f.repository.explorer().instances("b", Page { offset: 1, limit: 1 }).await.unwrap();
    assert_eq!(page[0].job_key, "2");
    assert_eq!(explorer.instance_count("b").await.unwrap(), 3);
    assert_eq!(explorer.instance("b", "2").await.unwrap().unwrap(), page[0]);
    assert_eq!(explorer.instance("b", "9").await.unwrap(), None);
    let running = explorer.running("b").await.unwrap();
    assert_eq!(running.iter().map(|e| e.instance.job_key.as_str()).collect::<Vec<_>>(), ["3", "2", "1"]);
    assert!(running[0].parameters.contains("input"));
}

#[tokio::test]
async fn what_never_was_is_not_found() {
    let f = Fixture::new().await;
    let explorer = f.repository.explorer();
    let kinds = [
        explorer.instances("x", Page::all()).await.unwrap_err().kind(),
        explorer.instance_count("x").await.unwrap_err().kind(),
        explorer.instance("x", "k").await.unwrap_err().kind(),
        explorer.running("x").await.unwrap_err().kind(),
        explorer.executions(1).await.unwrap_err().kind(),
        explorer.execution(1).await.unwrap_err().kind(),
        explorer.steps(1).await.unwrap_err().kind(),
        explorer.skips(1, Page::all()).await.unwrap_err().kind(),
    ];
    assert_eq!(kinds, [ErrorKind::NotFound; 8]);
}

#[tokio::test]
async fn executions_of_an_instance_come_with_their_parameters() {
    let f = Fixture::new().await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        let me = owner();
        let launched = f.launch(&me).await.unwrap();
        f.end_job(&launched, &me, BatchStatus::Failed).await.unwrap();
        ids.insert(0, launched.execution.id);
    }
    let executions = f.repository.explorer().executions(1).await.unwrap();
    assert_eq!(executions.iter().map(|e| e.id).collect::<Vec<_>>(), ids);
    assert!(executions.iter().all(|e| e.parameters == launch("import", &owner()).parameters && e.steps.is_empty()));
    assert!(f.repository.explorer().running("import").await.unwrap().is_empty());
}

#[tokio::test]
async fn skips_are_in_the_order_they_happened() {
    let f = Fixture::new().await;
    let me = owner();
    let (_, mut step) = f.running(&me).await;
    assert!(f.repository.explorer().skips(step.id, Page::all()).await.unwrap().is_empty());
    for chunk in 0..3u64 {
        let skip = |n| SkipRecord {
            phase: Phase::Write,
            number: chunk * 2 + n,
            line: None,
            byte: Some(u64::MAX),
            column: None,
            reason: "r".repeat(20_000),
            item: Some("x".repeat(5_000_000)),
        };
        let commit = batch_core::repository::Commit { skips: vec![skip(0), skip(1)], ..commit(&step, &me) };
        f.repository.commit(&commit).await.unwrap();
        step.commit_no += 1;
    }
    let page = f.repository.explorer().skips(step.id, Page { offset: 1, limit: 4 }).await.unwrap();
    assert_eq!(page.iter().map(|s| s.number).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!((page[0].reason.len(), page[0].item.as_ref().unwrap().len()), (10_000, 4 << 20));
    assert_eq!(page[0].byte, Some(i64::MAX as u64));
}
