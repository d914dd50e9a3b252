//! A record as serde sees it.
//!
//! Types mean what they mean to the csv crate (an empty field is `None`, `deserialize_any` guesses). Written anew for what the
//! crate does not tell: the column at fault, and whether the header is at fault and not the record.

use super::view::Row;
use crate::problem::Quoted;
use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
    value::BorrowedBytesDeserializer,
};
use std::{error::Error as StdError, fmt, num::IntErrorKind, num::ParseIntError};

/// Why a record is no item. Boxed, so that the way of the good ones stays small.
#[derive(Debug)]
pub struct Problem(Box<Fault>);

#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) column: Option<usize>,
    pub(crate) what: What,
}

#[derive(Debug)]
pub(crate) enum What {
    /// The field, or the record, is not what the item needs.
    Value(String),
    /// The item has a field that the record has not.
    Missing(&'static str),
    /// Two columns are named after one field of the item.
    Duplicate(&'static str),
    /// A column is none of the item's, which refuses others.
    Unknown(String),
}

impl Problem {
    fn new(what: What) -> Self {
        Self(Box::new(Fault { column: None, what }))
    }

    fn in_column(mut self, column: usize) -> Self {
        self.0.column.get_or_insert(column);
        self
    }

    pub(crate) fn into_fault(self) -> Fault {
        *self.0
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.what.fmt(f)
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(reason) => f.write_str(reason),
            Self::Missing(name) => write!(f, "the record ends before `{name}`"),
            Self::Duplicate(name) => write!(f, "the column `{name}` occurs twice"),
            Self::Unknown(name) => write!(f, "the column {} is not expected", Quoted(name)),
        }
    }
}

impl StdError for Problem {}

impl de::Error for Problem {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(What::Value(message.to_string()))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(What::Missing(field))
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::new(What::Duplicate(field))
    }

    fn unknown_field(field: &str, _: &'static [&'static str]) -> Self {
        Self::new(What::Unknown(field.to_owned()))
    }
}

/// Hands out the fields of a record from left to right.
pub(crate) struct Fields<'de> {
    row: Row<'de>,
    next: usize,
    /// The text from the next field on, and where it begins.
    rest: &'de str,
    start: usize,
}

impl<'de> Fields<'de> {
    #[inline]
    pub(crate) fn new(row: Row<'de>) -> Self {
        Self { row, next: 0, rest: row.parts.text, start: 0 }
    }

    /// The next field, and the text behind it; `None` behind the last.
    #[inline]
    fn peek(&self) -> Option<(&'de str, &'de str)> {
        let end = *self.row.parts.ends.get(self.next)? as usize;
        let (field, rest) = self.rest.split_at_checked(end - self.start)?;
        Some((self.row.shown(self.next, field), rest))
    }

    #[inline]
    fn take(&mut self) -> Result<&'de str, Problem> {
        let Some((field, rest)) = self.peek() else { return Err(too_short()) };
        self.pass(rest);
        Ok(field)
    }

    #[inline]
    fn pass(&mut self, rest: &'de str) {
        let gap = self.row.parts.gap;
        self.start += self.rest.len() - rest.len() + gap;
        self.rest = rest.get(gap..).unwrap_or_default();
        self.next += 1;
    }

    /// The next field by `parse`; else `wrong` says what it is not.
    fn parse<T, E>(&mut self, parse: impl Fn(&str) -> Result<T, E>, wrong: impl Fn(&str, E) -> String) -> Result<T, Problem> {
        let column = self.next;
        let field = self.take()?;
        parse(field).map_err(|e| Problem::new(What::Value(wrong(field, e))).in_column(column))
    }

    /// A field whose type the item does not say, by what it looks like; in the order of the csv crate.
    fn guess<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Problem> {
        let field = self.take()?;
        if let Ok(yes) = field.parse() {
            visitor.visit_bool(yes)
        } else if let Ok(n) = field.parse() {
            visitor.visit_u64(n)
        } else if let Ok(n) = field.parse() {
            visitor.visit_i64(n)
        } else if let Ok(n) = field.parse() {
            visitor.visit_u128(n)
        } else if let Ok(n) = field.parse() {
            visitor.visit_i128(n)
        } else if let Ok(x) = field.parse() {
            visitor.visit_f64(x)
        } else {
            visitor.visit_borrowed_str(field)
        }
    }
}

#[cold]
fn too_short() -> Problem {
    Problem::new(What::Value("the record ends before this field".to_owned()))
}

fn not_whole(field: &str, error: &ParseIntError) -> String {
    let field = Quoted(field);
    match error.kind() {
        IntErrorKind::Empty => "is empty, a whole number is expected".to_owned(),
        IntErrorKind::PosOverflow => format!("{field} is too large a number"),
        IntErrorKind::NegOverflow => format!("{field} is too small a number"),
        _ => format!("cannot parse {field} as a whole number"),
    }
}

fn not_a(what: &'static str) -> impl Fn(&str) -> String {
    move |field| {
        if field.is_empty() { format!("is empty, {what} is expected") } else { format!("cannot parse {} as {what}", Quoted(field)) }
    }
}

/// The only character of a field.
fn single(field: &str) -> Result<char, ()> {
    let mut chars = field.chars();
    match (chars.next(), chars.next()) {
        (Some(c), None) => Ok(c),
        _ => Err(()),
    }
}

macro_rules! whole {
    ($($method:ident $visit:ident $int:ty,)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
            let parse = |field: &str| match field.strip_prefix("0x") {
                Some(digits) => <$int>::from_str_radix(digits, 16),
                None => field.parse(),
            };
            visitor.$visit(self.parse(parse, |field, e| not_whole(field, &e))?)
        }
    )*};
}

macro_rules! parsed {
    ($($method:ident $visit:ident $what:literal,)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
            visitor.$visit(self.parse(str::parse, |field, _| not_a($what)(field))?)
        }
    )*};
}

impl<'de> Deserializer<'de> for &mut Fields<'de> {
    type Error = Problem;

    whole! {
        deserialize_u8 visit_u8 u8, deserialize_u16 visit_u16 u16, deserialize_u32 visit_u32 u32, deserialize_u64 visit_u64 u64,
        deserialize_i8 visit_i8 i8, deserialize_i16 visit_i16 i16, deserialize_i32 visit_i32 i32, deserialize_i64 visit_i64 i64,
        deserialize_u128 visit_u128 u128, deserialize_i128 visit_i128 i128,
    }

    parsed! {
        deserialize_bool visit_bool "true or false",
        deserialize_f32 visit_f32 "a number",
        deserialize_f64 visit_f64 "a number",
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        self.guess(visitor)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_char(self.parse(single, |field, ()| not_a("a single character")(field))?)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_borrowed_str(self.take()?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_borrowed_str(self.take()?)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_borrowed_bytes(self.take()?.as_bytes())
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_borrowed_bytes(self.take()?.as_bytes())
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        match self.peek() {
            None => visitor.visit_none(),
            Some(("", rest)) => {
                self.pass(rest);
                visitor.visit_none()
            }
            Some(_) => visitor.visit_some(self),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_seq(self)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_seq(self)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(self, _: &'static str, _: usize, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_seq(self)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        if self.row.header.is_some() { visitor.visit_map(self) } else { visitor.visit_seq(self) }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        visitor.visit_enum(self)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_borrowed_str(self.take()?)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        self.take()?;
        visitor.visit_unit()
    }
}

impl<'de> MapAccess<'de> for &mut Fields<'de> {
    type Error = Problem;

    /// Ends with the shorter of header and record; what the item then lacks, serde fills in or reports.
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Problem> {
        match self.row.header.and_then(|header| header.names.get(self.next)) {
            Some(name) if self.next < self.row.parts.ends.len() => {
                seed.deserialize(BorrowedBytesDeserializer::new(name.as_bytes())).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Problem> {
        let column = self.next;
        let value = seed.deserialize(&mut **self).map_err(|e| e.in_column(column));
        // A type that takes no field, such as `()`, still stands for its column.
        if self.next == column {
            self.take()?;
        }
        value
    }
}

impl<'de> SeqAccess<'de> for &mut Fields<'de> {
    type Error = Problem;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Problem> {
        let column = self.next;
        if column >= self.row.parts.ends.len() {
            return Ok(None);
        }
        seed.deserialize(&mut **self).map(Some).map_err(|e| e.in_column(column))
    }
}

impl<'de> EnumAccess<'de> for &mut Fields<'de> {
    type Error = Problem;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Problem> {
        let name = self.take()?;
        Ok((seed.deserialize(name.into_deserializer())?, self))
    }
}

impl<'de> VariantAccess<'de> for &mut Fields<'de> {
    type Error = Problem;

    fn unit_variant(self) -> Result<(), Problem> {
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, _: S) -> Result<S::Value, Problem> {
        Err(de::Error::custom("a field holds a variant's name only, not its value"))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Problem> {
        Err(de::Error::custom("a field holds a variant's name only, not its value"))
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], _: V) -> Result<V::Value, Problem> {
        Err(de::Error::custom("a field holds a variant's name only, not its value"))
    }
}
