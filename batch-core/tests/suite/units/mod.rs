//! Steps of units of work: a small transaction for each user.

mod faults;
mod keys;
mod locks;
mod outcomes;
mod schedules;

use batch_core::{
    Error, Job, JobExecution, JobExplorer, ListReader, Memory, Page, Parameters, Result, Scope, Step, StepExecution, StopHandle,
    Transactions, Transient, UnitFn, UnitRecord, UnitStatus, UnitStep,
};
use parking_lot::Mutex;
use std::{collections::HashMap, fmt::Write, sync::Arc};

/// How a user's statistics fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fails {
    /// By an error of the data.
    Badly,
    /// Transiently.
    Busy,
    Panics,
}

/// Users 0..n, of whom some fail, and who was tried; clones share it.
#[derive(Clone, Default)]
pub struct Users {
    count: i64,
    faults: Arc<Mutex<HashMap<i64, (Fails, usize)>>>,
    tried: Arc<Mutex<Vec<i64>>>,
}

impl Users {
    pub fn new(count: i64) -> Self {
        Self { count, ..Self::default() }
    }

    /// Lets the first `times` attempts of `user` fail.
    pub fn fails(self, user: i64, how: Fails, times: usize) -> Self {
        self.faults.lock().insert(user, (how, times));
        self
    }

    pub fn heal(&self) {
        self.faults.lock().clear();
    }

    /// Who was tried since the last look.
    pub fn tried(&self) -> Vec<i64> {
        std::mem::take(&mut self.tried.lock())
    }

    pub fn keys(&self) -> ListReader<i64> {
        ListReader::new((0..self.count).collect::<Vec<_>>())
    }

    /// What one attempt does.
    pub async fn meet(&self, user: i64) -> Result<()> {
        self.tried.lock().push(user);
        tokio::task::yield_now().await;
        let fault = {
            let mut faults = self.faults.lock();
            faults.get_mut(&user).filter(|(_, left)| *left > 0).map(|(how, left)| {
                *left -= 1;
                *how
            })
        };
        match fault {
            None => Ok(()),
            Some(Fails::Badly) => Err(format!("user {user} has no account").into()),
            Some(Fails::Busy) => Err(Transient(format!("user {user} is busy").into()).into()),
            Some(Fails::Panics) => panic!("user {user}"),
        }
    }

    pub fn work(&self) -> impl for<'a> UnitFn<'a, (), i64> + use<> + 'static {
        let users = self.clone();
        async move |_: &mut (), user: i64| users.meet(user).await
    }

    pub fn step<D: Transactions<Conn = ()> + Clone>(
        &self,
        s: &Scope<D>,
    ) -> UnitStep<ListReader<i64>, D, impl for<'a> UnitFn<'a, (), i64> + use<D> + 'static> {
        s.units(self.keys(), self.work())
    }

    pub fn job<D: Transactions<Conn = ()> + Clone, S: Step>(
        &self,
        database: &D,
        make: impl Fn(&Self, &Scope<D>) -> S + Send + Sync + 'static,
    ) -> Job<D> {
        let users = self.clone();
        Job::new("statistics", database).step("users", move |s| Ok(make(&users, s)))
    }
}

/// What became of a run that has an execution.
pub struct Ran {
    pub execution: JobExecution,
    pub units: Vec<UnitRecord>,
}

pub async fn run<D: Transactions + Clone>(job: &Job<D>, memory: &Memory) -> Ran {
    run_with(job, memory, &StopHandle::new()).await
}

pub async fn run_with<D: Transactions + Clone>(job: &Job<D>, memory: &Memory, stop: &StopHandle) -> Ran {
    let run = job.launch(Parameters::new().set("month", "2026-03")).stop_handle(stop).run().await;
    check(run.unwrap(), memory).await
}

/// A run that ended with an error that has an exit code of its own.
pub async fn refused<D: Transactions + Clone>(job: &Job<D>) -> Error {
    job.run(Parameters::new().set("month", "2026-03")).await.unwrap_err()
}

/// What must be true after every run.
pub async fn check(execution: JobExecution, memory: &Memory) -> Ran {
    let instance = execution.instance.id;
    for execution in memory.executions(instance).await.unwrap() {
        for step in memory.steps(execution.id).await.unwrap() {
            check_step(&step, memory).await;
        }
    }
    let units = memory.units(instance, "users", None, Page::all()).await.unwrap();
    Ran { execution: memory.execution(execution.id).await.unwrap(), units }
}

async fn check_step(step: &StepExecution, memory: &Memory) {
    let counts = step.counts;
    assert!(counts.is_balanced(), "{counts:?}");
    assert_eq!((counts.commits, counts.skips()), (counts.read, counts.process_skips), "{counts:?}");
    let skips = memory.skips(step.id, Page::all()).await.unwrap();
    assert_eq!(counts.skips(), skips.len() as u64, "one record a failure");
}

impl Ran {
    /// Status and counts of the step, zeros left out: `FAILED R=5 W=4 SP=1`.
    pub fn tells(&self) -> String {
        let counts = self.step().counts;
        let mut text = self.execution.status.to_string();
        for (name, count) in [("R", counts.read), ("W", counts.written), ("SP", counts.process_skips)] {
            if count > 0 {
                let _ = write!(text, " {name}={count}");
            }
        }
        text
    }

    pub fn step(&self) -> &StepExecution {
        self.execution.steps.last().unwrap()
    }

    pub fn message(&self) -> &str {
        &self.execution.exit_status.message
    }

    /// The units of a status and how often each was tried: `1x2 3x1`.
    pub fn log(&self, status: UnitStatus) -> String {
        let units = self.units.iter().filter(|unit| unit.status == status);
        units.map(|unit| format!("{}x{}", unit.key, unit.attempts)).collect::<Vec<_>>().join(" ")
    }
}
