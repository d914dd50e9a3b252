//! UTF-16 to bytes that the CSV automaton can split, so that every offset can be mapped back.

/// Transcodes `raw` and returns how many of its bytes were used.
///
/// A surrogate without its partner becomes the three bytes that UTF-8 would give it were it allowed (WTF-8), and an odd byte at
/// the end becomes one that UTF-8 never contains: both are found as malformed later, and [`raw_len`] still counts them right.
/// Unless this is the `last` piece, an incomplete character at its end is left for the next.
pub(super) fn transcode(raw: &[u8], big_endian: bool, last: bool, out: &mut Vec<u8>) -> usize {
    let (mut pairs, odd) = raw.as_chunks::<2>();
    let unit = |pair: &[u8; 2]| if big_endian { u16::from_be_bytes(*pair) } else { u16::from_le_bytes(*pair) };
    if let [rest @ .., pair] = pairs
        && !last
        && (0xD800..0xDC00).contains(&unit(pair))
    {
        pairs = rest;
    }
    for decoded in char::decode_utf16(pairs.iter().map(unit)) {
        match decoded {
            Ok(c) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            Err(lone) => out.extend_from_slice(&surrogate(lone.unpaired_surrogate())),
        }
    }
    if last && !odd.is_empty() {
        out.push(0xC0);
        return raw.len();
    }
    2 * pairs.len()
}

/// How many bytes of UTF-16 became `text`; one more than there are where an odd byte ends the file.
pub(super) fn raw_len(text: &[u8]) -> u64 {
    let units: usize = text.iter().map(|b| usize::from(b & 0xC0 != 0x80) + usize::from(*b >= 0xF0)).sum();
    2 * units as u64
}

fn surrogate(unit: u16) -> [u8; 3] {
    let [high, low] = unit.to_be_bytes();
    [0xED, 0x80 | ((high & 0x0F) << 2) | (low >> 6), 0x80 | (low & 0x3F)]
}

#[cfg(test)]
mod tests {
    use super::{raw_len, transcode};

    fn le(units: &[u16]) -> Vec<u8> {
        units.iter().flat_map(|u| u.to_le_bytes()).collect()
    }

    #[test]
    fn text_maps_back_to_its_length() {
        let raw = le(&"aé€😀".encode_utf16().collect::<Vec<_>>());
        let mut out = Vec::new();
        assert_eq!(transcode(&raw, false, true, &mut out), raw.len());
        assert_eq!(out, "aé€😀".as_bytes());
        assert_eq!(raw_len(&out), raw.len() as u64);
    }

    #[test]
    fn half_a_character_waits_for_the_next_piece() {
        let raw = le(&"a😀".encode_utf16().collect::<Vec<_>>());
        let mut out = Vec::new();
        assert_eq!(transcode(&raw[..4], false, false, &mut out), 2);
        assert_eq!(out, b"a");
    }

    #[test]
    fn malformed_units_are_not_utf8_and_keep_their_length() {
        for unit in [0xD800, 0xDBFF, 0xDC00, 0xDFFF] {
            let mut out = Vec::new();
            transcode(&le(&[unit, 0x2C]), false, true, &mut out);
            assert!(std::str::from_utf8(&out).is_err());
            assert_eq!(raw_len(&out), 4);
        }
        let mut out = Vec::new();
        assert_eq!(transcode(&[0x2C, 0, 1], false, true, &mut out), 3);
        assert!(std::str::from_utf8(&out).is_err());
    }
}
