//! The suite that every backend passes: many small functions, each named after what it demands.
//!
//! A backend implements [`Fixture`] and generates a test for each with [`conformance_tests!`](crate::conformance_tests):
//!
//! ```
//! use batch_core::{Clock, ManualClock, Memory, repository::conformance::Fixture};
//! use std::time::Duration;
//!
//! struct InMemory(ManualClock, Memory);
//!
//! impl Fixture for InMemory {
//!     type Database = Memory;
//!     fn database(&self) -> Memory { self.1.clone() }
//!     fn now(&self) -> chrono::DateTime<chrono::Utc> { self.0.now() }
//!     async fn advance(&self, by: Duration) { self.0.advance(by) }
//! }
//!
//! async fn fresh() -> InMemory {
//!     let clock = ManualClock::at(chrono::Utc::now());
//!     InMemory(clock.clone(), Memory::with_clock(clock))
//! }
//!
//! batch_core::conformance_tests!(fresh());
//! ```
//!
//! Every function panics where its demand is not met.

#![expect(clippy::unwrap_used, reason = "a test's failure is a panic")]

pub mod commits;
pub mod ending;
pub mod explorer;
pub mod fencing;
pub mod launches;
pub mod ledger;
pub mod locks;
pub mod parameters;
pub mod purge;
pub mod requests;
pub mod steps;
mod story;
pub mod takeover;
pub mod transactions;
pub mod units;

use crate::{
    error::Result,
    transaction::{Ledger, Transactions},
};
use chrono::{DateTime, Utc};
use std::{future::Future, time::Duration};

/// A fresh, empty repository for one test.
pub trait Fixture: Send + Sync {
    /// The repository's own handle.
    type Database: Ledger + Clone;

    /// The handle.
    fn database(&self) -> Self::Database;

    /// A second handle on the same store, with connections of its own where there are any. Default: the same again.
    fn other(&self) -> Self::Database {
        self.database()
    }

    /// The time as the repository sees it.
    fn now(&self) -> DateTime<Utc>;

    /// Lets so much time pass for leases.
    fn advance(&self, by: Duration) -> impl Future<Output = ()> + Send;

    /// Inserts a row with a unique key by `conn`; a key that is there already is refused. Default: does nothing, which fits a
    /// handle whose rollback undoes nothing.
    fn put(&self, conn: &mut <Self::Database as Transactions>::Conn, key: i64) -> impl Future<Output = Result<()>> + Send {
        let _ = (conn, key);
        async { Ok(()) }
    }

    /// The keys of all rows committed, sorted. Default: none.
    fn keys(&self) -> impl Future<Output = Vec<i64>> + Send {
        async { Vec::new() }
    }
}

/// Generates one `#[tokio::test]` for each function of the [conformance suite](crate::repository::conformance).
///
/// Takes an expression of a future of a fresh [`Fixture`](crate::repository::conformance::Fixture), which each test evaluates for
/// itself. The crate needs tokio with its multi-threaded runtime.
#[macro_export]
macro_rules! conformance_tests {
    ($fixture:expr) => {
        $crate::conformance_tests! { @each $fixture;
            commits: a_commit_stores_everything_together
            commits: a_commit_without_a_context_keeps_the_one_before
            commits: a_commit_is_counted_once
            commits: a_commit_under_an_old_epoch_changes_nothing
            commits: a_commit_of_a_step_that_ended_changes_nothing
            commits: a_lost_answer_is_resolved_by_the_commit_number
            commits: resolving_fences_the_commit_in_flight
            commits: resolving_can_be_repeated
            commits: large_counts_are_kept
            commits: skips_are_paged_in_the_order_they_happened
            commits: a_skip_may_hold_any_text
            commits: a_checkpoint_may_hold_any_json
            ending: a_step_keeps_its_outcome
            ending: a_job_keeps_its_outcome
            ending: values_of_completed_steps_are_merged
            ending: an_exit_message_may_hold_any_text
            ending: times_are_in_order
            ending: an_execution_that_ended_has_no_lease
            explorer: job_names_are_sorted
            explorer: instances_are_newest_first_and_paged
            explorer: an_instance_is_found_by_its_key
            explorer: executions_are_newest_first_without_steps
            explorer: running_executions_are_the_active_ones
            explorer: steps_are_in_the_order_they_began
            explorer: what_nobody_launched_is_not_found
            fencing: an_old_owner_cannot_commit
            fencing: an_old_owner_cannot_resolve
            fencing: an_old_owner_cannot_start_a_step
            fencing: an_old_owner_cannot_end_a_step
            fencing: an_old_owner_cannot_end_the_job
            fencing: an_old_owner_cannot_renew
            fencing: an_old_owner_does_not_disturb_the_new_one
            launches: a_first_launch_begins_an_execution
            launches: a_second_launch_is_refused
            launches: of_many_launches_at_once_one_wins
            launches: instances_do_not_wait_for_each_other
            launches: a_launch_whose_answer_was_lost_is_recognised
            launches: a_complete_instance_is_not_launched_again
            launches: a_failed_instance_is_launched_again
            launches: a_stopped_instance_is_launched_again
            launches: a_job_that_is_not_restartable_needs_an_operator
            launches: an_abandoned_instance_needs_an_operator
            launches: an_instance_with_an_older_abandoned_try_needs_an_operator
            launches: jobs_of_other_names_are_other_instances
            launches: names_are_unicode
            ledger: a_repository_keeps_its_id
            ledger: a_first_claim_finds_nothing
            ledger: a_claim_finds_the_last_commit
            ledger: a_commit_of_an_old_epoch_leaves_nothing
            ledger: a_commit_under_a_wrong_number_leaves_nothing
            ledger: a_claim_and_a_commit_in_flight_agree
            ledger: an_earlier_step_execution_cannot_claim
            ledger: rows_and_entry_are_rolled_back_together
            ledger: ledgers_of_other_steps_are_apart
            ledger: an_entry_may_be_long
            locks: a_lock_has_one_holder
            locks: a_lock_that_was_released_is_free
            locks: a_lock_that_was_dropped_is_free
            locks: locks_of_other_names_are_free
            locks: names_that_differ_in_anything_are_different_locks
            locks: a_lock_is_waited_for
            locks: a_wait_ends_at_its_limit
            locks: of_many_that_wait_each_gets_it_alone
            locks: a_lock_is_checked_while_a_transaction_is_open
            parameters: parameters_of_executions_are_not_mixed
            parameters: secrets_are_never_stored
            parameters: every_type_comes_back
            parameters: a_value_may_be_long
            purge: completed_instances_are_deleted_but_for_the_last
            purge: a_deleted_instance_can_be_launched_again
            purge: what_can_be_restarted_is_kept
            purge: an_active_instance_is_kept
            purge: young_and_last_instances_are_kept
            purge: a_dry_run_deletes_nothing
            purge: other_jobs_are_left_alone
            requests: a_stop_is_read_back
            requests: a_pause_is_taken_back
            requests: a_request_ends_with_its_execution
            requests: nothing_is_asked_of_an_execution_that_ended
            requests: an_unknown_execution_is_not_found
            requests: a_renewal_lengthens_the_lease
            requests: a_lease_that_is_over_is_revived_where_nobody_took_it
            requests: a_running_execution_is_not_abandoned
            requests: abandoning_returns_the_status_before
            steps: a_first_start_has_nothing
            steps: a_restart_inherits_what_was_committed
            steps: a_restart_passes_on_what_a_try_without_commits_inherited
            steps: a_completed_step_is_not_started_again
            steps: a_completed_step_can_run_again_from_its_beginning
            steps: a_start_limit_counts_all_tries
            steps: passing_over_a_completed_step_is_no_start
            steps: steps_of_other_instances_are_apart
            takeover: an_owner_that_is_gone_is_replaced_at_once
            takeover: an_owner_that_may_live_is_replaced_when_its_lease_is_over
            takeover: a_living_owner_whose_lease_is_over_is_replaced
            takeover: of_many_takeovers_at_once_one_wins
            takeover: a_takeover_closes_the_execution_and_its_steps
            takeover: a_takeover_leaves_ended_steps_alone
            takeover: a_takeover_goes_on_after_the_last_commit
            takeover: a_takeover_between_commits_loses_none
            transactions: a_commit_leaves_rows_and_checkpoint
            transactions: a_commit_tells_what_an_operator_asks
            transactions: a_rollback_leaves_nothing
            transactions: a_transaction_that_is_given_up_leaves_nothing
            transactions: a_commit_under_a_wrong_guard_commits_nothing
            transactions: a_savepoint_undoes_a_part
            transactions: a_released_savepoint_keeps_its_part
            transactions: a_refused_row_is_no_reason_to_retry
            units: a_first_attempt_is_in_progress
            units: a_unit_keeps_its_outcome
            units: attempts_are_counted_over_all_tries
            units: a_unit_that_never_began_can_fail
            units: a_commit_that_is_refused_ends_no_unit
            units: a_unit_ends_with_its_rows
            units: units_are_found_by_their_keys
            units: keys_that_differ_in_anything_are_different_units
            units: a_units_error_may_hold_any_text
            units: units_are_listed_by_status_and_paged
            units: units_are_counted_by_status
            units: units_of_other_steps_and_instances_are_apart
            units: an_old_owner_cannot_start_a_unit
            units: an_execution_that_ended_starts_no_unit
        }
    };
    (@each $fixture:expr; $($area:ident : $name:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let fixture = $fixture.await;
                $crate::repository::conformance::$area::$name(&fixture).await;
            }
        )*
    };
}

#[cfg(test)]
mod tests {
    /// A function that is missing in the macro's list would never run.
    #[test]
    fn every_function_is_in_the_list() {
        let list = include_str!("conformance.rs");
        let areas = [
            ("commits", include_str!("conformance/commits.rs")),
            ("ending", include_str!("conformance/ending.rs")),
            ("explorer", include_str!("conformance/explorer.rs")),
            ("fencing", include_str!("conformance/fencing.rs")),
            ("launches", include_str!("conformance/launches.rs")),
            ("ledger", include_str!("conformance/ledger.rs")),
            ("locks", include_str!("conformance/locks.rs")),
            ("parameters", include_str!("conformance/parameters.rs")),
            ("purge", include_str!("conformance/purge.rs")),
            ("requests", include_str!("conformance/requests.rs")),
            ("steps", include_str!("conformance/steps.rs")),
            ("takeover", include_str!("conformance/takeover.rs")),
            ("transactions", include_str!("conformance/transactions.rs")),
            ("units", include_str!("conformance/units.rs")),
        ];
        for (area, text) in areas {
            for function in text.lines().filter_map(|line| line.strip_prefix("pub async fn ")?.split_once('<')) {
                assert!(list.contains(&format!("{area}: {}\n", function.0)), "{area}: {} is not in the list", function.0);
            }
        }
    }
}
