//! The process that is killed: tunes the real job, on the real job's database.

use crate::{
    input::Row,
    process::{ARGUMENTS, Worker},
    worker::{Spec, Trouble, open, process},
};
use batch_core::{Error, Job, Parameters, Transactions, failpoint::passages};
use batch_csv::CsvReader;
use batch_sql::{SqlConn, SqlInsert, Sqlite};
use batch_tuner::{Trial, Tuner, Tuning};
use serde::{Deserialize, Serialize};
use std::{fs, num::NonZeroU32, path::PathBuf, process::Command, time::Duration};

const ENV: &str = "BATCH_KILL_TUNER";

/// Where the rows of trials go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Way {
    /// Into a table of their own.
    Committed,
    /// Into the real job's, and none of them stays.
    RolledBack,
}

/// Orders for a tuner.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Orders {
    pub(super) spec: Spec,
    pub(super) way: Way,
    pub(super) passages: Option<PathBuf>,
}

impl Orders {
    /// Starts a tuner; `points` arms failpoints.
    pub(super) fn start(&self, points: &str) -> Worker {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.env(ENV, serde_json::to_string(self).unwrap()).env("BATCH_FAILPOINT", points);
        command.args(ARGUMENTS.map(|word| if word == "worker::child" { "tuner::worker::child" } else { word }));
        Worker::spawn(command)
    }
}

/// Tunes and ends the process with the documented code; in a process that is no tuner, nothing.
#[test]
fn child() {
    let Ok(orders) = std::env::var(ENV) else { return };
    let orders: Orders = serde_json::from_str(&orders).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let tuned = runtime.block_on(tune(&orders));
    if let Some(path) = &orders.passages {
        fs::write(path, serde_json::to_vec(&passages()).unwrap()).unwrap();
    }
    std::process::exit(match tuned {
        Ok(_) => 0,
        Err(error) => {
            eprintln!("{}", error.report());
            error.kind().exit_code().into()
        }
    });
}

async fn tune(Orders { spec, way, .. }: &Orders) -> Result<Tuning, Error> {
    let database = open(spec).await?;
    match way {
        Way::RolledBack => quick(Tuner::rolled_back(&database, |trial| import(trial, spec, "product"))).run().await,
        Way::Committed => {
            let prepare = async |_: &Trial<Sqlite>| {
                sqlx::query("DELETE FROM trial").execute(database.pool()).await?;
                Ok(())
            };
            quick(Tuner::committed(&database, prepare, |trial| import(trial, spec, "trial"))).run().await
        }
    }
}

/// As short as a tuning can be, with the parameters of the real job.
fn quick<D, J, P>(tuner: Tuner<D, J, P>) -> Tuner<D, J, P>
where
    D: Transactions + Clone,
    J: Fn(&Trial<D>) -> Job<D>,
    P: AsyncFn(&Trial<D>) -> batch_core::Result<()>,
{
    let tuner = tuner.chunks([10, 40]).rounds(NonZeroU32::MIN).trial_time(Duration::ZERO).exhaustive().seed(1);
    tuner.parameters(|_| Parameters::new().set("input", "in.csv"))
}

/// The real job's step under the real job's name.
fn import<D: Transactions<Conn: SqlConn> + Clone>(trial: &Trial<D>, spec: &Spec, table: &'static str) -> Job<D> {
    let (size, input) = (trial.chunk(), spec.folder.join("in.csv"));
    Job::new("kill", trial.database()).step("load", move |s| {
        Ok(s.chunk(size, CsvReader::<Row>::open(&input))
            .filter(|row| row.kind != "gone")
            .map(|row| process(row, Trouble::None))
            .writer(SqlInsert::into(table))
            .skip(100_000))
    })
}
