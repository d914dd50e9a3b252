//! MySQL's values: the server makes of them what their column is, but for the few that it reads otherwise than they are meant.

use super::table::{Column, Facts};
use crate::{
    dialect::moment,
    row::{Misfit, Value, Values},
};
use chrono::{NaiveDateTime, TimeDelta};
use sqlx::{Arguments, Encode, MySql, Type, mysql::MySqlArguments};

/// What is done with a text before it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Nothing.
    Plain,
    /// A `datetime`, which has no zone: kept in UTC.
    Moment,
    /// A `timestamp`, read in the session's zone: not UTC.
    Shifted,
}

impl Meaning {
    pub(super) fn of(column: &Column, facts: &Facts) -> Self {
        match column.type_name.as_str() {
            "datetime" => Self::Moment,
            "timestamp" if facts.is_utc() => Self::Moment,
            "timestamp" => Self::Shifted,
            _ => Self::Plain,
        }
    }

    /// A value as it is sent.
    fn fit(self, value: Value<'_>) -> Result<Fitted<'_>, Misfit> {
        let text = match value {
            Value::Float(number) if number.is_infinite() => return Misfit::refused("is infinite, which MySQL cannot store"),
            Value::Text(text) if self != Self::Plain => text,
            other => return Ok(Fitted::Value(other)),
        };
        let Some((moment, offset)) = moment::moment(text).and_then(|moment| Some((moment, moment.offset?))) else {
            return Ok(Fitted::Value(value));
        };
        if self == Self::Shifted {
            return Misfit::refused(
                "holds a time with a zone, which its column of type timestamp would take as the session's: set its time_zone to '+00:00'",
            );
        }
        Ok(Fitted::Utc(NaiveDateTime::new(moment.date, moment.time) - TimeDelta::seconds(offset.into())))
    }
}

/// A value as the server is to read it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fitted<'v> {
    Value(Value<'v>),
    /// Of a time with a zone, which the server refuses to read as a text.
    Utc(NaiveDateTime),
}

/// The values of a block of rows, in the order of its placeholders.
pub(super) struct Row<'a> {
    meanings: &'a [Meaning],
    next: usize,
    pub(super) arguments: MySqlArguments,
    /// About how many they are.
    pub(super) bytes: u64,
}

impl<'a> Row<'a> {
    pub(super) fn new(meanings: &'a [Meaning], rows: usize) -> Self {
        let mut arguments = MySqlArguments::default();
        arguments.reserve(rows * meanings.len(), rows * meanings.len() * 12);
        Self { meanings, next: 0, arguments, bytes: 0 }
    }
}

impl Values for Row<'_> {
    fn put(&mut self, value: Value<'_>) -> Result<(), Misfit> {
        let meaning = self.meanings[self.next];
        self.next = (self.next + 1) % self.meanings.len();
        let fitted = meaning.fit(value)?;
        self.bytes += size(fitted);
        bind(&mut self.arguments, fitted);
        Ok(())
    }
}

/// A row's values, kept to be sent more than once or in another order.
#[derive(Debug)]
pub(super) struct Kept<'a> {
    meanings: &'a [Meaning],
    pub(super) values: Vec<Own>,
}

/// A value of its own.
#[derive(Debug, Clone)]
pub(super) enum Own {
    Null,
    Integer(i64),
    Float(f64),
    Bool(bool),
    Text(String),
    Bytes(Vec<u8>),
    Utc(NaiveDateTime),
}

impl<'a> Kept<'a> {
    pub(super) fn new(meanings: &'a [Meaning]) -> Self {
        Self { meanings, values: Vec::with_capacity(meanings.len()) }
    }
}

impl Values for Kept<'_> {
    fn put(&mut self, value: Value<'_>) -> Result<(), Misfit> {
        self.values.push(match self.meanings[self.values.len()].fit(value)? {
            Fitted::Utc(moment) => Own::Utc(moment),
            Fitted::Value(Value::Null) => Own::Null,
            Fitted::Value(Value::Integer(value)) => Own::Integer(value),
            Fitted::Value(Value::Float(value)) => Own::Float(value),
            Fitted::Value(Value::Bool(value)) => Own::Bool(value),
            Fitted::Value(Value::Text(value)) => Own::Text(value.to_owned()),
            Fitted::Value(Value::Bytes(value)) => Own::Bytes(value.to_vec()),
        });
        Ok(())
    }
}

impl Own {
    pub(super) fn fitted(&self) -> Fitted<'_> {
        Fitted::Value(match self {
            Self::Null => Value::Null,
            Self::Integer(value) => Value::Integer(*value),
            Self::Float(value) => Value::Float(*value),
            Self::Bool(value) => Value::Bool(*value),
            Self::Text(value) => Value::Text(value),
            Self::Bytes(value) => Value::Bytes(value),
            Self::Utc(moment) => return Fitted::Utc(*moment),
        })
    }
}

/// Adds a value for the next placeholder.
pub(super) fn bind(arguments: &mut MySqlArguments, fitted: Fitted<'_>) {
    match fitted {
        Fitted::Utc(moment) => add(arguments, moment),
        Fitted::Value(Value::Null) => add(arguments, None::<i64>),
        Fitted::Value(Value::Integer(value)) => add(arguments, value),
        Fitted::Value(Value::Float(value)) => add(arguments, value),
        Fitted::Value(Value::Bool(value)) => add(arguments, value),
        Fitted::Value(Value::Text(value)) => add(arguments, value),
        Fitted::Value(Value::Bytes(value)) => add(arguments, value),
    }
}

/// Bytes of a value with its type and length, at most.
pub(super) fn size(fitted: Fitted<'_>) -> u64 {
    let content = match fitted {
        Fitted::Value(Value::Text(value)) => value.len(),
        Fitted::Value(Value::Bytes(value)) => value.len(),
        _ => 12,
    };
    content as u64 + 12
}

/// Numbers, texts and bytes always encode.
fn add<'t, T: Encode<'t, MySql> + Type<MySql>>(arguments: &mut MySqlArguments, value: T) {
    let _ = Arguments::add(arguments, value);
}
