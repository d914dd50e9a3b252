//! A fault that was ordered.

use std::{sync::Arc, time::Duration};

use tokio::{runtime::Handle, select, sync::watch, time};

/// How long a test waits for what it ordered.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a [`Rule`](super::Rule) does, once, and how far that is. Dropping it changes nothing.
#[derive(Debug, Clone)]
pub struct Fault {
    state: Arc<State>,
    /// The proxy's own runtime, whose clock no test has stopped.
    runtime: Handle,
}

#[derive(Debug)]
struct State {
    name: String,
    action: Action,
    stage: watch::Sender<Stage>,
    released: watch::Sender<bool>,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Action {
    CutBefore,
    CutAnswer,
    /// Without a duration, until it is released.
    Delay(Option<Duration>),
    Blackhole,
}

#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
enum Stage {
    Ordered,
    Fired,
    Settled,
}

impl Fault {
    pub(super) fn new(name: String, action: Action, runtime: Handle) -> Self {
        let state = State { name, action, stage: watch::Sender::new(Stage::Ordered), released: watch::Sender::new(false) };
        Self { state: Arc::new(state), runtime }
    }

    /// Whether the statement has been sent.
    pub fn has_fired(&self) -> bool {
        *self.state.stage.borrow() >= Stage::Fired
    }

    /// Waits until the statement has been sent. Panics after a minute.
    pub async fn fired(&self) {
        self.reached(Stage::Fired).await;
    }

    /// Waits until all is over: the connection is closed, and the server has answered what it was sent; the blackhole was released.
    /// Panics after a minute.
    pub async fn settled(&self) {
        self.reached(Stage::Settled).await;
    }

    /// Ends the wait of [`delay`](super::Rule::delay), [`hold`](super::Rule::hold) or [`blackhole`](super::Rule::blackhole).
    pub fn release(&self) {
        self.state.released.send_replace(true);
    }

    async fn reached(&self, stage: Stage) {
        let mut stages = self.state.stage.subscribe();
        let wait = async move { time::timeout(PATIENCE, stages.wait_for(|now| *now >= stage)).await.is_ok_and(|met| met.is_ok()) };
        let met = self.runtime.spawn(wait).await.unwrap_or_default();
        assert!(met, "{} is not {stage:?} but {:?}", self.state.name, *self.state.stage.borrow());
    }

    pub(super) fn action(&self) -> Action {
        self.state.action
    }

    pub(super) fn fire(&self) {
        self.state.stage.send_replace(Stage::Fired);
    }

    pub(super) fn settle(&self) {
        self.state.stage.send_replace(Stage::Settled);
    }

    /// Returns when `after` has passed or the test lets it go on.
    pub(super) async fn due(&self, after: Option<Duration>) {
        let mut released = self.state.released.subscribe();
        let passed = async {
            match after {
                Some(after) => time::sleep(after).await,
                None => std::future::pending().await,
            }
        };
        select! {
            _ = released.wait_for(|released| *released) => {}
            () = passed => {}
        }
    }
}
