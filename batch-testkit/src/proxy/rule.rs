//! Which statement is met by which fault.

use std::time::Duration;

use super::{
    fault::{Action, Fault},
    ledger::Ledger,
};
use tokio::runtime::Handle;

/// A statement that is to go wrong, begun by [`Proxy::on`](super::Proxy::on). One of the last five methods puts it in force; it fires once.
#[derive(Debug)]
#[must_use = "a rule is in force when it says what to do"]
pub struct Rule<'a> {
    pub(super) ledger: &'a Ledger,
    pub(super) runtime: &'a Handle,
    pub(super) pattern: Pattern,
}

/// Counts statements from when its rule came into force.
#[derive(Debug)]
pub(super) struct Pattern {
    pub(super) text: String,
    pub(super) nth: usize,
    pub(super) companion: Option<String>,
}

impl<'a> Rule<'a> {
    /// Means the `nth` such statement from now on, of all connections together; 1, the default, is the next.
    pub fn nth(mut self, nth: usize) -> Self {
        self.pattern.nth = nth;
        self
    }

    /// Counts only on connections that have ever sent a statement that contains `text`, such as the lease's.
    pub fn after(mut self, text: &str) -> Self {
        self.pattern.companion = Some(text.into());
        self
    }

    /// Closes the connection instead of forwarding the statement, which is never executed.
    pub fn cut_before(self) -> Fault {
        self.order(Action::CutBefore)
    }

    /// Forwards the statement, waits for the server's answer, and closes the connection instead of forwarding that.
    pub fn cut_answer(self) -> Fault {
        self.order(Action::CutAnswer)
    }

    /// Closes the connection to the client at once, and forwards the statement on the server's when `after` has passed: it is still in
    /// flight when the client comes back.
    pub fn delay(self, after: Duration) -> Fault {
        self.order(Action::Delay(Some(after)))
    }

    /// Like [`delay`](Self::delay), until [`Fault::release`].
    pub fn hold(self) -> Fault {
        self.order(Action::Delay(None))
    }

    /// Forwards nothing more on this connection, the statement included, and keeps it open until [`Fault::release`]; then it goes on as if
    /// nothing had been.
    pub fn blackhole(self) -> Fault {
        self.order(Action::Blackhole)
    }

    fn order(self, action: Action) -> Fault {
        let fault = Fault::new(format!("{action:?} of {:?}", self.pattern.text), action, self.runtime.clone());
        self.ledger.add(self.pattern, fault.clone());
        fault
    }
}
