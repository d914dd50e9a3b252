//! Values that are bound to the repository's statements.

use super::Flavor;
use chrono::{DateTime, SecondsFormat, Utc};
use std::fmt::Write;

/// A value with its type, since a database has to know what a missing value would have been.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    /// A whole number.
    Int(Option<i64>),
    /// A text.
    Text(Option<String>),
    /// A time.
    Time(Option<DateTime<Utc>>),
}

impl Value {
    /// Writes the value as a literal.
    pub(crate) fn literal(&self, flavor: Flavor, text: &mut String) {
        match self {
            Self::Int(None) | Self::Text(None) | Self::Time(None) => text.push_str("NULL"),
            Self::Int(Some(number)) => text.push_str(&number.to_string()),
            Self::Text(Some(value)) => quoted(value, flavor, text),
            Self::Time(Some(time)) => time_literal(*time, flavor, text),
        }
    }
}

fn quoted(value: &str, flavor: Flavor, text: &mut String) {
    match flavor {
        Flavor::Postgres => {
            // The form with E means the same whatever `standard_conforming_strings` says.
            text.push_str("E'");
            for c in value.chars().filter(|c| *c != '\0') {
                if matches!(c, '\'' | '\\') {
                    text.push(c);
                }
                text.push(c);
            }
            text.push('\'');
        }
        // Hexadecimal digits mean the same whatever `sql_mode` says of backslashes.
        Flavor::MySql | Flavor::MariaDb => {
            text.push_str("_utf8mb4 X'");
            for byte in value.bytes() {
                let _ = write!(text, "{byte:02X}");
            }
            text.push('\'');
        }
        Flavor::Sqlite => {
            text.push('\'');
            text.push_str(&value.replace('\'', "''"));
            text.push('\'');
        }
    }
}

fn time_literal(time: DateTime<Utc>, flavor: Flavor, text: &mut String) {
    let _ = match flavor {
        Flavor::Sqlite => write!(text, "'{}'", stored(time)),
        Flavor::Postgres => write!(text, "TIMESTAMPTZ '{}'", stored(time)),
        Flavor::MySql | Flavor::MariaDb => write!(text, "TIMESTAMP '{}'", time.format("%Y-%m-%d %H:%M:%S%.6f")),
    };
}

/// The form of a time where it is stored as a text: UTC, RFC 3339, microseconds; text order is time order.
pub(crate) fn stored(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

macro_rules! from {
    ($($type:ty => $make:expr;)*) => { $(
        impl From<$type> for Value {
            fn from(value: $type) -> Self {
                let make: fn($type) -> Value = $make;
                make(value)
            }
        }
    )* };
}

from! {
    i64 => |v| Value::Int(Some(v));
    Option<i64> => Value::Int;
    u32 => |v| Value::Int(Some(v.into()));
    bool => |v| Value::Int(Some(v.into()));
    String => |v| Value::Text(Some(v));
    Option<String> => Value::Text;
    &str => |v| Value::Text(Some(v.to_owned()));
    &String => |v| Value::Text(Some(v.clone()));
    Option<&str> => |v| Value::Text(v.map(str::to_owned));
    DateTime<Utc> => |v| Value::Time(Some(v));
    Option<DateTime<Utc>> => Value::Time;
}
