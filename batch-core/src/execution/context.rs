//! The user's own saved data.

use crate::error::Result;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::collections::BTreeMap;

/// Values that a step saves with its commits, and that a restart and later steps read.
///
/// A value set in a turn or chunk that is rolled back is gone with it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Context(BTreeMap<String, Value>);

impl Context {
    /// Saves `value` under `key`.
    ///
    /// # Errors
    /// The value does not serialise to JSON.
    pub fn set(&mut self, key: &str, value: impl Serialize) -> Result<()> {
        self.0.insert(key.to_owned(), serde_json::to_value(value)?);
        Ok(())
    }

    /// Reads the value under `key`.
    ///
    /// # Errors
    /// No such key, or the saved value is not a `V`.
    pub fn get<V: DeserializeOwned>(&self, key: &str) -> Result<V> {
        let value = self.0.get(key).ok_or_else(|| format!("no value {key:?} in the execution context"))?;
        V::deserialize(value).map_err(|e| format!("value {key:?} of the execution context: {e}").into())
    }

    /// Whether a value is saved under `key`.
    pub fn contains(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// Forgets the value under `key`.
    pub fn remove(&mut self, key: &str) {
        self.0.remove(key);
    }

    /// Whether nothing is saved.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes over all values of `other`; its values win.
    pub fn merge(&mut self, other: &Context) {
        self.0.extend(other.0.iter().map(|(k, v)| (k.clone(), v.clone())));
    }
}
