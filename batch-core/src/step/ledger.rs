//! A step whose rows are in another database: its ledger there comes first, and the repository follows.

use super::run::{Patience, StepRun, demand_ours, patiently, resolve};
use crate::{
    error::{Error, ErrorKind},
    repository::{Commit, CommitError, Request},
    transaction::{LedgerEntry, StepLedger, Transactions},
};

/// Takes the step's ledger, where it has one, and copies the commit that a try before made there and could not record.
///
/// # Errors
/// - `NotOwner`: the execution was taken over.
/// - `NeedsOperator`: ledger and repository cannot have come from each other.
pub(crate) async fn adopt<T: Transactions>(run: &mut StepRun, transactions: &T) -> Result<(), Error> {
    let Some(ledger) = transactions.ledger() else { return Ok(()) };
    match claim(run, ledger).await? {
        Some(entry) => catch_up(run, entry).await,
        None if run.execution.checkpoint.is_start() => Ok(()),
        None => {
            let committed = run.execution.commit_no;
            Err(strangers(
                run,
                &format!("the repository knows {committed} committed chunks, and the database of the rows none of them"),
            ))
        }
    }
}

async fn claim(run: &StepRun, ledger: &dyn StepLedger) -> Result<Option<LedgerEntry>, Error> {
    match patiently(run, || ledger.claim(run.instance, &run.execution)).await {
        Err(error) if error.kind() == ErrorKind::NotOwner => {
            demand_ours(run).await?;
            Err(strangers(run, "the database of the rows knows a later try than the repository").because(error))
        }
        other => other.map_err(|e| run.error(e.kind(), "the ledger in the database of the rows cannot be taken").because(e)),
    }
}

/// Compares the last commit in the ledger with the repository's, and copies it where it is the next one.
async fn catch_up(run: &mut StepRun, entry: LedgerEntry) -> Result<(), Error> {
    let ours = &run.execution;
    let (theirs, read) = (entry.commit_no, ours.checkpoint.read);
    match theirs - ours.commit_no {
        // A pass that begins anew is told apart from the one before by nothing but its first commit.
        ..=0 if ours.checkpoint.is_start() => Ok(()),
        0 if entry.checkpoint.read == read => Ok(()),
        1 if entry.checkpoint.read == read + entry.added.read => adopt_commit(run, entry).await,
        _ => {
            let message = format!(
                "the database of the rows is at commit {theirs} and record {}, the repository at commit {} and record {read}",
                entry.checkpoint.read, ours.commit_no
            );
            Err(strangers(run, &message))
        }
    }
}

async fn adopt_commit(run: &mut StepRun, entry: LedgerEntry) -> Result<(), Error> {
    tracing::info!(commit = entry.commit_no, "a chunk was committed in the other database and not recorded; recording it");
    let mut commit = run.commit(entry.added, entry.checkpoint, entry.context, entry.skips);
    let request = copy(run, &mut commit).await?;
    run.committed(commit);
    crate::failpoint!("ledger.adopted");
    run.obey(request).await
}

fn strangers(run: &StepRun, what: &str) -> Error {
    let advice = "was one of them restored from a backup, or is it another database than before? Restore what belongs together, or \
                  launch with another identifying parameter";
    run.error(ErrorKind::NeedsOperator, format!("{what}: {advice}"))
}

/// Copies a commit that counts in the step's ledger, where it has one, into the repository.
///
/// # Errors
/// - `NotOwner`: the execution was taken over; who took over copies the commit.
/// - `Unavailable`: the repository takes no commit for as long as the lease lasts; a restart copies it.
pub(crate) async fn copied<T: Transactions>(
    run: &mut StepRun,
    transactions: &T,
    commit: &mut Commit,
    request: Option<Request>,
) -> Result<Option<Request>, Error> {
    match transactions.ledger() {
        None => Ok(request),
        Some(_) => copy(run, commit).await,
    }
}

/// Whatever the repository says but "not the owner", the rows are committed: there is nothing to undo, so it is asked again.
async fn copy(run: &mut StepRun, commit: &mut Commit) -> Result<Option<Request>, Error> {
    let mut patience = Patience::new(run);
    loop {
        let error = match run.repository.commit(commit).await {
            Ok(request) => return Ok(request),
            Err(CommitError::NotOwner) => return Err(run.not_owner()),
            Err(CommitError::Refused(error)) => error,
            Err(CommitError::Unknown(error)) => {
                let (more, request) = resolve(run).await?;
                commit.guard = run.guard();
                match more {
                    0 => error,
                    1 => return Ok(request),
                    _ => return Err(run.not_owner()),
                }
            }
        };
        tracing::warn!(%error, "the repository did not take the copy of a committed chunk; trying again");
        if !patience.wait(run).await {
            let message = "the chunk is committed in the other database, but the repository does not take its copy; launch again";
            return Err(run.error(ErrorKind::Unavailable, message).because(error));
        }
    }
}
