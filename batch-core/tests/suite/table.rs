//! A table of numbers in memory, with transactions that a rollback undoes and locks of single rows, beside a repository.

use batch_core::{
    BoxError, Error, JobRepository, Ledger, Memory, Overlap, Request, Result, Transactions, Transient,
    repository::{Commit, CommitError},
    transaction::{LedgerGuard, LedgerKey, LedgerState},
};
use parking_lot::Mutex;
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};
use tokio::sync::Notify;

/// The database. Clones share the table.
#[derive(Debug, Clone)]
pub struct Table {
    pub memory: Memory,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    unlocked: Notify,
}

#[derive(Debug, Default)]
struct State {
    rows: Vec<u64>,
    open: HashSet<u64>,
    begun: u64,
    most_open: usize,
    locks: HashMap<u64, u64>,
}

/// An open transaction; dropped without an end, it is undone.
#[derive(Debug)]
pub struct TableTx {
    shared: Arc<Shared>,
    id: u64,
    rows: Vec<u64>,
    marks: Vec<usize>,
}

impl Table {
    pub fn new(memory: Memory) -> Self {
        Self { memory, shared: Arc::default() }
    }

    /// What is committed, in the order of the commits.
    pub fn rows(&self) -> Vec<u64> {
        self.shared.state.lock().rows.clone()
    }

    /// Transactions that are open now.
    pub fn open(&self) -> usize {
        self.shared.state.lock().open.len()
    }

    /// Transactions that were open at once at most.
    pub fn most_open(&self) -> usize {
        self.shared.state.lock().most_open
    }

    /// Transactions begun so far.
    pub fn begun(&self) -> u64 {
        self.shared.state.lock().begun
    }

    fn keep(&self, tx: &TableTx) {
        self.shared.state.lock().rows.extend(&tx.rows);
    }
}

impl TableTx {
    pub fn insert(&mut self, row: u64) {
        self.rows.push(row);
    }

    /// Whether the transaction sees the row.
    pub fn has(&self, row: u64) -> bool {
        self.rows.contains(&row) || self.shared.state.lock().rows.contains(&row)
    }

    /// Locks `key` to the end of the transaction; waits while another one has it, and gives way after a second, as one of two does that
    /// wait for each other in a database.
    pub async fn lock(&mut self, key: u64) -> Result<()> {
        let locked = tokio::time::timeout(Duration::from_secs(1), self.locked(key)).await;
        locked.map_err(|_| Transient("deadlock".into()).into())
    }

    async fn locked(&mut self, key: u64) {
        loop {
            let unlocked = self.shared.unlocked.notified();
            let mut unlocked = std::pin::pin!(unlocked);
            unlocked.as_mut().enable();
            if *self.shared.state.lock().locks.entry(key).or_insert(self.id) == self.id {
                return;
            }
            unlocked.await;
        }
    }
}

impl Drop for TableTx {
    fn drop(&mut self) {
        let mut state = self.shared.state.lock();
        state.open.remove(&self.id);
        state.locks.retain(|_, holder| *holder != self.id);
        drop(state);
        self.shared.unlocked.notify_waiters();
    }
}

impl Transactions for Table {
    type Conn = TableTx;
    type Tx = TableTx;

    async fn begin(&self) -> Result<TableTx> {
        let mut state = self.shared.state.lock();
        state.begun += 1;
        let id = state.begun;
        state.open.insert(id);
        state.most_open = state.most_open.max(state.open.len());
        drop(state);
        Ok(TableTx { shared: self.shared.clone(), id, rows: Vec::new(), marks: Vec::new() })
    }

    fn conn(tx: &mut TableTx) -> &mut TableTx {
        tx
    }

    async fn savepoint(&self, tx: &mut TableTx) -> Result<()> {
        tx.marks.push(tx.rows.len());
        Ok(())
    }

    async fn release(&self, tx: &mut TableTx, _: bool) -> Result<()> {
        tx.marks.pop();
        Ok(())
    }

    async fn rollback_to(&self, tx: &mut TableTx) -> Result<()> {
        let mark = tx.marks.pop().ok_or("no savepoint")?;
        tx.rows.truncate(mark);
        Ok(())
    }

    async fn commit(&self, tx: TableTx, commit: &Commit) -> Result<Option<Request>, CommitError> {
        let request = JobRepository::commit(&self.memory, commit).await?;
        self.keep(&tx);
        Ok(request)
    }

    async fn rollback(&self, _: TableTx) -> Result<()> {
        Ok(())
    }

    async fn abandon(&self, _: TableTx) {}

    fn is_transient(&self, error: &BoxError) -> bool {
        self.memory.is_transient(error)
    }

    fn repository(&self) -> Arc<dyn JobRepository> {
        self.memory.repository()
    }

    fn overlap(&self) -> Option<Overlap> {
        Some(Overlap { at_once: 8, idle: Duration::from_secs(20) })
    }
}

impl Ledger for Table {
    async fn claim(&self, key: &LedgerKey, holder: i64) -> Result<LedgerState, Error> {
        self.memory.claim(key, holder).await
    }

    async fn commit_with_ledger(&self, tx: TableTx, guard: &LedgerGuard, entry: &str) -> Result<(), CommitError> {
        self.memory.commit_with_ledger((), guard, entry).await?;
        self.keep(&tx);
        Ok(())
    }
}
