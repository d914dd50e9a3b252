//! The values of a key, as they travel from a row to the checkpoint and back into a statement.

use chrono::{NaiveDate, NaiveDateTime};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::fmt;

/// A value of a key column, exact whatever its type.
///
/// PostgreSQL's are texts, which it turns back into the column's own type; SQLite's have their storage class; MySQL's their type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyValue {
    /// An integer.
    Integer(i64),
    /// An integer above that.
    Unsigned(u64),
    /// A floating-point number.
    Real(Real),
    /// A number with a fixed number of decimals.
    Decimal(String),
    /// A text, and any value of PostgreSQL.
    Text(String),
    /// Bytes.
    Bytes(Bytes),
    /// A day.
    Date(NaiveDate),
    /// A day and a time of it, in the time zone of the session.
    DateTime(NaiveDateTime),
    /// MySQL's TIME, in microseconds.
    Time(i64),
    /// What the user's own function took from the item.
    Own(serde_json::Value),
}

impl fmt::Display for KeyValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(value) => value.fmt(f),
            Self::Unsigned(value) => value.fmt(f),
            Self::Real(value) => value.0.fmt(f),
            Self::Decimal(text) | Self::Text(text) => f.write_str(text),
            Self::Bytes(bytes) => bytes.hex().fmt(f),
            Self::Date(day) => day.fmt(f),
            Self::DateTime(time) => time.fmt(f),
            Self::Time(micros) => write!(f, "{micros} us"),
            Self::Own(value) => value.fmt(f),
        }
    }
}

/// A floating-point number that JSON keeps to the last bit, infinite ones too.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Real(pub(crate) f64);

impl Serialize for Real {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Real {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map(Real).map_err(D::Error::custom)
    }
}

/// Bytes, in JSON as hexadecimal text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bytes(pub(crate) Vec<u8>);

impl Bytes {
    fn hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.hex())
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let digits = String::deserialize(deserializer)?.chars().map(|c| c.to_digit(16)).collect::<Option<Vec<_>>>();
        let digits = digits.filter(|d| d.len().is_multiple_of(2)).ok_or_else(|| D::Error::custom("not hexadecimal"))?;
        Ok(Self(digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap_or_default()).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::{Bytes, KeyValue, Real};
    use proptest::prelude::*;

    fn round_trip(value: &KeyValue) -> KeyValue {
        serde_json::from_str(&serde_json::to_string(value).unwrap()).unwrap()
    }

    proptest! {
        #[test]
        fn json_keeps_every_value(real in any::<f64>(), bytes in any::<Vec<u8>>(), text in ".*", number in any::<u64>()) {
            prop_assume!(!real.is_nan());
            for value in [
                KeyValue::Real(Real(real)),
                KeyValue::Bytes(Bytes(bytes)),
                KeyValue::Text(text),
                KeyValue::Unsigned(number),
                KeyValue::Integer(number.cast_signed()),
            ] {
                prop_assert_eq!(round_trip(&value), value);
            }
        }
    }

    #[test]
    fn infinite_numbers_and_microseconds_are_kept() {
        let time = "9999-12-31T23:59:59.999999".parse().unwrap();
        for value in [KeyValue::Real(Real(f64::NEG_INFINITY)), KeyValue::DateTime(time), KeyValue::Time(-1)] {
            assert_eq!(round_trip(&value), value);
        }
        assert!(serde_json::from_str::<KeyValue>(r#"{"bytes":"0g"}"#).is_err());
    }
}
