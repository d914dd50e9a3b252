//! Which encoding a file is in, and its fields as text.

use super::{source::Form, split::Dialect};
use crate::{
    problem::file_error,
    record::{Parts, offset},
};
use batch_core::{Error, ErrorKind};
use encoding_rs::{BIG5, EUC_JP, EUC_KR, Encoding, GB18030, GBK, ISO_2022_JP, REPLACEMENT, SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE};
use std::path::Path;

/// Encodings in which an ASCII byte can be the second half of a character: a digit, or one from `@` on.
const DOUBLE_BYTE: [&Encoding; 6] = [BIG5, EUC_JP, EUC_KR, GB18030, GBK, SHIFT_JIS];

/// How a file is to be split and decoded.
#[derive(Debug, Clone, Copy)]
pub(super) struct Coding {
    pub(super) encoding: &'static Encoding,
    pub(super) form: Form,
    /// Length of the byte order mark.
    pub(super) mark: usize,
    /// Whether fields are UTF-8 when they come from the splitter.
    utf8: bool,
}

impl Coding {
    /// A byte order mark at the beginning of the file decides; else what the user said.
    pub(super) fn of(head: &[u8], said: &'static Encoding) -> Self {
        let (encoding, mark) = Encoding::for_bom(head).unwrap_or((said, 0));
        let form = match encoding {
            e if e == UTF_16LE => Form::Utf16 { big_endian: false },
            e if e == UTF_16BE => Form::Utf16 { big_endian: true },
            e if e == UTF_8 => Form::Utf8,
            _ => Form::Bytes,
        };
        Self { encoding, form, mark, utf8: form != Form::Bytes }
    }

    /// Refuses encodings and delimiters with which records can't be found without decoding the file from its beginning.
    pub(super) fn admit(&self, dialect: Dialect, path: &Path) -> Result<(), Error> {
        let name = self.encoding.name();
        let refuse = |message: String| Err(file_error(ErrorKind::Configuration, message, path));
        if self.encoding == ISO_2022_JP || self.encoding == REPLACEMENT {
            return refuse(format!("a file in {name} cannot be split into records; convert it to UTF-8 first"));
        }
        let trail = |byte: u8| byte.is_ascii_digit() || byte >= b'@';
        let double = DOUBLE_BYTE.contains(&self.encoding);
        match [Some(dialect.delimiter), dialect.quote].into_iter().flatten().find(|b| double && trail(*b)) {
            Some(byte) => {
                refuse(format!("in {name} `{}` can be half of a character; convert the file to UTF-8 first", byte as char))
            }
            None => Ok(()),
        }
    }

    /// A piece of the file as text, with U+FFFD for what is malformed.
    pub(super) fn lossy(&self, raw: &[u8]) -> String {
        self.encoding.decode_without_bom_handling(raw).0.into_owned()
    }

    /// The fields of a record as text, in `decoded` where they are not UTF-8 already; or the first field that is malformed.
    #[inline]
    pub(super) fn text<'a>(&self, record: Parts<'a, [u8]>, decoded: &'a mut Decoded) -> Result<Parts<'a, str>, Malformed> {
        let Parts { text: bytes, ends, gap } = record;
        match std::str::from_utf8(bytes) {
            Ok(text) if (self.utf8 && gap > 0) || bytes.is_ascii() => Ok(Parts { text, ends, gap }),
            // Without a delimiter between them, two malformed fields may make a character together.
            Ok(text) if self.utf8 && ends.iter().all(|end| text.is_char_boundary(*end as usize)) => Ok(Parts { text, ends, gap }),
            _ => self.other_text(record, decoded),
        }
    }

    #[cold]
    fn other_text<'a>(&self, record: Parts<'a, [u8]>, decoded: &'a mut Decoded) -> Result<Parts<'a, str>, Malformed> {
        if self.utf8 {
            return Err(self.malformed(record));
        }
        decoded.fill(self.encoding, record)?;
        Ok(Parts { text: &decoded.text, ends: &decoded.ends, gap: 0 })
    }

    fn malformed(&self, record: Parts<'_, [u8]>) -> Malformed {
        let invalid = |(i, field)| Some((i, std::str::from_utf8(field).err()?.valid_up_to()));
        let (column, at) = record.fields().enumerate().find_map(invalid).unwrap_or_default();
        Malformed { column, at: Some(at), encoding: self.encoding.name() }
    }
}

/// Which field is not text.
#[derive(Debug)]
pub(super) struct Malformed {
    pub(super) column: usize,
    at: Option<usize>,
    encoding: &'static str,
}

impl Malformed {
    pub(super) fn reason(&self) -> String {
        let at = self.at.map_or_else(String::new, |at| format!(" after its first {at} bytes"));
        format!("is not valid {}{at}; if the file is in another encoding, name it to the reader", self.encoding)
    }
}

/// Memory for the fields of a record that had to be decoded, used again for the next.
#[derive(Default)]
pub(super) struct Decoded {
    text: String,
    ends: Vec<u32>,
}

impl Decoded {
    fn fill(&mut self, encoding: &'static Encoding, record: Parts<'_, [u8]>) -> Result<(), Malformed> {
        self.text.clear();
        self.ends.clear();
        for (column, field) in record.fields().enumerate() {
            let malformed = Malformed { column, at: None, encoding: encoding.name() };
            self.text.push_str(&encoding.decode_without_bom_handling_and_without_replacement(field).ok_or(malformed)?);
            self.ends.push(offset(self.text.len()));
        }
        Ok(())
    }
}
