//! From a field to a value.

use super::{
    RowError,
    value::{Misfit, Value, Values},
};
use serde::{Serialize, Serializer, ser::Impossible};
use std::fmt::{Display, Write};

/// Hands over one field's value; what has no column type is refused by the field's name.
pub(super) struct FieldSerializer<'a, V> {
    pub(super) column: &'a str,
    pub(super) values: &'a mut V,
}

impl<V: Values> FieldSerializer<'_, V> {
    fn refuse<T>(self, why: &str) -> Result<T, RowError> {
        Err(refused(self.column, why))
    }

    fn put(self, value: Value<'_>) -> Result<(), RowError> {
        self.values.put(value).map_err(|misfit| match misfit {
            Misfit::Unusual => RowError::unusual(self.column),
            Misfit::Refused(why) => refused(self.column, &why),
        })
    }

    fn integer<N: TryInto<i64> + Display + Copy>(self, number: N) -> Result<(), RowError> {
        match number.try_into() {
            Ok(number) => self.put(Value::Integer(number)),
            Err(_) => self.refuse(&format!("holds {number}, which does not fit in 64 bits with sign")),
        }
    }
}

fn refused(column: &str, why: &str) -> RowError {
    RowError::new(format!("field `{column}` {why}"))
}

const NESTED: &str = "is a list, map or struct, which no column holds; make it a text (JSON) or several fields";

impl<V: Values> Serializer for FieldSerializer<'_, V> {
    type Ok = ();
    type Error = RowError;
    type SerializeSeq = Impossible<(), RowError>;
    type SerializeTuple = Impossible<(), RowError>;
    type SerializeTupleStruct = Impossible<(), RowError>;
    type SerializeTupleVariant = Impossible<(), RowError>;
    type SerializeMap = Impossible<(), RowError>;
    type SerializeStruct = Impossible<(), RowError>;
    type SerializeStructVariant = Impossible<(), RowError>;

    fn serialize_bool(self, v: bool) -> Result<(), RowError> {
        self.put(Value::Bool(v))
    }

    fn serialize_i8(self, v: i8) -> Result<(), RowError> {
        self.integer(v)
    }

    fn serialize_i16(self, v: i16) -> Result<(), RowError> {
        self.integer(v)
    }

    fn serialize_i32(self, v: i32) -> Result<(), RowError> {
        self.integer(v)
    }

    fn serialize_i64(self, v: i64) -> Result<(), RowError> {
        self.integer(v)
    }

    fn serialize_i128(self, v: i128) -> Result<(), RowError> {
        self.integer(v)
    }

    fn serialize_u8(self, v: u8) -> Result<(), RowError> {
        self.integer(v)
    }

    fn serialize_u16(self, v: u16) -> Result<(), RowError> {
        self.integer(v)
    }

    fn serialize_u32(self, v: u32) -> Result<(), RowError> {
        self.integer(v)
    }

    fn serialize_u64(self, v: u64) -> Result<(), RowError> {
        self.integer(v)
    }

    fn serialize_u128(self, v: u128) -> Result<(), RowError> {
        self.integer(v)
    }

    fn serialize_f32(self, v: f32) -> Result<(), RowError> {
        self.serialize_f64(v.into())
    }

    fn serialize_f64(self, v: f64) -> Result<(), RowError> {
        if v.is_nan() {
            return self.refuse("is not a number (NaN), which some databases cannot hold and others store as NULL");
        }
        self.put(Value::Float(v))
    }

    fn serialize_char(self, v: char) -> Result<(), RowError> {
        self.serialize_str(v.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, v: &str) -> Result<(), RowError> {
        self.put(Value::Text(v))
    }

    fn serialize_bytes(self, v: &[u8]) -> Result<(), RowError> {
        self.put(Value::Bytes(v))
    }

    fn serialize_none(self) -> Result<(), RowError> {
        self.put(Value::Null)
    }

    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Result<(), RowError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), RowError> {
        self.serialize_none()
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), RowError> {
        self.serialize_none()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), RowError> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: ?Sized + Serialize>(self, _: &'static str, value: &T) -> Result<(), RowError> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), RowError> {
        self.refuse("is an enum with data, which no column holds; make it a text or several fields")
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, RowError> {
        self.refuse("is a list, which no column holds; make it a text (JSON), or mark bytes with serde_bytes")
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, RowError> {
        self.refuse(NESTED)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, RowError> {
        self.refuse(NESTED)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, RowError> {
        self.refuse(NESTED)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, RowError> {
        self.refuse(NESTED)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct, RowError> {
        self.refuse(NESTED)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, RowError> {
        self.refuse(NESTED)
    }

    /// Dates, ids and the like come this way.
    fn collect_str<T: ?Sized + Display>(self, value: &T) -> Result<(), RowError> {
        let mut short = Short { bytes: [0; 48], length: 0 };
        if write!(short, "{value}").is_ok() {
            return self.serialize_str(short.text());
        }
        let mut text = String::with_capacity(128);
        match write!(text, "{value}") {
            Ok(()) => self.serialize_str(&text),
            Err(_) => self.refuse("could not be formatted"),
        }
    }
}

/// A text that needs no memory of its own; longer ones do not fit.
struct Short {
    bytes: [u8; 48],
    length: usize,
}

impl Short {
    fn text(&self) -> &str {
        // Only whole texts were copied into it.
        self.bytes.get(..self.length).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default()
    }
}

impl Write for Short {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let place = self.bytes.get_mut(self.length..self.length + text.len()).ok_or(std::fmt::Error)?;
        place.copy_from_slice(text.as_bytes());
        self.length += text.len();
        Ok(())
    }
}
