//! Which field of a row is meant.

use super::header::Header;
use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

/// Names a field of a [`RecordRow`](crate::RecordRow): by its number from 0, by its column's name, or by a [`Column`].
///
/// A name is looked for among the header's names each time, which takes a comparison a column; the first of that name counts. A number
/// takes nothing, and a [`Column`] looks only once a header.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not name a field of a row",
    note = "name it by a number (`usize`), a column's name (`&str`), or a `batch_csv::Column`"
)]
pub trait ColumnIndex: sealed::Find {}

mod sealed {
    use super::Header;

    pub trait Find {
        #[doc(hidden)]
        fn find(&self, header: Option<&Header>) -> Option<usize>;

        /// What a message calls it.
        #[doc(hidden)]
        fn label(&self) -> String;
    }
}
pub(crate) use sealed::Find;

/// A column's name that remembers where the column was last found.
///
/// One for many files, tasks and threads: it notices when a row stands under another header, and looks again.
///
/// ```
/// use batch_csv::{Column, RecordRow};
///
/// static PRICE: Column = Column::new("price");
///
/// let row = RecordRow::with_header(["id", "price"], ["1", "9.50"]);
/// assert_eq!(row.get(&PRICE), Some("9.50"));
/// ```
pub struct Column {
    name: &'static str,
    /// The header's id times 65,536, and the column in it; 0 before the first look. Columns beyond 65,535 are looked for each time.
    found: AtomicU64,
}

const BITS: u32 = 16;

impl Column {
    /// The column of that name.
    pub const fn new(name: &'static str) -> Self {
        Self { name, found: AtomicU64::new(0) }
    }

    /// The column's name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    #[cold]
    fn look(&self, header: &Header) -> Option<usize> {
        let index = header.find(self.name)?;
        if let Ok(index) = u16::try_from(index) {
            self.found.store(header.id << BITS | u64::from(index), Ordering::Relaxed);
        }
        Some(index)
    }
}

fn column(found: u64) -> usize {
    usize::from(u16::try_from(found & u64::from(u16::MAX)).unwrap_or(u16::MAX))
}

impl fmt::Debug for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Column").field(&self.name).finish()
    }
}

impl Find for Column {
    #[inline]
    fn find(&self, header: Option<&Header>) -> Option<usize> {
        let header = header?;
        let found = self.found.load(Ordering::Relaxed);
        if found >> BITS == header.id { Some(column(found)) } else { self.look(header) }
    }

    fn label(&self) -> String {
        self.name.to_owned()
    }
}

impl Find for str {
    #[inline]
    fn find(&self, header: Option<&Header>) -> Option<usize> {
        header?.find(self)
    }

    fn label(&self) -> String {
        self.to_owned()
    }
}

impl Find for String {
    fn find(&self, header: Option<&Header>) -> Option<usize> {
        header?.find(self)
    }

    fn label(&self) -> String {
        self.to_owned()
    }
}

impl Find for usize {
    #[inline]
    fn find(&self, _: Option<&Header>) -> Option<usize> {
        Some(*self)
    }

    fn label(&self) -> String {
        (self + 1).to_string()
    }
}

impl<T: Find + ?Sized> Find for &T {
    #[inline]
    fn find(&self, header: Option<&Header>) -> Option<usize> {
        (**self).find(header)
    }

    fn label(&self) -> String {
        (**self).label()
    }
}

impl ColumnIndex for Column {}
impl ColumnIndex for str {}
impl ColumnIndex for String {}
impl ColumnIndex for usize {}
impl<T: ColumnIndex + ?Sized> ColumnIndex for &T {}
