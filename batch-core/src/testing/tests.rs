//! Jobs that meet scripted faults.

use super::*;
use crate::{BatchStatus, Job, ListReader, ListWriter, Memory, Parameters, Retry};

/// Runs 0..9 in chunks of 3 and returns what was written, the calls and the commits counted.
async fn run(faults: &[(usize, Fault)]) -> (Vec<u32>, Vec<Call>, u64) {
    let list = ListWriter::new();
    let database = faults.iter().fold(Scripted::new(Memory::new()), |all, (nth, fault)| all.fail(*nth, *fault));
    let writer = list.clone();
    let job = Job::new("scripted", &database).step("only", move |s| {
        let input: Vec<u32> = (0..9).collect();
        Ok(s.chunk(3, ListReader::new(input)).writer(writer.clone()).retry(Retry::times(3)))
    });
    let execution = job.run(Parameters::new()).await.unwrap();
    assert_eq!(execution.status, BatchStatus::Completed, "{}", execution.exit_status.message);
    let commits = execution.step("only").map_or(0, |s| s.counts.commits);
    (list.items(), database.calls(), commits)
}

fn times(calls: &[Call], call: Call) -> usize {
    calls.iter().filter(|c| **c == call).count()
}

#[tokio::test(start_paused = true)]
async fn without_faults_a_chunk_is_one_transaction() {
    let (items, calls, commits) = run(&[]).await;
    assert_eq!(items, (0..9).collect::<Vec<_>>());
    assert_eq!(calls, [Call::Begin, Call::Commit].repeat(3));
    assert_eq!(commits, 3);
}

#[tokio::test(start_paused = true)]
async fn each_transient_fault_costs_an_attempt_and_no_item() {
    for fault in [Fault::Begin, Fault::CommitTransient, Fault::CommitUnsent] {
        let (items, calls, commits) = run(&[(2, fault)]).await;
        assert_eq!((items, commits), ((0..9).collect(), 3), "{fault:?}");
        assert_eq!(times(&calls, Call::Begin), 4, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_commit_whose_answer_was_lost_is_not_repeated() {
    let (items, calls, commits) = run(&[(1, Fault::CommitLost), (3, Fault::CommitLost)]).await;
    assert_eq!((items, commits), ((0..9).collect(), 3));
    assert_eq!(times(&calls, Call::Commit), 3);
}
