//! A field's value on its way into a statement.

/// What a field holds; databases make it fit its column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value<'a> {
    Null,
    Integer(i64),
    /// Never NaN.
    Float(f64),
    Bool(bool),
    Text(&'a str),
    Bytes(&'a [u8]),
}

/// Takes the values of rows, one after the other.
pub(crate) trait Values {
    /// Takes the next one.
    fn put(&mut self, value: Value<'_>) -> Result<(), Misfit>;
}

/// Why a value was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Misfit {
    /// Its form is not the usual one for its column, so that only the database itself can tell whether it fits: as a text, if need be.
    Unusual,
    /// It can't be in its column; what is wrong with the field, such as "holds 300, which .."
    Refused(String),
}

impl Misfit {
    /// The words for the field's error.
    pub(crate) fn refused<T>(why: impl Into<String>) -> Result<T, Self> {
        Err(Self::Refused(why.into()))
    }
}
