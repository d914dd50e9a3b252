//! A database server in memory, of which a crash takes back the commits that did not wait for its disk.

use crate::{
    BatchStatus, BoxError, Error, JobExplorer, JobRepository, Locks, Memory, Page, Request, Result, StepExecution, Transactions,
    Transient, UnitRecord, caused_by,
    repository::{
        Commit, CommitError, Guard, JobEnd, Launch, Launched, Lease, Purge, Purged, Resolved, StepEnd, StepStart, StepStarted,
        UnitStart,
    },
};
use async_trait::async_trait;
use parking_lot::Mutex;
use std::sync::Arc;

/// When the server crashes: at the nth call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    /// No transaction begins.
    Begin(usize),
    /// The commit is not done, and nobody says so.
    Commit(usize),
    /// The commit is done, but its answer is lost.
    Committed(usize),
    /// The commit is done and answered, and the connection is made anew before anybody notices.
    Quietly(usize),
    /// Just before the end of the step is recorded.
    End,
}

#[derive(Debug, Clone)]
pub(super) struct Server {
    memory: Memory,
    disk: Arc<Mutex<Disk>>,
    /// Whether commits wait for the disk.
    waits: bool,
}

#[derive(Debug)]
struct Disk {
    rows: Vec<u32>,
    /// How it was before each commit that is not on the disk yet.
    before: Vec<Before>,
    crash: Option<(At, usize)>,
    begins: usize,
    commits: usize,
    /// Says that commits are on the disk when they are not.
    lies: bool,
}

#[derive(Debug)]
struct Before {
    rows: usize,
    skips: usize,
    step: StepExecution,
}

/// The rows as a transaction sees them.
#[derive(Debug)]
pub(super) struct Table {
    rows: Vec<u32>,
    committed: usize,
    mark: usize,
}

impl Table {
    pub(super) fn insert(&mut self, row: u32) {
        self.rows.push(row);
    }

    pub(super) fn has(&self, row: u32) -> bool {
        self.rows.contains(&row)
    }
}

impl Server {
    /// A server that crashes once, and then has lost up to so many commits.
    pub(super) fn crashing(at: At, loses: usize) -> Self {
        let disk = Disk { rows: Vec::new(), before: Vec::new(), crash: Some((at, loses)), begins: 0, commits: 0, lies: false };
        Self { memory: Memory::new(), disk: Arc::new(Mutex::new(disk)), waits: true }
    }

    pub(super) fn whose_disk_lies(self) -> Self {
        self.disk.lock().lies = true;
        self
    }

    pub(super) fn rows(&self) -> Vec<u32> {
        self.disk.lock().rows.clone()
    }

    /// How many commits a crash would take back now.
    pub(super) fn at_risk(&self) -> usize {
        self.disk.lock().before.len()
    }

    fn crashes(&self, at: At) -> bool {
        let mut disk = self.disk.lock();
        let Some((_, loses)) = disk.crash.take_if(|(when, _)| *when == at) else { return false };
        for _ in 0..loses {
            let Some(before) = disk.before.pop() else { break };
            disk.rows.truncate(before.rows);
            self.memory.set_back(before.step, before.skips);
        }
        disk.before.clear();
        true
    }

    async fn before(&self, commit: &Commit) -> Before {
        let explorer = self.memory.explorer();
        let steps = explorer.steps(commit.guard.lease.execution).await.unwrap();
        let step = steps.into_iter().find(|s| s.id == commit.guard.step).unwrap();
        let skips = explorer.skips(step.id, Page::all()).await.unwrap().len();
        Before { rows: self.rows().len(), skips, step }
    }

    fn begins(&self) -> usize {
        let mut disk = self.disk.lock();
        disk.begins += 1;
        disk.begins
    }

    fn commits(&self) -> usize {
        let mut disk = self.disk.lock();
        disk.commits += 1;
        disk.commits
    }

    fn all_on_disk(&self) {
        let mut disk = self.disk.lock();
        if !disk.lies {
            disk.before.clear();
        }
    }
}

fn gone() -> BoxError {
    Transient("the server closed the connection".into()).into()
}

impl Transactions for Server {
    type Conn = Table;
    type Tx = Table;

    async fn begin(&self) -> Result<Table> {
        if self.crashes(At::Begin(self.begins())) {
            return Err(gone());
        }
        let rows = self.rows();
        Ok(Table { committed: rows.len(), mark: rows.len(), rows })
    }

    fn conn(tx: &mut Table) -> &mut Table {
        tx
    }

    async fn savepoint(&self, tx: &mut Table) -> Result<()> {
        tx.mark = tx.rows.len();
        Ok(())
    }

    async fn release(&self, _: &mut Table, _: bool) -> Result<()> {
        Ok(())
    }

    async fn rollback_to(&self, tx: &mut Table) -> Result<()> {
        tx.rows.truncate(tx.mark);
        Ok(())
    }

    async fn commit(&self, mut tx: Table, commit: &Commit) -> Result<Option<Request>, CommitError> {
        let nth = self.commits();
        if self.crashes(At::Commit(nth)) {
            return Err(CommitError::Unknown(gone()));
        }
        let before = self.before(commit).await;
        let request = JobRepository::commit(&self.memory, commit).await?;
        {
            let mut disk = self.disk.lock();
            disk.rows.extend(tx.rows.drain(tx.committed..));
            disk.before.push(before);
        }
        if self.waits {
            self.all_on_disk();
        }
        if self.crashes(At::Committed(nth)) {
            return Err(CommitError::Unknown(gone()));
        }
        self.crashes(At::Quietly(nth));
        Ok(request)
    }

    async fn rollback(&self, _: Table) -> Result<()> {
        Ok(())
    }

    async fn abandon(&self, _: Table) {}

    fn is_transient(&self, error: &BoxError) -> bool {
        caused_by::<Transient>(error, |_| true)
    }

    fn repository(&self) -> Arc<dyn JobRepository> {
        Arc::new(self.clone())
    }

    fn relaxed(&self) -> Option<Self> {
        Some(Self { waits: false, ..self.clone() })
    }
}

/// Every call but the reading ones waits for the disk.
#[async_trait]
impl JobRepository for Server {
    async fn id(&self) -> Result<String, Error> {
        self.memory.id().await
    }

    async fn launch(&self, launch: &Launch) -> Result<Launched, Error> {
        self.memory.launch(launch).await
    }

    async fn start_step(&self, start: &StepStart) -> Result<StepStarted, Error> {
        self.memory.start_step(start).await
    }

    async fn commit(&self, commit: &Commit) -> Result<Option<Request>, CommitError> {
        JobRepository::commit(&self.memory, commit).await
    }

    async fn start_unit(&self, start: &UnitStart) -> Result<UnitRecord, Error> {
        self.memory.start_unit(start).await
    }

    async fn find_units(&self, instance: i64, step: &str, keys: &[String]) -> Result<Vec<UnitRecord>, Error> {
        self.memory.find_units(instance, step, keys).await
    }

    async fn resolve(&self, guard: &Guard) -> Result<Resolved, Error> {
        let resolved = self.memory.resolve(guard).await?;
        self.all_on_disk();
        Ok(resolved)
    }

    async fn end_step(&self, end: &StepEnd) -> Result<(), Error> {
        self.crashes(At::End);
        self.memory.end_step(end).await?;
        self.all_on_disk();
        Ok(())
    }

    async fn end_job(&self, end: &JobEnd) -> Result<(), Error> {
        self.memory.end_job(end).await
    }

    async fn renew(&self, lease: &Lease) -> Result<Option<Request>, Error> {
        self.memory.renew(lease).await
    }

    async fn request(&self, execution: i64, request: Option<Request>) -> Result<(), Error> {
        self.memory.request(execution, request).await
    }

    async fn abandon(&self, execution: i64) -> Result<BatchStatus, Error> {
        JobRepository::abandon(&self.memory, execution).await
    }

    async fn purge(&self, purge: &Purge) -> Result<Purged, Error> {
        self.memory.purge(purge).await
    }

    fn locks(&self) -> Arc<dyn Locks> {
        self.memory.locks()
    }

    fn explorer(&self) -> Arc<dyn JobExplorer> {
        self.memory.explorer()
    }
}
