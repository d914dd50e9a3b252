//! An array as a bound value.

use super::{rows::Form, table::Column};
use sqlx::{
    Encode, Postgres, Type,
    encode::IsNull,
    error::BoxDynError,
    postgres::{PgArgumentBuffer, PgTypeInfo, types::Oid},
};

/// The values of one column, in their binary form.
pub(super) struct Array {
    type_oid: Oid,
    header: [u8; 20],
    elements: Vec<u8>,
}

/// `text` and `text[]`, in which every type's values travel as texts.
const TEXT: (Oid, Oid) = (Oid(25), Oid(1009));

impl Array {
    /// Of `rows` elements, each with its length; NULLs among them are allowed.
    pub(super) fn new(column: &Column, form: Form, rows: i32, elements: Vec<u8>) -> Self {
        let (element_oid, type_oid) = if form == Form::Binary { (column.type_oid, column.array_oid) } else { TEXT };
        let [dimensions, has_nulls, lower_bound] = [1u32, 1, 1].map(u32::to_be_bytes);
        let mut header = [0; 20];
        let parts = [dimensions, has_nulls, element_oid.0.to_be_bytes(), rows.to_be_bytes(), lower_bound];
        header.chunks_mut(4).zip(parts).for_each(|(into, part)| into.copy_from_slice(&part));
        Self { type_oid, header, elements }
    }
}

impl Encode<'_, Postgres> for Array {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        buffer.extend_from_slice(&self.header);
        buffer.extend_from_slice(&self.elements);
        Ok(IsNull::No)
    }

    fn produces(&self) -> Option<PgTypeInfo> {
        Some(PgTypeInfo::with_oid(self.type_oid))
    }
}

impl Type<Postgres> for Array {
    /// Not asked for: each array says itself what it is.
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(TEXT.1)
    }
}
