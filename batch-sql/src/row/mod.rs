//! From a struct to a row: the fields' names are the columns.

mod field;
mod value;

pub(crate) use value::{Misfit, Value, Values};

use field::FieldSerializer;
use serde::{
    Serialize, Serializer,
    ser::{Impossible, SerializeMap, SerializeStruct},
};
use std::fmt;

/// Why an item is no row. An item's own error: where the step skips, only this item is left out.
#[derive(Debug)]
pub(crate) struct RowError {
    message: String,
    unusual: bool,
}

impl RowError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), unusual: false }
    }

    fn unusual(column: &str) -> Self {
        Self { unusual: true, ..Self::new(format!("field `{column}` has a form that does not fit its column")) }
    }

    /// Whether a value was [`Misfit::Unusual`], so that another form of it may be taken.
    pub(crate) fn is_unusual(&self) -> bool {
        self.unusual
    }
}

impl fmt::Display for RowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for RowError {}

impl serde::ser::Error for RowError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message.to_string())
    }
}

/// The names of an item's fields, in order.
pub(crate) fn columns<T: Serialize>(item: &T) -> Result<Vec<String>, RowError> {
    let mut columns = Vec::new();
    item.serialize(RowSerializer { sink: &mut Names(&mut columns) })?;
    match columns.is_empty() {
        true => Err(RowError::new("the item has no fields, so there is nothing to write")),
        false => Ok(columns),
    }
}

/// Whether an item may have more fields than there are columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Others {
    /// They are an error.
    Refused,
    /// They are passed over.
    Ignored,
}

/// Hands over the values of an item's fields, which must be `columns` in their order.
pub(crate) fn bind<T: Serialize, V: Values>(item: &T, columns: &[String], others: Others, values: &mut V) -> Result<(), RowError> {
    let mut sink = Binder { columns, others, next: 0, values };
    item.serialize(RowSerializer { sink: &mut sink })?;
    match columns.get(sink.next) {
        None => Ok(()),
        Some(missing) => {
            Err(RowError::new(format!("field `{missing}` is missing from the item; every row must have the same columns")))
        }
    }
}

/// Takes the fields of a row one by one.
trait Sink {
    fn field<T: ?Sized + Serialize>(&mut self, name: &str, value: &T) -> Result<(), RowError>;
}

struct Names<'a>(&'a mut Vec<String>);

impl Sink for Names<'_> {
    fn field<T: ?Sized + Serialize>(&mut self, name: &str, _: &T) -> Result<(), RowError> {
        self.0.push(name.to_owned());
        Ok(())
    }
}

struct Binder<'a, V> {
    columns: &'a [String],
    others: Others,
    next: usize,
    values: &'a mut V,
}

impl<V: Values> Sink for Binder<'_, V> {
    fn field<T: ?Sized + Serialize>(&mut self, name: &str, value: &T) -> Result<(), RowError> {
        match self.columns.get(self.next) {
            Some(column) if column == name => {}
            _ if self.others == Others::Ignored && !self.columns.iter().any(|column| column == name) => return Ok(()),
            _ => {
                return Err(RowError::new(format!(
                    "field `{name}` is not the column expected here; every row must have the same columns"
                )));
            }
        }
        self.next += 1;
        value.serialize(FieldSerializer { column: name, values: self.values })
    }
}

/// Accepts what has named fields; everything else is no row.
struct RowSerializer<'a, S> {
    sink: &'a mut S,
}

fn no_row<T>(what: &str) -> Result<T, RowError> {
    Err(RowError::new(format!("{what} is not a row: write a struct with a field for each column")))
}

macro_rules! refuse {
    ($($method:ident($($value:ty),*) -> $ok:ty, $what:literal;)*) => { $(
        fn $method(self $(, _: $value)*) -> Result<$ok, RowError> {
            no_row($what)
        }
    )* };
}

impl<'a, S: Sink> Serializer for RowSerializer<'a, S> {
    type Ok = ();
    type Error = RowError;
    type SerializeSeq = Impossible<(), RowError>;
    type SerializeTuple = Impossible<(), RowError>;
    type SerializeTupleStruct = Impossible<(), RowError>;
    type SerializeTupleVariant = Impossible<(), RowError>;
    type SerializeMap = MapRow<'a, S>;
    type SerializeStruct = Self;
    type SerializeStructVariant = Impossible<(), RowError>;

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, RowError> {
        Ok(self)
    }

    /// A struct with `#[serde(flatten)]` comes as a map.
    fn serialize_map(self, _: Option<usize>) -> Result<MapRow<'a, S>, RowError> {
        Ok(MapRow { sink: self.sink, name: Name::default() })
    }

    fn serialize_newtype_struct<T: ?Sized + Serialize>(self, _: &'static str, value: &T) -> Result<(), RowError> {
        value.serialize(self)
    }

    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Result<(), RowError> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), RowError> {
        no_row("an enum")
    }

    refuse! {
        serialize_bool(bool) -> (), "a boolean";
        serialize_i8(i8) -> (), "a number";
        serialize_i16(i16) -> (), "a number";
        serialize_i32(i32) -> (), "a number";
        serialize_i64(i64) -> (), "a number";
        serialize_u8(u8) -> (), "a number";
        serialize_u16(u16) -> (), "a number";
        serialize_u32(u32) -> (), "a number";
        serialize_u64(u64) -> (), "a number";
        serialize_f32(f32) -> (), "a number";
        serialize_f64(f64) -> (), "a number";
        serialize_char(char) -> (), "a character";
        serialize_str(&str) -> (), "a text";
        serialize_bytes(&[u8]) -> (), "a byte string";
        serialize_none() -> (), "a missing item";
        serialize_unit() -> (), "()";
        serialize_unit_struct(&'static str) -> (), "a struct without fields";
        serialize_unit_variant(&'static str, u32, &'static str) -> (), "an enum";
        serialize_seq(Option<usize>) -> Self::SerializeSeq, "a list";
        serialize_tuple(usize) -> Self::SerializeTuple, "a tuple";
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct, "a tuple struct";
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant, "an enum";
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant, "an enum";
    }
}

impl<S: Sink> SerializeStruct for RowSerializer<'_, S> {
    type Ok = ();
    type Error = RowError;

    fn serialize_field<T: ?Sized + Serialize>(&mut self, name: &'static str, value: &T) -> Result<(), RowError> {
        self.sink.field(name, value)
    }

    fn end(self) -> Result<(), RowError> {
        Ok(())
    }
}

/// A row from a map with text keys.
pub(crate) struct MapRow<'a, S> {
    sink: &'a mut S,
    name: Name,
}

/// What a key is called in an error.
const KEY: &str = "key of the map";

/// The last key, in a buffer that all keys of a row share.
#[derive(Default)]
struct Name(String);

impl Values for Name {
    fn put(&mut self, value: Value<'_>) -> Result<(), Misfit> {
        let Value::Text(name) = value else { return Misfit::refused("is not a text") };
        self.0.clear();
        self.0.push_str(name);
        Ok(())
    }
}

/// A key and its value at once: the key is passed on without a copy.
struct Entry<'a, S, T: ?Sized> {
    sink: &'a mut S,
    value: &'a T,
    taken: Result<(), RowError>,
}

impl<S: Sink, T: ?Sized + Serialize> Values for Entry<'_, S, T> {
    fn put(&mut self, value: Value<'_>) -> Result<(), Misfit> {
        let Value::Text(name) = value else { return Misfit::refused("is not a text") };
        self.taken = self.sink.field(name, self.value);
        Ok(())
    }
}

impl<S: Sink> SerializeMap for MapRow<'_, S> {
    type Ok = ();
    type Error = RowError;

    fn serialize_key<T: ?Sized + Serialize>(&mut self, key: &T) -> Result<(), RowError> {
        key.serialize(FieldSerializer { column: KEY, values: &mut self.name })
    }

    fn serialize_value<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), RowError> {
        self.sink.field(&self.name.0, value)
    }

    fn serialize_entry<K: ?Sized + Serialize, T: ?Sized + Serialize>(&mut self, key: &K, value: &T) -> Result<(), RowError> {
        let mut entry = Entry { sink: self.sink, value, taken: Ok(()) };
        key.serialize(FieldSerializer { column: KEY, values: &mut entry })?;
        entry.taken
    }

    fn end(self) -> Result<(), RowError> {
        Ok(())
    }
}
