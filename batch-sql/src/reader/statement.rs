//! A statement while it is put together.

use super::{
    bound::Bound,
    source::{Query, Source},
    text::{Piece, pieces},
    value::KeyValue,
};
use crate::sql::Flavor;
use batch_core::Result;

/// SQL and its values. The user's own SQL comes before values of ours, so that `?` and values keep their order.
pub(super) struct Statement<D: Source> {
    flavor: Flavor,
    sql: String,
    arguments: D::Arguments,
    /// Values bound, the user's included.
    count: usize,
    /// Placeholders of the user's SQL so far.
    placed: usize,
}

impl<D: Source> Statement<D> {
    /// An empty statement.
    pub(super) fn new(source: &D) -> Self {
        Self::with(source, &Bound::new(source))
    }

    /// An empty statement of which the user bound the first values.
    pub(super) fn with(source: &D, bound: &Bound<D>) -> Self {
        Self { flavor: source.flavor(), sql: String::new(), arguments: bound.arguments.clone(), count: bound.count, placed: 0 }
    }

    /// The dialect.
    pub(super) fn flavor(&self) -> Flavor {
        self.flavor
    }

    /// Adds SQL of ours.
    pub(super) fn push(&mut self, sql: &str) -> &mut Self {
        self.sql.push_str(sql);
        self
    }

    /// Adds SQL of the user's, with the placeholders of its database; a line of its own keeps a comment at its end from going on.
    pub(super) fn push_own(&mut self, sql: &str) -> &mut Self {
        for piece in pieces(self.flavor, sql) {
            match piece {
                Piece::Text(text) | Piece::Word(text) => self.sql.push_str(text),
                Piece::Question => self.sql.push('?'),
                Piece::Placeholder => {
                    self.placed += 1;
                    self.sql.push_str(&self.flavor.placeholder(self.placed));
                }
            }
        }
        self.push("\n")
    }

    /// Adds a value of a key, as the column's type `own` where the database takes a text for it.
    pub(super) fn push_key(&mut self, value: &KeyValue, own: Option<&str>) -> Result<&mut Self> {
        D::add_key(&mut self.arguments, value)?;
        let place = self.place();
        let typed = match (value, own) {
            (KeyValue::Decimal(number), _) => {
                let decimals = number.split_once('.').map_or(0, |(_, decimals)| decimals.len());
                format!("CAST({place} AS DECIMAL(65, {decimals}))")
            }
            (_, Some(own)) => format!("CAST({place} AS {own})"),
            (_, None) => place,
        };
        Ok(self.push(&typed))
    }

    /// Adds an integer.
    pub(super) fn push_integer(&mut self, value: i64) -> Result<&mut Self> {
        D::add_integer(&mut self.arguments, value)?;
        let place = self.place();
        Ok(self.push(&place))
    }

    /// Adds a text.
    pub(super) fn push_text(&mut self, value: &str) -> Result<&mut Self> {
        D::add_text(&mut self.arguments, value)?;
        let place = self.place();
        Ok(self.push(&place))
    }

    fn place(&mut self) -> String {
        self.count += 1;
        self.flavor.placeholder(self.count)
    }

    /// A statement that comes again and again.
    pub(super) fn recurring(self) -> Query<D> {
        Query { sql: self.sql, arguments: self.arguments, recurs: true }
    }

    /// A statement that comes once.
    pub(super) fn once(self) -> Query<D> {
        Query { sql: self.sql, arguments: self.arguments, recurs: false }
    }
}
