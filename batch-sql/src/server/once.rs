//! A checkpoint of a step without a transaction around its writer: begun, written and committed in one round trip.

use super::{Kind, kind::Begin, store::ServerStore, transactions::ServerTx};
use crate::{error::is_elsewhere, repository::checkpoint, sql::Link};
use batch_core::{
    Request, failpoint,
    repository::{Commit, CommitError},
};
use std::sync::atomic::Ordering;

/// A connection that the server closed while it lay idle leaves the outcome unknown, as a lost answer does.
pub(super) async fn commit<K: Kind>(
    store: &ServerStore<K>,
    begin: &Begin,
    commit: &Commit,
) -> Result<Option<Request>, CommitError> {
    let lent = store.lend(&store.control, store.wait).await.map_err(checkpoint::not_begun)?;
    let mut tx = ServerTx::at_once(lent);
    let prepares = store.prepares(tx.lent());
    let prepared = prepares || tx.lent().live().prepared;
    let prepare = if prepares { format!("{}; ", checkpoint::prepare(&store.texts)) } else { String::new() };
    let text = format!("{}; {prepare}{}", K::begin(begin), checkpoint::and_commit(&store.texts, commit, prepared));
    store.statements.fetch_add(1, Ordering::Relaxed);
    failpoint!("session.ending");
    let sent = tx.conn().script(text.into()).await;
    failpoint!("session.ended");
    // What was kept stays kept where the guard refuses, since it came first.
    tx.lent().live_mut().prepared = prepared && !sent.as_ref().is_err_and(is_elsewhere);
    match sent {
        Ok(answer) => {
            tx.committed();
            Ok(checkpoint::request(answer.rows.first()).unwrap_or_default())
        }
        Err(error) => Err(store.failed(tx, error).await),
    }
}
