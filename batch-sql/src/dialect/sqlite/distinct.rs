//! How far items have keys of their own.

use crate::{
    dialect::target::Target,
    row::{self, Misfit, Others, RowError, Value, Values},
};
use serde::Serialize;
use std::{
    collections::{HashSet, hash_map::RandomState},
    hash::{BuildHasher, Hash, Hasher},
};

/// How many items there are before the first whose key came already.
///
/// Keys that the database finds equal may differ here, such as 1 and '1'; never the other way round, except that two keys are taken for
/// one once in a very long while.
pub(super) fn distinct<T: Serialize>(target: &Target, items: &[T]) -> Result<usize, RowError> {
    let columns: Vec<_> = target.columns.iter().filter(|c| target.action.key().contains(c)).cloned().collect();
    let state = RandomState::new();
    let mut seen = HashSet::with_capacity(items.len());
    for (at, item) in items.iter().enumerate() {
        let mut key = Key(state.build_hasher());
        row::bind(item, &columns, Others::Ignored, &mut key)?;
        if !seen.insert(key.0.finish()) {
            return Ok(at);
        }
    }
    Ok(items.len())
}

/// The hash of a key's values.
struct Key<H>(H);

impl<H: Hasher> Values for Key<H> {
    fn put(&mut self, value: Value<'_>) -> Result<(), Misfit> {
        std::mem::discriminant(&value).hash(&mut self.0);
        match value {
            Value::Null => {}
            Value::Integer(value) => value.hash(&mut self.0),
            Value::Float(value) => value.to_bits().hash(&mut self.0),
            Value::Bool(value) => value.hash(&mut self.0),
            Value::Text(value) => value.hash(&mut self.0),
            Value::Bytes(value) => value.hash(&mut self.0),
        }
        Ok(())
    }
}
