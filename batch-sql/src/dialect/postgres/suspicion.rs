//! Whether the next COPY is likely to be refused for one of its rows.

use std::sync::atomic::{AtomicUsize, Ordering};

/// What a COPY was refused for lately.
///
/// Rows that the server gathers before it inserts them are examined when they are gathered. Where one of them is bad nothing was inserted yet, while
/// the dead rows of a COPY that inserts one by one are work that is lost, and stand in the way of the next try in each index.
#[derive(Debug, Default)]
pub(super) struct Suspicion(AtomicUsize);

/// So many COPYs without a bad row end it.
const LASTS: usize = 16;

impl Suspicion {
    /// Whether bad rows are to be expected. Not right behind a refusal, when the other rows are tried.
    pub(super) fn is_on(&self) -> bool {
        (1..=LASTS).contains(&self.0.load(Ordering::Relaxed))
    }

    /// A row was refused for what can be told of it before it is inserted: CHECK and NOT NULL.
    pub(super) fn refused(&self) {
        self.0.store(LASTS + 1, Ordering::Relaxed);
    }

    /// No row was refused.
    pub(super) fn copied(&self) {
        // Chunks in flight may come between; it is a guess either way.
        self.0.store(self.0.load(Ordering::Relaxed).saturating_sub(1), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::Suspicion;

    #[test]
    fn it_begins_behind_the_next_try_and_ends_when_all_is_well() {
        let suspicion = Suspicion::default();
        suspicion.copied();
        assert!(!suspicion.is_on());
        suspicion.refused();
        assert!(!suspicion.is_on(), "the other rows are good");
        for _ in 0..16 {
            suspicion.copied();
            assert!(suspicion.is_on());
        }
        suspicion.copied();
        assert!(!suspicion.is_on());
    }
}
