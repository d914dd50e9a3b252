//! Where a keyset reader stands.

use crate::reader::value::KeyValue;
use batch_core::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

/// Where a [`Keyset`](crate::Keyset) goes on after a restart: behind the row of this key.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeysetPosition {
    /// The columns of the key and their directions.
    pub(super) order: String,
    /// The key of the last row consumed; none at the beginning.
    pub(super) after: Option<Vec<KeyValue>>,
}

impl KeysetPosition {
    /// The saved position, if it is one of this reader.
    pub(super) fn admit(&self, saved: Self) -> Result<Self> {
        let fits = saved.order == self.order && saved.after.as_ref().is_none_or(|key| key.len() == self.order.split(", ").count());
        if fits {
            return Ok(saved);
        }
        let message = format!(
            "cannot go on: the last run read by the key ({}), this reader reads by ({}); give it the same key, or start a new instance",
            saved.order, self.order
        );
        Err(Error::new(ErrorKind::NeedsOperator, message).into())
    }
}
