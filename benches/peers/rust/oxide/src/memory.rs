//! Transactions of w4m, which keeps nothing, and what a chunk saves.

use oxide_batch::*;
use std::sync::Arc;

pub struct NoTx;

impl ChunkTransaction for NoTx {
    fn business_transaction(&mut self) -> Option<&mut dyn BusinessTransaction> {
        None
    }
    fn commit(
        &mut self,
        _c: ChunkCounts,
        _f: ChunkFaultProgress,
    ) -> BoxFuture<'_, Result<ChunkCommitReceipt, ChunkTransactionError>> {
        Box::pin(async { receipt(0).map_err(|_| ChunkTransactionError::NotCommitted) })
    }
    fn rollback(&mut self) -> BoxFuture<'_, Result<(), ChunkTransactionError>> {
        Box::pin(async { Ok(()) })
    }
}

pub struct NoTxs;

impl ChunkTransactionManager for NoTxs {
    fn begin(&self) -> BoxFuture<'_, Result<Box<dyn ChunkTransaction + '_>, ChunkTransactionError>> {
        Box::pin(async { Ok(Box::new(NoTx) as Box<dyn ChunkTransaction>) })
    }
}

pub const CONTEXT: &[u8] =
    br#"{"format":"oxide-batch.execution-context","format_version":1,"schema":"bench.context","schema_version":1,"payload":{}}"#;

pub fn receipt(pos: u64) -> Result<ChunkCommitReceipt, PostgresChunkStateError> {
    let c = format!(
        r#"{{"format":"oxide-batch.checkpoint","format_version":1,"schema":"bench.position","schema_version":1,"payload":{{"position":{pos}}}}}"#
    );
    let c = Checkpoint::from_json(c.as_bytes(), StateLimits::default()).map_err(|_| PostgresChunkStateError::new())?;
    let x = ExecutionContext::from_json(CONTEXT, StateLimits::default()).map_err(|_| PostgresChunkStateError::new())?;
    Ok(ChunkCommitReceipt::new(c, x))
}

pub fn state() -> Arc<dyn PostgresChunkStateProvider> {
    Arc::new(|done: ExecutionCounts, c: ChunkCounts| receipt(done.read() + c.read().get()))
}
