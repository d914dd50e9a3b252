//! Pages by a statement of the user's own.

use super::{Keyset, Paging, Record};
use crate::reader::{
    bound::Bound,
    fault,
    source::{Bind, Fetched, Query, Source, SqlSource},
    statement::Statement,
    text,
    value::KeyValue,
};
use batch_core::{Error, ErrorKind, Result};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::{collections::VecDeque, fmt, sync::Arc};

/// A type of keys that has a least value.
pub trait Lowest {
    /// The least value: no row may have it as its key.
    const LOWEST: Self;
}

impl Lowest for i16 {
    const LOWEST: Self = Self::MIN;
}

impl Lowest for i32 {
    const LOWEST: Self = Self::MIN;
}

impl Lowest for i64 {
    const LOWEST: Self = Self::MIN;
}

/// Pages by a statement of the user's own, and a function that takes the key from an item.
pub struct Own<T, D: Source> {
    sql: String,
    /// Compared with by the first page.
    first: Option<Value>,
    key: Arc<KeyOf<T>>,
    bind: Arc<BindKey<D>>,
}

type KeyOf<T> = dyn Fn(&T) -> Result<Value> + Send + Sync;
type BindKey<D> = dyn Fn(&mut Bound<D>, Value) -> Result<()> + Send + Sync;

impl<T: Send + 'static, D: SqlSource<T>> Keyset<T, D, Own<T, D>> {
    /// Reads pages by `sql`, whose one `?` is the key of the last row, and whose `LIMIT` is the page: as in
    /// `SELECT .. WHERE id > ? ORDER BY id LIMIT 500`. `key` takes the key from an item.
    ///
    /// The first page compares with the least integer. It ends at the first page without a row. Nothing about the key is checked but
    /// that each page gets ahead of the one before; a row that is no `T` has no key, and fails the step. [`Keyset::table`] knows more.
    pub fn new<K>(database: &D, sql: &str, key: impl Fn(&T) -> K + Send + Sync + 'static) -> Self
    where
        D: Bind<K>,
        K: Lowest + Serialize + DeserializeOwned,
    {
        Self::behind(database, sql, K::LOWEST, key)
    }

    /// As [`Self::new`], for keys of any type: the first page compares with `first`, which must come before every key.
    ///
    /// The key is saved as JSON, which must give it back as it was.
    pub fn behind<K>(database: &D, sql: &str, first: K, key: impl Fn(&T) -> K + Send + Sync + 'static) -> Self
    where
        D: Bind<K>,
        K: Serialize + DeserializeOwned,
    {
        let bind = |bound: &mut Bound<D>, value| {
            bound.add(serde_json::from_value::<K>(value)?);
            Ok(())
        };
        let own = Own {
            sql: sql.to_owned(),
            first: serde_json::to_value(first).ok(),
            key: Arc::new(move |item| Ok(serde_json::to_value(key(item))?)),
            bind: Arc::new(bind),
        };
        Self::with(database, own)
    }
}

impl<T: Send + 'static, D: SqlSource<T>> Paging<T, D> for Own<T, D> {
    async fn prepare(&mut self, source: &D) -> Result<()> {
        let places = text::placeholders(source.flavor(), &self.sql);
        if places != 1 {
            let message = format!("the statement has {places} `?` instead of the key's alone: use Keyset::query for more values");
            return Err(fault::mistake(message));
        }
        Ok(())
    }

    fn order(&self) -> String {
        "own".to_owned()
    }

    fn name(&self) -> String {
        "the query".to_owned()
    }

    fn page(&self, source: &D, after: Option<&[KeyValue]>) -> Result<(Query<D>, usize)> {
        let value = match after {
            Some([KeyValue::Own(value)]) => value.clone(),
            Some(_) => return Err(fault::mistake("the saved position is not of this reader")),
            None => self.first.clone().ok_or_else(|| fault::mistake("the first key is nothing that JSON can hold"))?,
        };
        let mut bound = Bound::new(source);
        (self.bind)(&mut bound, value)?;
        bound.check(source, &self.sql)?;
        let mut statement = Statement::with(source, &bound);
        statement.push_own(&self.sql);
        Ok((statement.recurring(), 0))
    }

    fn cut(&self, rows: Vec<Fetched<T>>, after: Option<&[KeyValue]>) -> Result<(VecDeque<Record<T>>, bool)> {
        let mut page = VecDeque::with_capacity(rows.len());
        for Fetched { item, .. } in rows {
            match item {
                Ok(item) => page.push_back(Record { key: vec![KeyValue::Own((self.key)(&item)?)], item: Ok(item) }),
                // Its turn comes when it is the first of a page.
                Err(_) if !page.is_empty() => break,
                Err(error) => {
                    let message = "a row is no item, and so has no key to go on from; Keyset::query can leave such rows out";
                    return Err(Error::new(ErrorKind::Failed, message).because(error).into());
                }
            }
        }
        if page.back().is_some_and(|record| Some(&record.key[..]) == after) {
            return Err(fault::mistake(
                "the statement does not go on behind the key it is given: compare by > or <, and sort by it",
            ));
        }
        let is_last = page.is_empty();
        Ok((page, is_last))
    }
}

impl<T, D: Source> fmt::Debug for Own<T, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Own").field("sql", &self.sql).finish_non_exhaustive()
    }
}
