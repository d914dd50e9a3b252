//! Processes that are stopped for longer than their lease, taken over, and continued.

use crate::{
    audit,
    points::{CHUNKS, baselines},
    process::{Ended, Worker, run, wait_until},
    scene::Scene,
    worker::{KINDS, Kind, Spec},
};
use rustix::process::Signal;
use std::{fs, sync::Mutex, time::Duration};

/// So long that none is renewed before its process is stopped: a renewal, too, holds the database's lock for a moment.
const LEASE: Duration = Duration::from_millis(900);

fn scene(kind: Kind, rows: u64) -> Scene {
    let mut scene = Scene::new(kind, 10, rows);
    scene.spec.lease = LEASE;
    scene.spec.launch_wait = Duration::from_millis(100);
    scene
}

/// Starts a worker that stops itself at `point`, and waits until its lease is over.
fn zombie(scene: &Scene, point: &str) -> Worker {
    let mut zombie = Worker::start(&scene.spec, point);
    zombie.wait_until_stopped();
    wait_until("the lease is over", || audit::lease_is_over(scene.path()));
    zombie
}

fn continued(mut zombie: Worker) -> Ended {
    zombie.signal(Signal::CONT);
    zombie.finish()
}

#[test]
fn one_stopped_between_chunks_is_taken_over_and_writes_nothing_more() {
    for point in
        ["chunk.beginning=stop@5", "chunk.committed=stop@5", "launch.claimed=stop@2", "step.ending=stop@1", "job.ending=stop@1"]
    {
        let scene = scene(Kind::Load, 300);
        let zombie = zombie(&scene, point);
        let before = scene.complete();
        assert!(before.messages[0].contains("its lease ended"), "{:?}", before.messages);
        let ended = continued(zombie);
        assert_eq!(ended.code(), Some(4), "{point}: {ended:?}");
        assert_eq!(scene.state(), before, "{point}");
    }
}

#[test]
fn before_the_lease_is_over_a_launch_says_who_runs_and_how_long_to_wait() {
    let mut scene = scene(Kind::Load, 300);
    scene.spec.lease = Duration::from_secs(600);
    let mut zombie = Worker::start(&scene.spec, "chunk.committed=stop@5");
    zombie.wait_until_stopped();
    let refused = run(&scene.spec, "");
    assert_eq!(refused.code(), Some(4), "{refused:?}");
    let pid = format!("process {}", zombie.id());
    for said in [&pid, "already running", "its lease ends in", "execution 1"] {
        assert!(refused.said.contains(said), "{said:?} in {}", refused.said);
    }
    assert_eq!(continued(zombie).code(), Some(0));
    assert_eq!(scene.completed().executions.len(), 1);
}

#[test]
fn one_stopped_inside_a_transaction_keeps_the_lock_and_may_finish() {
    for point in ["chunk.begun=stop@5", "chunk.written=stop@5", "sqlite.commit.sent=stop@5", "worker.total=stop@1"] {
        let scene = scene(Kind::Load, 300);
        let zombie = zombie(&scene, point);
        let refused = run(&scene.spec, "");
        assert_eq!(refused.code(), Some(4), "{point}: {refused:?}");
        for said in [&format!("process {}", zombie.id()), "stopped", "SIGCONT"] {
            assert!(refused.said.contains(said), "{point}: {said:?} in {}", refused.said);
        }
        let ended = continued(zombie);
        assert_eq!(ended.code(), Some(0), "nobody took its lease: {point}: {ended:?}");
        assert_eq!(scene.completed().executions.len(), 1);
    }
}

#[test]
fn one_stopped_inside_a_transaction_and_killed_there_leaves_nothing_of_it() {
    let scene = scene(Kind::Load, 300);
    let mut zombie = zombie(&scene, "chunk.written=stop@5");
    zombie.signal(Signal::KILL);
    assert!(zombie.finish().killed());
    assert_eq!(scene.state().steps[0].commits, 4);
    scene.complete();
}

#[test]
fn one_stopped_while_it_writes_a_file_keeps_the_file() {
    for point in ["csv.flush.header=stop@5", "csv.flush.written=stop@5", "chunk.committed=stop@5", "csv.publish.synced=stop@1"] {
        let scene = scene(Kind::Copy, 300);
        let zombie = zombie(&scene, point);
        let part = fs::read(scene.path().join("out.csv.part")).unwrap();
        let refused = run(&scene.spec, "");
        assert_eq!(refused.code(), Some(4), "{point}: {refused:?}");
        for said in [&format!("process {}", zombie.id()), "out.csv.part", "is being written"] {
            assert!(refused.said.contains(said), "{point}: {said:?} in {}", refused.said);
        }
        assert_eq!(fs::read(scene.path().join("out.csv.part")).unwrap(), part, "{point}: who has no lock writes nothing");
        let ended = continued(zombie);
        assert_eq!(ended.code(), Some(4), "{point}: it was taken over in the repository: {ended:?}");
        scene.complete_again();
    }
}

/// The one that took over has died, too, and its lock on the file with it.
#[test]
fn one_stopped_before_it_opened_the_file_does_not_cut_back_what_another_committed() {
    for kind in [Kind::Copy, Kind::CopyInTransaction] {
        for earlier in [None, Some("chunk.committed=kill@2")] {
            let scene = scene(kind, 300);
            if let Some(point) = earlier {
                assert!(run(&scene.spec, point).killed());
            }
            let zombie = zombie(&scene, "step.started=stop@2");
            assert!(run(&scene.spec, "chunk.committed=kill@5").killed());
            let ended = continued(zombie);
            assert_eq!(ended.code(), Some(4), "{ended:?}");
            scene.complete();
        }
    }
}

#[test]
fn one_stopped_for_longer_than_its_lease_goes_on_where_nobody_took_it() {
    for kind in KINDS {
        let scene = scene(kind, 300);
        let zombie = zombie(&scene, "chunk.committed=stop@5");
        let ended = continued(zombie);
        assert_eq!(ended.code(), Some(0), "{ended:?}");
        assert_eq!(scene.completed().executions.len(), 1);
    }
}

/// At every point there is: stopped past its lease, met by a second launch, continued, and launched until complete.
#[test]
fn wherever_one_is_stopped_nothing_is_lost_or_repeated() {
    let baselines = baselines();
    let cases = baselines.iter().filter(|((_, chunk), _)| *chunk == CHUNKS[1]);
    let cases: Vec<_> =
        cases.flat_map(|((kind, _), b)| b.passages.iter().map(|(point, last)| (*kind, point.clone(), (*last).min(3)))).collect();
    let cases = Mutex::new(cases);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                loop {
                    let Some((kind, point, pass)) = cases.lock().unwrap().pop() else { return };
                    meet(kind, &format!("{point}=stop@{pass}"));
                }
            });
        }
    });
}

fn meet(kind: Kind, point: &str) {
    let scene = scene(kind, 300);
    let zombie = zombie(&scene, point);
    let second = run(&scene.spec, "");
    let before = scene.state();
    let told = format!("{kind:?} {point} second {second:?}");
    match second.code() {
        Some(0) => {
            scene.completed();
            let ended = continued(zombie);
            assert!(matches!(ended.code(), Some(0 | 4 | 5)), "{told} {ended:?}");
            remove_empty_part(&scene);
            // One that was stopped after its last word to the repository has nothing more to say, and ends as it was.
            assert_eq!(scene.completed(), before, "{told} {ended:?}");
        }
        Some(4) => {
            assert!(second.said.contains(&format!("process {}", zombie.id())), "{told}");
            let ended = continued(zombie);
            assert!(matches!(ended.code(), Some(0 | 4)), "{told} {ended:?}");
        }
        // It was stopped after the job had been completed.
        Some(5) => assert_eq!(continued(zombie).code(), Some(0), "{told}"),
        // A lock that it keeps while nothing is recorded of it yet.
        Some(7) => {
            assert!(second.said.contains(&zombie.id().to_string()), "{told}");
            let ended = continued(zombie);
            assert_eq!(ended.code(), Some(0), "{told} {ended:?}");
        }
        _ => panic!("{told}"),
    }
    let spec = Spec { launch_wait: Duration::from_secs(10), ..scene.spec.clone() };
    let last = run(&spec, "");
    assert!(matches!(last.code(), Some(0 | 5)), "{told} last {last:?}");
    scene.completed();
}

/// What a zombie leaves that learned only with the file open that it had been taken over.
fn remove_empty_part(scene: &Scene) {
    let part = scene.path().join("out.csv.part");
    if fs::metadata(&part).is_ok_and(|m| m.len() == 0) {
        fs::remove_file(part).unwrap();
    }
}
