//! Finds the chunk size at which a batch job is fastest, or fast enough within limits on locks and memory; the same for what runs at once.
//!
//! A [`Tuner`] runs the job again and again on a part of its input, each time with another setting; it measures throughput, commits,
//! transactions, the phases of a chunk, memory and what a retry costs, and recommends a setting with its reason.
//!
//! ```
//! use batch_core::{Job, ListWriter, Memory, Result, iter};
//! use batch_tuner::Tuner;
//! use std::time::Duration;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<()> {
//! # let path = std::env::temp_dir().join("batch-tuner-doc.svg");
//! let database = Memory::new(); // or a database of batch-sql
//! let tuning = Tuner::committed(
//!     &database,
//!     // Before each trial: make or empty the scratch target, as by `scratch.execute("TRUNCATE TABLE trial").await?`.
//!     async |_| Ok(()),
//!     // The job, with the setting of the trial.
//!     |trial| {
//!         let size = trial.chunk();
//!         Job::new("square", trial.database())
//!             .step("all", move |s| Ok(s.chunk(size, iter(0..200_000_u64)).map(|n| Ok(n * n)).writer(ListWriter::new())))
//!     },
//! )
//! .chunks([1, 100, 1000])
//! .max_lock_time(Duration::from_millis(50))
//! .trial_time(Duration::from_millis(1)) // so short for this page alone
//! .run()
//! .await?;
//!
//! println!("{tuning}"); // a table, bars, the recommendation and its reason
//! tuning.write_svg(&path)?;
//! assert!([1, 100, 1000].contains(&tuning.recommended.chunk));
//! # std::fs::remove_file(path)?;
//! # Ok(())
//! # }
//! ```
//!
//! Without a scratch target, [`Tuner::rolled_back`] rolls back every chunk; what it cannot see is told there.
#![forbid(unsafe_code)]

mod tuner;

mod trial;

mod setting;

mod measurement;
mod memory;
mod recommend;
mod report;
mod runner;
mod search;
mod stats;
mod watch;

pub use report::{Curve, Limits, NotTried, Phases, Point, Recommendation, RetriedChunk, Tuning};
pub use setting::{Dimension, Setting};
pub use stats::{Quantiles, Spread};
pub use trial::Trial;
pub use tuner::{TrialDone, Tuner, Unprepared};
