//! Files that are not in UTF-8.

use super::{Product, product};
use crate::support::{Folder, all, now, read, refused};
use batch_core::{ErrorKind, Reader};
use batch_csv::{CsvReader, Encoding};

fn utf16(text: &str, mark: bool, big_endian: bool) -> Vec<u8> {
    let text = if mark { format!("\u{FEFF}{text}") } else { text.to_owned() };
    let bytes = |unit: u16| if big_endian { unit.to_be_bytes() } else { unit.to_le_bytes() };
    text.encode_utf16().flat_map(bytes).collect()
}

fn encoding(label: &str) -> &'static Encoding {
    Encoding::for_label(label.as_bytes()).unwrap()
}

#[test]
fn a_byte_order_mark_decides() {
    let f = Folder::new();
    let text = "id,sku,price\n1,é€😀,2\n";
    for bytes in [format!("\u{FEFF}{text}").into_bytes(), utf16(text, true, false), utf16(text, true, true)] {
        let found = read(CsvReader::<Product>::open(f.file(bytes)).encoding(encoding("windows-1252")));
        assert_eq!(found, [Ok(product(1, "é€😀", 2.0))]);
    }
}

#[test]
fn only_the_first_mark_is_one() {
    let f = Folder::new();
    let found = read(CsvReader::rows(f.file("\u{FEFF}\u{FEFF}a\n\u{FEFF}b\n")).has_headers(false));
    assert_eq!(found.iter().map(|r| r.as_ref().unwrap().get(0).unwrap()).collect::<Vec<_>>(), ["\u{FEFF}a", "\u{FEFF}b"]);
}

#[test]
fn single_and_double_byte_encodings_are_decoded() {
    let f = Folder::new();
    for (label, sku) in
        [("windows-1252", "café €"), ("iso-8859-2", "łódź"), ("shift_jis", "表示ソ,能"), ("gb18030", "中文€"), ("euc-kr", "한국")]
    {
        let text = format!("id,sku,price\n1,\"{sku}\",2\n");
        let bytes = encoding(label).encode(&text).0;
        assert_eq!(
            read(CsvReader::<Product>::open(f.file(bytes)).encoding(encoding(label))),
            [Ok(product(1, sku, 2.0))],
            "{label}"
        );
    }
}

#[test]
fn malformed_text_is_a_bad_record() {
    let f = Folder::new();
    let mut bytes = b"id,sku,price\n1,".to_vec();
    bytes.extend_from_slice(b"\x81,2\n2,b,3\n");
    let found = read(CsvReader::<Product>::open(f.file(bytes)).encoding(encoding("shift_jis")));
    assert!(found[0].as_ref().unwrap_err().starts_with("line 2: sku: is not valid Shift_JIS"), "{found:?}");
    assert_eq!(found[1], Ok(product(2, "b", 3.0)));
}

#[test]
fn lone_surrogates_and_an_odd_byte_are_bad_records() {
    let f = Folder::new();
    let mut bytes = utf16("id,sku,price\n1,", true, false);
    bytes.extend_from_slice(&[0x00, 0xD8]);
    bytes.extend(utf16(",2\n2,b,3\n3,c,4", false, false));
    bytes.push(0);
    let found = read(CsvReader::<Product>::open(f.file(&bytes)));
    assert!(found[0].as_ref().unwrap_err().contains("sku: is not valid UTF-16LE"), "{found:?}");
    assert_eq!(found[1], Ok(product(2, "b", 3.0)));
    assert!(found[2].as_ref().unwrap_err().contains("price: is not valid UTF-16LE"), "{found:?}");
}

#[test]
fn positions_in_utf16_are_bytes_of_the_file() {
    let f = Folder::new();
    for big_endian in [false, true] {
        let rows: String = (0..20_000).map(|i| format!("{i},\"é€😀\n{i}\",{i}\r\n")).collect();
        let path = f.file(utf16(&format!("id,sku,price\r\n{rows}"), true, big_endian));
        let mut reader = CsvReader::<Product>::open(&path);
        now(Reader::open(&mut reader, None)).unwrap();
        let found = all(&mut reader);
        assert_eq!(found.len(), 20_000);
        assert_eq!(found.last().unwrap().1.byte, path.metadata().unwrap().len());
        for at in [0, 1, 3000, 19_998, 19_999] {
            let mut reader = CsvReader::<Product>::open(&path);
            now(Reader::open(&mut reader, Some(found[at].1.clone()))).unwrap();
            assert!(all(&mut reader) == found[at + 1..], "after {at}");
        }
    }
}

#[test]
fn what_cannot_be_split_is_refused() {
    let f = Folder::new();
    let path = f.file("id|sku|price\n");
    let mut reader = CsvReader::<Product>::open(&path).encoding(encoding("iso-2022-jp"));
    assert_eq!(refused(now(Reader::open(&mut reader, None))).0, ErrorKind::Configuration);
    let mut reader = CsvReader::<Product>::open(&path).encoding(encoding("shift_jis")).delimiter(b'|');
    assert_eq!(refused(now(Reader::open(&mut reader, None))).0, ErrorKind::Configuration);
}
