//! Which items may be left out, and how many.

use crate::error::BoxError;
use std::{fmt, sync::Arc};

type Test = Arc<dyn Fn(&BoxError) -> bool + Send + Sync>;

/// How many failing items a step execution may leave out; the three phases share the limit.
///
/// The item after the last allowed one fails the step. Transient errors are never skipped. `on` and `except` choose by error:
/// an error is skippable when `on` holds for it (default: any) and no `except` does.
#[derive(Clone)]
pub struct Skip {
    limit: u64,
    on: Option<Test>,
    except: Vec<Test>,
}

impl Skip {
    /// Nothing is skipped: the default of a step.
    pub const NONE: Self = Self { limit: 0, on: None, except: Vec::new() };

    /// At most so many items.
    pub fn limit(limit: u64) -> Self {
        Self { limit, ..Self::NONE }
    }

    /// Any number of items.
    pub fn unlimited() -> Self {
        Self::limit(u64::MAX)
    }

    /// Skips only errors for which `test` holds; called again, it widens. Walk the causes with [`caused_by`](crate::caused_by).
    #[must_use]
    pub fn on(mut self, test: impl Fn(&BoxError) -> bool + Send + Sync + 'static) -> Self {
        self.on = Some(match self.on {
            None => Arc::new(test),
            Some(before) => Arc::new(move |e| before(e) || test(e)),
        });
        self
    }

    /// Never skips errors for which `test` holds, whatever `on` says.
    #[must_use]
    pub fn except(mut self, test: impl Fn(&BoxError) -> bool + Send + Sync + 'static) -> Self {
        self.except.push(Arc::new(test));
        self
    }

    /// Whether any item may be skipped at all.
    pub fn is_set(&self) -> bool {
        self.limit > 0
    }

    /// Whether an item that failed with `error` may be left out, the limit aside.
    pub fn matches(&self, error: &BoxError) -> bool {
        self.is_set() && self.on.as_ref().is_none_or(|on| on(error)) && !self.except.iter().any(|except| except(error))
    }

    /// Whether so many skips are within the limit.
    pub fn allows(&self, skips: u64) -> bool {
        skips <= self.limit
    }

    /// The limit.
    pub fn max(&self) -> u64 {
        self.limit
    }
}

macro_rules! from {
    ($($number:ty),*) => { $(
        impl From<$number> for Skip {
            fn from(limit: $number) -> Self {
                Self::limit(u64::try_from(limit).unwrap_or(0))
            }
        }
    )* };
}

from!(u64, u32, i32, i64, usize);

impl fmt::Debug for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Skip").field("limit", &self.limit).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::Skip;
    use crate::error::{BoxError, ItemProblem, caused_by};

    #[test]
    fn except_wins_over_on() {
        let skip = Skip::limit(3).on(|e| e.to_string().starts_with('a')).except(|e| e.to_string() == "ab");
        let matches: Vec<_> = ["a", "ab", "b"].map(|t| skip.matches(&BoxError::from(t))).into();
        assert_eq!(matches, [true, false, false]);
    }

    #[test]
    fn causes_are_walked() {
        let skip = Skip::limit(1).on(|e| caused_by::<ItemProblem>(e, |p| p.column == "price"));
        let inner = ItemProblem { column: "price", reason: "negative".into() };
        let outer = crate::Transient(Box::new(inner));
        assert!(skip.matches(&(Box::new(outer) as BoxError)));
    }

    #[test]
    fn nothing_is_skipped_by_default() {
        assert!(!Skip::NONE.matches(&BoxError::from("x")) && Skip::NONE.allows(0) && !Skip::NONE.allows(1));
    }
}
