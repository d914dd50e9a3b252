//! Fields of a row that are no longer as they were read.

use bytes::{Bytes, BytesMut};
use std::{cell::Cell, fmt};

/// How much memory for new texts is asked for at once.
const ARENA: usize = 64 * 1024;

thread_local! {
    /// Where this thread writes new texts, one row's behind the other's: rows keep a share of it each, and once none does it is
    /// written to again.
    static TEXTS: Cell<BytesMut> = Cell::new(BytesMut::with_capacity(ARENA));
}

/// New texts of fields, in the order of their columns: for each the column, the length of its text, and the text.
#[derive(Clone)]
pub(crate) struct Edits(Bytes);

/// Bytes of a column's number, and of a length.
const NUMBER: usize = size_of::<u32>();

impl Edits {
    /// `old` with what `write` makes of the field in `column`.
    pub(crate) fn with(old: Option<&Self>, column: u32, write: impl FnOnce(&mut NewText<'_>)) -> Self {
        // Taken and not borrowed, since `write` is the user's and may edit another row.
        let mut texts = TEXTS.try_with(Cell::take).unwrap_or_default();
        if let Some(old) = old {
            old.keep(&mut texts, |other| other < column);
        }
        push(&mut texts, column, |texts| write(&mut NewText(texts)));
        if let Some(old) = old {
            old.keep(&mut texts, |other| other > column);
        }
        let edits = Self(texts.split().freeze());
        // A thread that is ending has no place for it any more.
        let _ = TEXTS.try_with(|place| place.set(texts));
        edits
    }

    /// Appends the texts of the columns that are `wanted`.
    fn keep(&self, texts: &mut BytesMut, wanted: impl Fn(u32) -> bool) {
        for (column, text) in self.entries().filter(|(column, _)| wanted(*column)) {
            push(texts, column, |texts| texts.extend_from_slice(text));
        }
    }

    /// The new text of the field in column `index`.
    #[inline]
    pub(crate) fn get(&self, index: usize) -> Option<&str> {
        let (_, text) = self.entries().find(|(column, _)| *column as usize == index)?;
        std::str::from_utf8(text).ok()
    }

    /// Columns and their new texts, ascending.
    #[inline]
    pub(crate) fn entries(&self) -> impl Iterator<Item = (u32, &[u8])> {
        let mut rest: &[u8] = &self.0;
        std::iter::from_fn(move || {
            let (column, behind) = rest.split_first_chunk::<NUMBER>()?;
            let (length, behind) = behind.split_first_chunk::<NUMBER>()?;
            let (text, behind) = behind.split_at_checked(u32::from_le_bytes(*length) as usize)?;
            rest = behind;
            Some((u32::from_le_bytes(*column), text))
        })
    }
}

fn push(texts: &mut BytesMut, column: u32, write: impl FnOnce(&mut BytesMut)) {
    texts.extend_from_slice(&column.to_le_bytes());
    let place = texts.len();
    texts.extend_from_slice(&[0; NUMBER]);
    write(texts);
    let length = super::parts::offset(texts.len() - place - NUMBER);
    if let Some(place) = texts.get_mut(place..place + NUMBER) {
        place.copy_from_slice(&length.to_le_bytes());
    }
}

/// The new text of a field in the making; what is written to it is appended.
pub struct NewText<'a>(&'a mut BytesMut);

impl NewText<'_> {
    /// Appends `text`.
    #[inline]
    pub fn push_str(&mut self, text: &str) {
        self.0.extend_from_slice(text.as_bytes());
    }

    /// Appends a character.
    #[inline]
    pub fn push(&mut self, character: char) {
        self.push_str(character.encode_utf8(&mut [0; 4]));
    }

    /// Appends `text` in upper case, as [`str::to_uppercase`] makes it, but without a String.
    pub fn push_uppercase(&mut self, text: &str) {
        if text.is_ascii() {
            self.push_ascii(text, <[u8]>::make_ascii_uppercase);
        } else {
            text.chars().flat_map(char::to_uppercase).for_each(|c| self.push(c));
        }
    }

    /// Appends `text` in lower case, as [`str::to_lowercase`] makes it.
    pub fn push_lowercase(&mut self, text: &str) {
        if text.is_ascii() {
            self.push_ascii(text, <[u8]>::make_ascii_lowercase);
        } else {
            // A sigma depends on what is beside it.
            self.push_str(&text.to_lowercase());
        }
    }

    fn push_ascii(&mut self, text: &str, change: fn(&mut [u8])) {
        let start = self.0.len();
        self.push_str(text);
        change(self.0.get_mut(start..).unwrap_or_default());
    }
}

impl fmt::Write for NewText<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push_str(text);
        Ok(())
    }
}

impl Extend<char> for NewText<'_> {
    fn extend<I: IntoIterator<Item = char>>(&mut self, characters: I) {
        characters.into_iter().for_each(|c| self.push(c));
    }
}
