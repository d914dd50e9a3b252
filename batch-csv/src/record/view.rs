//! A record as it is being looked at.

use super::{edits::Edits, header::Header, parts::Parts};

/// The fields of a record as text, with the names they stand under.
#[derive(Clone, Copy, Default)]
pub(crate) struct Row<'a> {
    pub(crate) parts: Parts<'a, str>,
    /// Whether it is a line without quotes, so that no field contains what it was split by.
    pub(crate) plain: bool,
    pub(crate) header: Option<&'a Header>,
    /// Whether white space is to be taken off the fields.
    pub(crate) trim: bool,
    /// Fields that are no longer as they were read.
    pub(crate) edits: Option<&'a Edits>,
    pub(crate) line: u64,
}

impl<'a> Row<'a> {
    pub(crate) fn len(&self) -> usize {
        self.parts.ends.len()
    }

    #[inline]
    pub(crate) fn field(&self, index: usize) -> Option<&'a str> {
        self.parts.field(index).map(|field| self.shown(index, field))
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = &'a str> {
        (0..self.len()).filter_map(move |index| self.field(index))
    }

    /// What `field`, which was read in column `index`, is now.
    #[inline]
    pub(crate) fn shown(&self, index: usize, field: &'a str) -> &'a str {
        match self.edits.and_then(|edits| edits.get(index)) {
            Some(edited) => edited,
            None if self.trim => field.trim(),
            None => field,
        }
    }
}
