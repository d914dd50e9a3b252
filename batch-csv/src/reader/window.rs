//! The piece of a file that is in memory.

/// Bytes, and whether they are text: found out once for all records in them, since that costs most for short pieces.
#[derive(Debug)]
pub(super) enum Window {
    Text(String),
    Bytes(Vec<u8>),
}

impl Window {
    /// Text where `bytes` are UTF-8.
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        match String::from_utf8(bytes) {
            Ok(text) => Self::Text(text),
            Err(e) => Self::Bytes(e.into_bytes()),
        }
    }

    /// Text only where `bytes` are the same in every encoding.
    pub(super) fn ascii(bytes: Vec<u8>) -> Self {
        if bytes.is_ascii() { Self::new(bytes) } else { Self::Bytes(bytes) }
    }

    /// The memory, to be filled again.
    pub(super) fn take(&mut self) -> Vec<u8> {
        match std::mem::replace(self, Self::Bytes(Vec::new())) {
            Self::Text(text) => text.into_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }

    #[inline]
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }

    #[inline]
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Bytes(_) => None,
        }
    }
}

/// How many bytes at the end begin a character of UTF-8 and do not complete it.
pub(super) fn incomplete(bytes: &[u8]) -> usize {
    let tail = bytes.iter().rev().take(3).position(|byte| *byte >= 0xC0);
    let lead = tail.and_then(|at| Some((at + 1, *bytes.iter().rev().nth(at)?)));
    match lead {
        Some((have, 0xF0..)) if have < 4 => have,
        Some((have, 0xE0..)) if have < 3 => have,
        Some((1, _)) => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::incomplete;

    #[test]
    fn characters_are_cut_where_they_begin() {
        for (bytes, cut) in [("", 0), ("a", 0), ("é", 0), ("€", 0), ("😀", 0), ("aé€😀", 0)] {
            assert_eq!(incomplete(bytes.as_bytes()), cut);
        }
        for text in ["é", "€", "😀"] {
            for have in 1..text.len() {
                assert_eq!(incomplete(&text.as_bytes()[..have]), have, "{text}");
            }
        }
    }
}
