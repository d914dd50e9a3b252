//! A record in one piece, and where its fields end.

/// The fields of a record, one behind the other.
#[derive(Debug)]
pub(crate) struct Parts<'a, Text: ?Sized> {
    /// All of them.
    pub(crate) text: &'a Text,
    /// Where each ends in the text.
    pub(crate) ends: &'a [u32],
    /// Bytes between the end of one and the beginning of the next: the delimiter, where it was left in, or none.
    pub(crate) gap: usize,
}

impl<Text: ?Sized> Clone for Parts<'_, Text> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<Text: ?Sized> Copy for Parts<'_, Text> {}

impl Default for Parts<'_, str> {
    fn default() -> Self {
        Self { text: "", ends: &[], gap: 0 }
    }
}

impl<Text: ?Sized> Parts<'_, Text> {
    /// Where field `index` begins and ends.
    #[inline]
    fn range(&self, index: usize) -> Option<(usize, usize)> {
        let end = *self.ends.get(index)? as usize;
        let start = index.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |end| *end as usize + self.gap);
        Some((start, end))
    }
}

impl<'a> Parts<'a, [u8]> {
    pub(crate) fn fields(self) -> impl Iterator<Item = &'a [u8]> {
        (0..self.ends.len()).filter_map(move |index| {
            let (start, end) = self.range(index)?;
            self.text.get(start..end)
        })
    }
}

impl<'a> Parts<'a, str> {
    #[inline]
    pub(crate) fn field(self, index: usize) -> Option<&'a str> {
        let (start, end) = self.range(index)?;
        self.text.get(start..end)
    }

    /// The fields `from..to` with what is between them, as bytes.
    #[inline]
    pub(crate) fn span(self, from: usize, to: usize) -> &'a [u8] {
        let (start, end) = (self.range(from), to.checked_sub(1).and_then(|last| self.range(last)));
        match (start, end) {
            (Some((start, _)), Some((_, end))) if from < to => self.text.as_bytes().get(start..end).unwrap_or_default(),
            _ => &[],
        }
    }
}

/// A position in a record, which is shorter than 4 GiB: [`MAX_RECORD`] is at most a third of that, and no encoding's text grows
/// to more than three times its bytes.
#[inline]
pub(crate) fn offset(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}

/// The longest record that can be asked for, in bytes: 1 GiB.
pub(crate) const MAX_RECORD: usize = 1 << 30;
