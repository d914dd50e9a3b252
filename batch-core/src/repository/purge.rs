//! Deleting history that nobody needs.

use chrono::{DateTime, TimeDelta, Utc};
use std::{num::NonZeroU32, ops::AddAssign, time::Duration};

/// Which instances of a job to delete, with their executions, steps, skips and all the rest.
///
/// An instance is deleted as a whole, and only where nothing can go on from it: its newest execution COMPLETED, or one of them was
/// ABANDONED. One that is active, or that failed or was stopped and may be restarted, is kept, unless [`Purge::restartable_for`] sets an
/// end to that. An instance that was deleted can be launched again as if it had never been.
///
/// ```
/// use batch_core::Purge;
/// use std::time::Duration;
/// let month = Duration::from_secs(30 * 86_400);
/// let purge = Purge::of("import").older_than(month).keep_last(10);
/// # let _ = purge;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "nothing is deleted until it is given to `JobOperator::purge`"]
pub struct Purge {
    /// The job.
    pub job: String,
    /// How long ago an instance must have ended.
    pub age: Duration,
    /// How many of the newest instances are kept.
    pub keep_last: u64,
    /// Whether the newest instance that completed is kept.
    pub keep_last_success: bool,
    /// For how long an instance that failed or was stopped counts as restartable.
    pub restartable: Option<Duration>,
    /// Instances in one transaction at most.
    pub batch: NonZeroU32,
    /// Whether to count only.
    pub dry_run: bool,
}

impl Purge {
    /// Everything of `job` that ended and cannot be restarted, but for the last success; a hundred instances a transaction.
    pub fn of(job: &str) -> Self {
        Self {
            job: job.to_owned(),
            age: Duration::ZERO,
            keep_last: 0,
            keep_last_success: true,
            restartable: None,
            batch: NonZeroU32::MIN.saturating_add(99),
            dry_run: false,
        }
    }

    /// Keeps what ended less than so long ago. Default: no age is too young.
    pub fn older_than(mut self, age: Duration) -> Self {
        self.age = age;
        self
    }

    /// Keeps so many of the newest instances, whatever became of them. Default: 0.
    pub fn keep_last(mut self, instances: u64) -> Self {
        self.keep_last = instances;
        self
    }

    /// Deletes also the newest instance that completed. Default: it is kept.
    pub fn last_success_too(mut self) -> Self {
        self.keep_last_success = false;
        self
    }

    /// Counts an instance that failed or was stopped as given up when its newest execution ended that long ago. Default: it can be
    /// restarted for ever, and is never deleted.
    pub fn restartable_for(mut self, time: Duration) -> Self {
        self.restartable = Some(time);
        self
    }

    /// Deletes so many instances in one transaction at most. Default: 100.
    pub fn batch(mut self, instances: NonZeroU32) -> Self {
        self.batch = instances;
        self
    }

    /// Deletes nothing, and tells what would be deleted.
    pub fn dry_run(mut self) -> Self {
        self.dry_run = true;
        self
    }

    /// What ended later than this is kept.
    pub fn ended_before(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        before(now, self.age)
    }

    /// What failed or was stopped later than this is kept; nothing of that kind is deleted where there is no such time.
    pub fn restartable_before(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.restartable.map(|time| before(now, time.max(self.age)))
    }
}

fn before(now: DateTime<Utc>, age: Duration) -> DateTime<Utc> {
    let age = TimeDelta::from_std(age).unwrap_or(TimeDelta::MAX);
    now.checked_sub_signed(age).unwrap_or(DateTime::<Utc>::MIN_UTC)
}

/// What was deleted, or would be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Purged {
    /// Instances, each with everything that belongs to it.
    pub instances: u64,
    /// Their executions.
    pub executions: u64,
}

impl AddAssign for Purged {
    fn add_assign(&mut self, more: Self) {
        self.instances += more.instances;
        self.executions += more.executions;
    }
}
