//! Sizes of chunks that follow the time, on every database.

use crate::{
    backends::{Backend, on_every_backend},
    doubles::{Fault, Once, Play},
};
use batch_core::{Adaptive, Context, Listener, ManualClock, Phase, Result};
use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

on_every_backend![a_restart_is_exact_however_the_sizes_changed];

/// Lets time pass just before each commit: far less than the target for twelve chunks, far more for the next twelve.
struct Tide(ManualClock, AtomicU32);

impl Listener for Tide {
    fn before_commit(&self, _: &mut Context) -> Result<()> {
        let high = self.1.fetch_add(1, Ordering::Relaxed) / 12 % 2 == 1;
        self.0.advance(Duration::from_millis(if high { 100 } else { 1 }));
        Ok(())
    }
}

async fn a_restart_is_exact_however_the_sizes_changed<B: Backend>() {
    let play = Play::<B>::new(700).await;
    let play = play.fails(Phase::Write, [230], Fault::Y, Once).fails(Phase::Read, [451], Fault::Y, Once);
    let clock = ManualClock::at(chrono::Utc::now());
    let passing = clock.clone();
    let job = play
        .job(move |p, s| {
            let size = Adaptive::lock_time(Duration::from_millis(10)).between(2, 16).start(4);
            p.chunk(s, size).listener(Tide(passing.clone(), AtomicU32::new(0)))
        })
        .clock(clock);
    let mut begins_at = 0;
    for status in ["FAILED", "FAILED", "COMPLETED"] {
        let ran = play.run(&job).await;
        assert_eq!(ran.execution.status.as_str(), status, "{}", ran.message());
        let ends = play.boundaries();
        let sizes: Vec<u64> = std::iter::once(&begins_at).chain(&ends).zip(&ends).map(|(from, to)| to - from).collect();
        assert_eq!(sizes[0], 4, "each try begins anew");
        assert!(sizes.iter().all(|size| *size <= 16), "{sizes:?}");
        assert!(sizes.contains(&16), "it grows: {sizes:?}");
        assert!(sizes.windows(2).any(|pair| pair[1] == pair[0] / 2 && pair[0] > 2), "and shrinks: {sizes:?}");
        begins_at = *ends.last().expect("chunks");
        assert_eq!(ran.step().checkpoint.read, begins_at);
    }
    play.assert_all_written();
}
