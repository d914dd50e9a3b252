//! The parameters of a run.

use batch_core::{Parameters, Result};
use std::time::{SystemTime, UNIX_EPOCH};

/// Parameters that no run had before.
pub fn fresh() -> Result<Parameters> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    Ok(Parameters::new().set("run", i64::try_from(now.as_nanos())?))
}
