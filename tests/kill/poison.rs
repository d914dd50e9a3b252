//! An item that ends the process.

use crate::{
    process::run,
    scene::Scene,
    worker::{Kind, Spec, Trouble},
};
use rustix::process::Signal;
use std::os::unix::process::ExitStatusExt;

/// No count of deaths is kept: each launch takes over at once, gets as far as the chunk before the item, and dies again. Nothing is
/// lost or repeated, and once the processor is mended the next launch goes on.
#[test]
fn an_item_that_aborts_the_process_stops_every_launch_at_its_chunk() {
    let scene = Scene::new(Kind::Load, 10, 300);
    let poisoned = Spec { trouble: Trouble::Abort(141), ..scene.spec.clone() };
    let mut before = None;
    for launch in 1..=4 {
        let ended = run(&poisoned, "");
        assert_eq!(ended.status.signal(), Some(Signal::ABORT.as_raw()), "{ended:?}");
        let state = scene.state();
        assert_eq!(state.executions.len(), launch);
        assert!(state.rows.iter().all(|(id, ..)| *id < 141), "{:?}", state.rows);
        // Reading ahead may meet the item while the chunk before its own is still being committed: then one launch more is needed.
        let committed = state.steps.iter().map(|s| s.commits).sum::<i64>();
        if launch > 2 {
            assert_eq!(before, Some(committed), "no launch gets past the item");
        }
        before = Some(committed);
    }
    let state = scene.complete();
    assert_eq!(state.executions[..4], vec![("FAILED".to_owned(), false); 4]);
}
