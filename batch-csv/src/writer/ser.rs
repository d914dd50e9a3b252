//! An item as a record, as serde sees it.
//!
//! Types mean what they mean to the csv crate. Written anew for what the crate does not do: maps, the column at fault, and
//! escaping text but not numbers.

use super::dialect::Dialect;
use serde::ser::{
    self, Impossible, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeTuple, SerializeTupleStruct, Serializer,
};
use std::{
    error::Error as StdError,
    fmt::{self, Write},
};

/// Why an item cannot be written; boxed, so that the way of the good ones stays small.
#[derive(Debug)]
pub(super) struct Problem(Box<str>);

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for Problem {}

impl ser::Error for Problem {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string().into())
    }
}

/// A record in the making at the end of a buffer.
pub(super) struct Row<'a> {
    dialect: &'a Dialect,
    out: &'a mut Vec<u8>,
    begin: usize,
    fields: usize,
    /// Where the names of the fields go, if they are wanted.
    names: Option<&'a mut Vec<String>>,
    /// Whether names stand above the records, so that a named field must be a single one.
    named: bool,
    inside: bool,
    key: String,
}

impl<'a> Row<'a> {
    pub(super) fn new(dialect: &'a Dialect, out: &'a mut Vec<u8>, named: bool, names: Option<&'a mut Vec<String>>) -> Self {
        let begin = out.len();
        Self { dialect, out, begin, fields: 0, names, named, inside: false, key: String::new() }
    }

    /// Appends an item and the line end; returns its number of fields. On `Err` a part of it may stand in the buffer.
    pub(super) fn write<T: Serialize + ?Sized>(mut self, item: &T) -> Result<usize, Problem> {
        item.serialize(&mut self)?;
        if self.fields == 0 {
            return Err(ser::Error::custom("an item without fields cannot be written"));
        }
        if self.names.is_some_and(|names| !names.is_empty() && names.len() != self.fields) {
            return Err(ser::Error::custom("an item with named and unnamed fields has no header; name one, or turn headers off"));
        }
        self.dialect.end(self.out, self.begin);
        Ok(self.fields)
    }

    #[inline]
    fn text(&mut self, field: &[u8]) -> Result<(), Problem> {
        self.begin_field();
        self.dialect.text(self.out, field).map_err(ser::Error::custom)
    }

    #[inline]
    fn number(&mut self, field: &[u8]) -> Result<(), Problem> {
        self.begin_field();
        self.dialect.number(self.out, field).map_err(ser::Error::custom)
    }

    #[inline]
    fn begin_field(&mut self) {
        if self.fields > 0 {
            self.out.push(self.dialect.delimiter);
        }
        self.fields += 1;
    }

    fn open(&self) -> Result<(), Problem> {
        if self.inside && self.named {
            return Err(ser::Error::custom("a field under a header holds a single value; flatten it, or turn headers off"));
        }
        Ok(())
    }

    /// A named field. Its name is made into text only where somebody reads it: above the first record, and in messages.
    fn entry<K, T>(&mut self, name: &K, value: &T) -> Result<(), Problem>
    where
        K: Serialize + ?Sized,
        T: Serialize + ?Sized,
    {
        if let Some(names) = self.names.as_deref_mut().filter(|_| !self.inside) {
            names.push(key_text(name)?);
        }
        let outer = std::mem::replace(&mut self.inside, true);
        let written = value.serialize(&mut *self);
        self.inside = outer;
        written.or_else(|problem| Err(ser::Error::custom(format_args!("{}: {problem}", key_text(name)?))))
    }
}

/// Text at the end of a buffer.
struct Utf8<'a>(&'a mut Vec<u8>);

impl Write for Utf8<'_> {
    #[inline]
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }

    #[inline]
    fn write_char(&mut self, c: char) -> fmt::Result {
        match u8::try_from(c).ok().filter(u8::is_ascii) {
            Some(byte) => self.0.push(byte),
            None => self.write_str(c.encode_utf8(&mut [0; 4]))?,
        }
        Ok(())
    }
}

macro_rules! numbers {
    ($buffer:ty: $($method:ident $number:ty,)*) => {$(
        fn $method(self, value: $number) -> Result<(), Problem> {
            self.number(<$buffer>::new().format(value).as_bytes())
        }
    )*};
}

impl Serializer for &mut Row<'_> {
    type Ok = ();
    type Error = Problem;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Impossible<(), Problem>;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Impossible<(), Problem>;

    numbers! { itoa::Buffer:
        serialize_i8 i8, serialize_i16 i16, serialize_i32 i32, serialize_i64 i64, serialize_i128 i128,
        serialize_u8 u8, serialize_u16 u16, serialize_u32 u32, serialize_u64 u64, serialize_u128 u128,
    }
    numbers! { ryu::Buffer: serialize_f32 f32, serialize_f64 f64, }

    fn serialize_bool(self, value: bool) -> Result<(), Problem> {
        self.number(if value { b"true" } else { b"false" })
    }

    fn serialize_char(self, value: char) -> Result<(), Problem> {
        self.text(value.encode_utf8(&mut [0; 4]).as_bytes())
    }

    fn serialize_str(self, value: &str) -> Result<(), Problem> {
        self.text(value.as_bytes())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), Problem> {
        self.text(value)
    }

    /// Into the record at once: what displays itself bit by bit, such as times, takes several times longer to make a String of.
    fn collect_str<T: fmt::Display + ?Sized>(self, value: &T) -> Result<(), Problem> {
        let mut told = Ok(());
        self.begin_field();
        let written = self.dialect.written(self.out, |out| told = write!(Utf8(out), "{value}"));
        told.map_err(ser::Error::custom).and_then(|()| written.map_err(ser::Error::custom))
    }

    fn serialize_none(self) -> Result<(), Problem> {
        self.number(b"")
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Problem> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Problem> {
        self.number(b"")
    }

    fn serialize_unit_struct(self, name: &'static str) -> Result<(), Problem> {
        self.text(name.as_bytes())
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Problem> {
        self.text(variant.as_bytes())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Problem> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T>(self, _: &'static str, _: u32, _: &'static str, value: &T) -> Result<(), Problem>
    where
        T: Serialize + ?Sized,
    {
        value.serialize(self)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self, Problem> {
        self.open().map(|()| self)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self, Problem> {
        self.open().map(|()| self)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, Problem> {
        self.open().map(|()| self)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Impossible<(), Problem>, Problem> {
        Err(ser::Error::custom("a variant with several values is no field"))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self, Problem> {
        self.open().map(|()| self)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Problem> {
        self.open().map(|()| self)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Impossible<(), Problem>, Problem> {
        Err(ser::Error::custom("a variant with several values is no field"))
    }
}

macro_rules! unnamed {
    ($($kind:ident $method:ident,)*) => {$(
        impl $kind for &mut Row<'_> {
            type Ok = ();
            type Error = Problem;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Problem> {
                value.serialize(&mut **self)
            }

            fn end(self) -> Result<(), Problem> {
                Ok(())
            }
        }
    )*};
}

unnamed! {
    SerializeSeq serialize_element,
    SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field,
}

impl SerializeStruct for &mut Row<'_> {
    type Ok = ();
    type Error = Problem;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Problem> {
        self.entry(name, value)
    }

    fn end(self) -> Result<(), Problem> {
        Ok(())
    }
}

impl SerializeMap for &mut Row<'_> {
    type Ok = ();
    type Error = Problem;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Problem> {
        self.key = key_text(key)?;
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Problem> {
        let key = std::mem::take(&mut self.key);
        self.entry(&key, value)
    }

    fn serialize_entry<K, T>(&mut self, key: &K, value: &T) -> Result<(), Problem>
    where
        K: Serialize + ?Sized,
        T: Serialize + ?Sized,
    {
        self.entry(key, value)
    }

    fn end(self) -> Result<(), Problem> {
        Ok(())
    }
}

/// A key as a column's name: what a record of this one field, without quotes, would be.
fn key_text<T: Serialize + ?Sized>(key: &T) -> Result<String, Problem> {
    let json = serde_json::to_value(key).map_err(ser::Error::custom)?;
    Ok(json.as_str().map_or_else(|| json.to_string(), str::to_owned))
}
