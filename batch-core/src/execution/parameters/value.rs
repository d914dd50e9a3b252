//! Typed parameter values.

use chrono::{NaiveDate, NaiveDateTime, Timelike};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A parameter's value, of one of the types that Spring Batch knows, a list of strings, or a secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "value", rename_all = "lowercase")]
pub enum ParameterValue {
    /// `java.lang.String`
    String(String),
    /// `java.lang.Long`
    Long(i64),
    /// `java.lang.Double`
    Double(f64),
    /// `java.lang.Boolean`
    Boolean(bool),
    /// `java.time.LocalDate`
    Date(NaiveDate),
    /// `java.time.LocalDateTime`
    DateTime(NaiveDateTime),
    /// Several strings; in the job key a `java.lang.String` that holds their JSON array.
    List(Vec<String>),
    /// A value that leaves the process nowhere.
    #[serde(skip)]
    Secret(Secret),
}

impl ParameterValue {
    /// The Java class named in the job key.
    pub fn java_class(&self) -> &'static str {
        match self {
            Self::String(_) | Self::List(_) | Self::Secret(_) => "java.lang.String",
            Self::Long(_) => "java.lang.Long",
            Self::Double(_) => "java.lang.Double",
            Self::Boolean(_) => "java.lang.Boolean",
            Self::Date(_) => "java.time.LocalDate",
            Self::DateTime(_) => "java.time.LocalDateTime",
        }
    }

    pub(super) fn to_json(&self) -> serde_json::Value {
        match self {
            Self::String(v) => v.as_str().into(),
            Self::Long(v) => (*v).into(),
            Self::Double(v) => (*v).into(),
            Self::Boolean(v) => (*v).into(),
            Self::Date(v) => serde_json::json!(v),
            Self::DateTime(v) => serde_json::json!(v),
            Self::List(v) => v.as_slice().into(),
            Self::Secret(v) => v.reveal().into(),
        }
    }
}

/// What Java's `toString` prints, since the job key holds it; a secret shows as `***`.
impl fmt::Display for ParameterValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::String(v) => f.write_str(v),
            Self::Long(v) => v.fmt(f),
            Self::Double(v) => f.write_str(&java_double(*v)),
            Self::Boolean(v) => v.fmt(f),
            Self::Date(v) => v.fmt(f),
            Self::DateTime(v) => f.write_str(&java_time(*v)),
            Self::List(v) => f.write_str(&serde_json::json!(v).to_string()),
            Self::Secret(_) => f.write_str("***"),
        }
    }
}

/// `Double.toString`: plain notation from 10^-3 to 10^7, else one digit before the point and an exponent.
fn java_double(v: f64) -> String {
    let size = v.abs();
    if v.is_nan() {
        return "NaN".to_owned();
    }
    if v.is_infinite() {
        return if v > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    if size == 0.0 || (1e-3..1e7).contains(&size) {
        return format!("{v:?}");
    }
    let text = format!("{v:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let point = if digits.contains('.') { "" } else { ".0" };
    format!("{digits}{point}E{exponent}")
}

/// `LocalDateTime.toString`: seconds only where they are not 0, fractions in groups of three digits.
fn java_time(v: NaiveDateTime) -> String {
    let nanos = v.nanosecond();
    let format = match (v.second(), nanos) {
        (0, 0) => "%Y-%m-%dT%H:%M",
        (_, 0) => "%Y-%m-%dT%H:%M:%S",
        (_, n) if n % 1_000_000 == 0 => "%Y-%m-%dT%H:%M:%S%.3f",
        (_, n) if n % 1_000 == 0 => "%Y-%m-%dT%H:%M:%S%.6f",
        _ => "%Y-%m-%dT%H:%M:%S%.9f",
    };
    v.format(format).to_string()
}

/// A string that `Debug`, `Display` and serialisation do not show.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(String);

impl Secret {
    pub(super) fn new(value: String) -> Self {
        Self(value)
    }

    /// The value itself, for the component that needs it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

macro_rules! from {
    ($($source:ty => |$v:ident| $value:expr;)*) => { $(
        impl From<$source> for ParameterValue {
            fn from($v: $source) -> Self { $value }
        }
    )* };
}

from! {
    &str => |v| Self::String(v.to_owned());
    String => |v| Self::String(v);
    i64 => |v| Self::Long(v);
    i32 => |v| Self::Long(v.into());
    u32 => |v| Self::Long(v.into());
    f64 => |v| Self::Double(v);
    bool => |v| Self::Boolean(v);
    NaiveDate => |v| Self::Date(v);
    NaiveDateTime => |v| Self::DateTime(v);
    Vec<String> => |v| Self::List(v);
    Vec<&str> => |v| Self::List(v.into_iter().map(str::to_owned).collect());
}
