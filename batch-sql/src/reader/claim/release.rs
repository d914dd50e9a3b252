//! Gives back what is claimed by steps that are over.

use super::plan::Plan;
use crate::reader::{
    fault,
    source::{Query, Source},
    statement::Statement,
};
use batch_core::{ErrorKind, JobExplorer, Result};

/// Releases the pending rows claimed by steps that are over; says how many.
pub(super) async fn closed<D: Source>(source: &D, plan: &Plan<D>, explorer: &dyn JobExplorer) -> Result<u64> {
    let mut released = 0;
    for owner in owners(source, plan).await? {
        if owner != plan.owner && is_closed(&owner, explorer).await? {
            released += release(source, plan, &owner).await?;
        }
    }
    Ok(released)
}

/// Releases this step's own.
pub(super) async fn own<D: Source>(source: &D, plan: &Plan<D>) -> Result<u64> {
    release(source, plan, &plan.owner).await
}

/// Who claims pending rows.
async fn owners<D: Source>(source: &D, plan: &Plan<D>) -> Result<Vec<String>> {
    let mark = plan.relation.column(source.flavor(), &plan.mark);
    let mut statement = Statement::with(source, &plan.relation.bound);
    statement.push(&format!("SELECT DISTINCT {mark} FROM "));
    plan.relation.push_source(&mut statement, source.flavor());
    plan.relation.push_filter(&mut statement);
    statement.push(&format!(" AND {mark} IS NOT NULL"));
    let what = plan.relation.name();
    let mut conn = source.acquire().await.map_err(|e| fault::reading(&what, e))?;
    let rows = D::texts(&mut conn, statement.once()).await.map_err(|e| fault::reading(&what, e))?;
    Ok(rows.into_iter().flatten().flatten().collect())
}

/// Whether the repository knows the step and says that it is over. One that it does not know may be another repository's.
async fn is_closed(owner: &str, explorer: &dyn JobExplorer) -> Result<bool> {
    let Some((execution, step)) = owner.split_once('/') else { return Ok(false) };
    let (Ok(execution), Ok(step)) = (execution.parse(), step.parse::<i64>()) else { return Ok(false) };
    match explorer.execution(execution).await {
        Ok(execution) => Ok(execution.steps.iter().any(|s| s.id == step && !s.status.is_active())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error.into()),
    }
}

async fn release<D: Source>(source: &D, plan: &Plan<D>, owner: &str) -> Result<u64> {
    let what = plan.relation.name();
    let mut conn = source.acquire().await.map_err(|e| fault::reading(&what, e))?;
    D::execute(&mut conn, statement(source, plan, owner)?).await.map_err(|e| fault::reading(&what, e))
}

fn statement<D: Source>(source: &D, plan: &Plan<D>, owner: &str) -> Result<Query<D>> {
    let flavor = source.flavor();
    let mut statement = Statement::with(source, &plan.relation.bound);
    statement.push("UPDATE ").push(&flavor.quoted(&plan.table)).push(" SET ").push(&flavor.quoted(&plan.mark)).push(" = NULL");
    plan.relation.push_filter(&mut statement);
    statement.push(&format!(" AND {} = ", plan.relation.column(flavor, &plan.mark))).push_text(owner)?;
    Ok(statement.once())
}
