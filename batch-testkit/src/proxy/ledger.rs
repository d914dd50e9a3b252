//! What clients have sent, and what is to go wrong next.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use parking_lot::Mutex;
use tokio::sync::watch;

use super::{fault::Fault, rule::Pattern};

/// Shared by all connections of a proxy.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    rules: Mutex<Vec<Armed>>,
    /// How often each text was sent.
    seen: watch::Sender<HashMap<Arc<str>, usize>>,
}

#[derive(Debug)]
struct Armed {
    pattern: Pattern,
    fault: Fault,
    count: usize,
}

impl Ledger {
    pub(super) fn add(&self, pattern: Pattern, fault: Fault) {
        self.rules.lock().push(Armed { pattern, fault, count: 0 });
    }

    /// Counts a statement of a connection that has sent the texts of `before`, and finds the fault that meets it.
    pub(super) fn judge(&self, text: &Arc<str>, before: &mut HashSet<Arc<str>>) -> Option<Fault> {
        before.insert(Arc::clone(text));
        let hit = self.hit(text, before);
        if let Some(fault) = &hit {
            fault.fire();
        }
        self.seen.send_modify(|seen| *seen.entry(Arc::clone(text)).or_default() += 1);
        hit
    }

    /// All rules count, so that none depends on the others.
    fn hit(&self, text: &str, before: &HashSet<Arc<str>>) -> Option<Fault> {
        let mut rules = self.rules.lock();
        for rule in rules.iter_mut().filter(|rule| rule.pattern.matches(text, before)) {
            rule.count += 1;
        }
        let first = rules.iter().position(|rule| rule.count >= rule.pattern.nth)?;
        Some(rules.remove(first).fault)
    }

    pub(super) fn seen(&self, text: &str) -> usize {
        total(&self.seen.borrow(), text)
    }

    /// Returns when so many statements were seen.
    pub(super) async fn until_seen(&self, text: &str, count: usize) {
        self.seen.subscribe().wait_for(|seen| total(seen, text) >= count).await.ok();
    }
}

impl Pattern {
    fn matches(&self, text: &str, before: &HashSet<Arc<str>>) -> bool {
        let companion = |companion: &String| before.iter().any(|text| text.contains(companion.as_str()));
        text.contains(&self.text) && self.companion.as_ref().is_none_or(companion)
    }
}

fn total(seen: &HashMap<Arc<str>, usize>, text: &str) -> usize {
    seen.iter().filter(|(statement, _)| statement.contains(text)).map(|(_, count)| count).sum()
}
