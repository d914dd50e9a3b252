//! SIGTERM and Ctrl-C.

use crate::{
    process::{Worker, pause, run, wait_until},
    scene::Scene,
    worker::{KINDS, Kind, Spec, Trouble},
};
use rustix::process::Signal;
use std::time::Duration;

#[test]
fn a_signal_ends_the_run_after_its_chunk_and_a_restart_completes_it() {
    for (kind, signal) in KINDS.into_iter().zip([Signal::TERM, Signal::INT, Signal::TERM]) {
        let scene = Scene::new(kind, 1, 2000);
        // It stops itself, so that it is in the middle of its work when it is told to end.
        let mut worker = Worker::start(&scene.spec, "chunk.written=stop@20");
        worker.wait_until_stopped();
        worker.signal(signal);
        worker.signal(Signal::CONT);
        let ended = worker.finish();
        assert_eq!(ended.code(), Some(3), "{ended:?}");
        let state = scene.state();
        assert_eq!(state.executions, [("STOPPED".to_owned(), false)]);
        let commits = state.steps[0].commits;
        assert!((20..2000).contains(&commits), "{kind:?}: {commits} chunks");
        assert_eq!(scene.complete().executions.len(), 2);
    }
}

#[test]
fn a_signal_ends_a_wait_between_attempts() {
    let scene = Scene::new(Kind::Load, 10, 300);
    // Attempts are an hour apart.
    let spec = Spec { trouble: Trouble::Busy(100), ..scene.spec.clone() };
    let mut worker = Worker::start(&spec, "");
    wait_until("the writer's target is busy", || spec.mark().exists());
    worker.signal(Signal::TERM);
    let ended = worker.finish();
    assert_eq!(ended.code(), Some(3), "{ended:?}");
    assert_eq!(scene.state().executions, [("STOPPED".to_owned(), false)]);
    scene.complete();
}

#[test]
fn a_second_signal_ends_at_once_and_the_next_launch_takes_over_at_once() {
    for kind in KINDS {
        let scene = Scene::new(kind, 10, 300);
        let spec = Spec { trouble: Trouble::Hang(100), ..scene.spec.clone() };
        let mut worker = Worker::start(&spec, "");
        wait_until("the writer hangs", || spec.mark().exists());
        // A signal that comes before the one before it was taken is the same signal, hence more than two.
        while worker.is_running() {
            worker.signal(Signal::TERM);
            pause(Duration::from_millis(20));
        }
        assert_eq!(worker.finish().code(), Some(130));
        assert_eq!(scene.state().executions, [("STARTED".to_owned(), true)], "it stays active until it is taken over");
        // The lease of 30 s is not over: the process is provably gone.
        let state = scene.complete();
        assert!(state.messages[0].contains("no longer exists"), "{:?}", state.messages);
    }
}

#[test]
fn a_signal_before_anything_is_committed_leaves_a_restartable_execution() {
    for kind in KINDS {
        let scene = Scene::new(kind, 10, 300);
        let mut worker = Worker::start(&scene.spec, "step.started=stop@1");
        worker.wait_until_stopped();
        worker.signal(Signal::TERM);
        worker.signal(Signal::CONT);
        // The signal may be taken up only after a few chunks.
        let ended = worker.finish();
        assert!(matches!(ended.code(), Some(0 | 3)), "{ended:?}");
        scene.complete_again();
        assert_eq!(run(&scene.spec, "").code(), Some(5));
    }
}
