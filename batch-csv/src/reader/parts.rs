//! A record in one piece, and where its fields end.

/// The fields of a record, one behind the other.
#[derive(Debug)]
pub(super) struct Parts<'a, Text: ?Sized> {
    /// All of them.
    pub(super) text: &'a Text,
    /// Where each ends in the text.
    pub(super) ends: &'a [usize],
    /// Bytes between the end of one and the beginning of the next: the delimiter, where it was left in, or none.
    pub(super) gap: usize,
}

impl<Text: ?Sized> Clone for Parts<'_, Text> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<Text: ?Sized> Copy for Parts<'_, Text> {}

impl<'a> Parts<'a, [u8]> {
    pub(super) fn fields(self) -> impl Iterator<Item = &'a [u8]> {
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let field = self.text.get(start..*end).unwrap_or_default();
            start = end + self.gap;
            field
        })
    }
}

impl<'a> Parts<'a, str> {
    pub(super) fn fields(self) -> impl Iterator<Item = &'a str> {
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let field = self.text.get(start..*end).unwrap_or_default();
            start = end + self.gap;
            field
        })
    }
}
