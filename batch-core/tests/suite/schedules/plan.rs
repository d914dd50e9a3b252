//! What is drawn at random.

use batch_core::{Adaptive, Completion, testing::Fault};
use proptest::{
    arbitrary::any,
    collection::vec,
    option,
    prelude::{Just, Strategy, prop},
    prop_oneof,
};
use std::time::Duration;

/// What happens to a record on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Good,
    Filtered,
    BadRecord,
    BadItem,
    Panics,
    Refused,
    /// Fails so many times with a transient error, then is good.
    SlowRead(u8),
    SlowItem(u8),
    SlowWrite(u8),
}

impl Fate {
    pub fn is_written(self) -> bool {
        matches!(self, Self::Good | Self::SlowRead(_) | Self::SlowItem(_) | Self::SlowWrite(_))
    }
}

#[derive(Debug, Clone)]
pub struct Plan {
    pub fates: Vec<Fate>,
    pub chunk: usize,
    /// Whether that is only where the size begins, and the time that waits take, or not, steers it.
    pub adaptive: bool,
    pub skip_limit: u64,
    pub attempts: u32,
    pub ahead: usize,
    pub concurrent: usize,
    /// Chunks processed at once.
    pub workers: usize,
    /// Chunks in flight; with more than one, rows go to a table with transactions.
    pub in_flight: usize,
    pub limit: Option<u64>,
    /// Whether the reader says where it stands.
    pub seeks: bool,
    /// Reads, items and writes that wait once: a bit each, used in turn.
    pub waits: u64,
    /// Whether rows go to another database than the repository's.
    pub elsewhere: bool,
    pub faults: Vec<(usize, Fault)>,
}

impl Plan {
    pub fn size(&self) -> Completion {
        if !self.adaptive {
            return self.chunk.into();
        }
        // Every other wait takes a millisecond, and writing waits for each item.
        Adaptive::latency(Duration::from_millis(4)).between(1, 1000).start(self.chunk).into()
    }
}

pub fn plans() -> impl Strategy<Value = Plan> {
    (
        vec(fate(), 0..40),
        prop_oneof![3 => 1usize..12, 1 => Just(1000)],
        prop::bool::weighted(0.3),
        prop_oneof![Just(0u64), 1u64..4, Just(1000)],
        1u32..4,
        0usize..3,
        (1usize..4, prop_oneof![2 => Just(1usize), 1 => 2usize..5], prop_oneof![1 => Just(1usize), 1 => 2usize..6]),
        option::weighted(0.2, 1u64..15),
        prop::bool::weighted(0.8),
        any::<u64>(),
        any::<bool>(),
        vec((1usize..12, fault()), 0..4),
    )
        .prop_map(
            |(
                fates,
                chunk,
                adaptive,
                skip_limit,
                attempts,
                ahead,
                (concurrent, workers, in_flight),
                limit,
                seeks,
                waits,
                elsewhere,
                faults,
            )| Plan {
                fates,
                chunk,
                adaptive,
                skip_limit,
                attempts,
                // Chunks in flight are read ahead, and those that are processed at once.
                ahead: if in_flight > 1 || workers > 1 { ahead.max(1) } else { ahead },
                concurrent,
                workers,
                in_flight,
                limit,
                seeks,
                waits,
                elsewhere,
                faults,
            },
        )
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        12 => Just(Fate::Good),
        2 => Just(Fate::Filtered),
        1 => Just(Fate::BadRecord),
        1 => Just(Fate::BadItem),
        1 => Just(Fate::Panics),
        2 => Just(Fate::Refused),
        1 => (1u8..4).prop_map(Fate::SlowRead),
        1 => (1u8..4).prop_map(Fate::SlowItem),
        1 => (1u8..4).prop_map(Fate::SlowWrite),
    ]
}

fn fault() -> impl Strategy<Value = Fault> {
    prop::sample::select(vec![
        Fault::Begin,
        Fault::Savepoint,
        Fault::Release,
        Fault::RollbackTo,
        Fault::CommitTransient,
        Fault::CommitData,
        Fault::CommitLost,
        Fault::CommitUnsent,
        Fault::CommitStuck,
        Fault::Claim,
        Fault::RecordTransient,
        Fault::RecordLost,
        Fault::RecordUnsent,
    ])
}
