//! Bad records: what is told, and that the reader goes on behind them.

use super::{Product, product};
use crate::support::{Folder, all, bad, now, read, refused};
use batch_core::{BadRecord, ErrorKind, Reader};
use batch_csv::CsvReader;
use serde::Deserialize;

fn first(text: &[u8], with: impl Fn(CsvReader<Product>) -> CsvReader<Product>) -> (BadRecord, usize) {
    let f = Folder::new();
    let mut reader = with(CsvReader::<Product>::open(f.file(text)));
    now(Reader::open(&mut reader, None)).unwrap();
    let found = bad(&mut reader);
    (found, all(&mut reader).len())
}

#[test]
fn a_value_names_line_byte_column_and_the_record() {
    let (bad, after) = first(b"id,sku,price\n1,a,1\n2,\"b\",abc\r\n3,c,3\n", |r| r);
    assert_eq!(bad.to_string(), "line 3: price: cannot parse `abc` as a number");
    assert_eq!((bad.byte, bad.column.as_deref(), bad.raw.as_deref()), (Some(19), Some("price"), Some("2,\"b\",abc")));
    assert_eq!(after, 1);
}

#[test]
fn every_reason_can_be_read() {
    let reason = |row: &str| first(format!("id,sku,price\n{row}\n").as_bytes(), |r| r).0.to_string();
    assert_eq!(reason("x,a,1"), "line 2: id: cannot parse `x` as a whole number");
    assert_eq!(reason(",a,1"), "line 2: id: is empty, a whole number is expected");
    assert_eq!(reason("99999999999999999999,a,1"), "line 2: id: `99999999999999999999` is too large a number");
    assert_eq!(reason("1,a,"), "line 2: price: is empty, a number is expected");
    assert_eq!(reason("1,a"), "line 2: the record has 2 fields, the header has 3");
    assert_eq!(reason("1,a,2,"), "line 2: the record has 4 fields, the header has 3");
}

#[test]
fn types_with_their_own_check_are_told_with_their_column() {
    #[derive(Debug, Deserialize)]
    #[serde(try_from = "String")]
    struct Even;
    impl TryFrom<String> for Even {
        type Error = String;
        fn try_from(text: String) -> Result<Self, String> {
            if text.len().is_multiple_of(2) { Ok(Self) } else { Err(format!("`{text}` is odd")) }
        }
    }
    #[derive(Debug, Deserialize)]
    struct Row {
        #[serde(rename = "pair")]
        _pair: Even,
    }
    let f = Folder::new();
    let found = read(CsvReader::<Row>::open(f.file("n,pair\n1,abc\n")));
    assert_eq!(found[0].as_ref().unwrap_err(), "line 2: pair: `abc` is odd @7 \"1,abc\"");
}

#[test]
fn columns_without_a_name_are_numbered() {
    let f = Folder::new();
    let found = read(CsvReader::<(i32, i32)>::open(f.file("1,2\n3,x\n4\n")).has_headers(false));
    let errors: Vec<_> = found.into_iter().filter_map(Result::err).collect();
    assert_eq!(errors[0], "line 2: 2: cannot parse `x` as a whole number @4 \"3,x\"");
    assert_eq!(errors[1], "line 3: the record has 1 field, the first record has 2 @8 \"4\"");
}

#[test]
fn invalid_utf8_is_the_record_s() {
    let (bad, after) = first(b"id,sku,price\n1,caf\xE9,1\n2,b,2\n", |r| r);
    let wanted =
        "line 2: sku: is not valid UTF-8 after its first 3 bytes; if the file is in another encoding, name it to the reader";
    assert_eq!((bad.to_string().as_str(), bad.raw.as_deref(), after), (wanted, Some("1,caf\u{FFFD},1"), 1));
}

#[test]
fn a_character_cut_by_a_delimiter_is_malformed() {
    let (bad, _) = first(b"id,sku,price\n1,\xC3,\xA9\n", |r| r);
    assert_eq!(bad.column.as_deref(), Some("sku"));
}

#[test]
fn a_long_record_is_passed_over() {
    let text = format!("id,sku,price\n1,\"{}\n{}\",1\n2,b,2\n", "x".repeat(3000), "y".repeat(3000));
    let (bad, after) = first(text.as_bytes(), |r| r.max_record_bytes(100));
    assert_eq!(bad.to_string(), "line 2: the record has 6,007 bytes, 100 are allowed");
    let raw = bad.raw.unwrap();
    assert!(raw.starts_with("1,\"xxx") && raw.ends_with("yy…") && raw.len() == 4096 + "…".len());
    assert_eq!(after, 1);
}

#[test]
fn the_limit_is_exact_and_counts_no_line_end() {
    for end in ["\n", "\r\n", "\r", ""] {
        let f = Folder::new();
        let path = f.file(format!("id,sku,price\n1,a,12345{end}"));
        let good = |max| read(CsvReader::<Product>::open(&path).max_record_bytes(max)).remove(0).is_ok();
        assert!(good(12), "{end:?}");
        let path = f.file(format!("i,s,p\n1,a,12345{end}"));
        let good = |max| read(CsvReader::<(i8, char, i32)>::open(&path).max_record_bytes(max)).remove(0).is_ok();
        assert!(good(9) && !good(8), "{end:?}");
    }
}

#[test]
fn an_unclosed_quote_takes_the_rest_and_names_its_line() {
    let (bad, after) = first(b"id,sku,price\n1,a,1\n2,\"b\nb\",\"2\n3,c,3\n4,d,4\n", |r| r);
    assert_eq!(
        bad.to_string(),
        "line 3: the quote opened on line 4 is never closed and takes the 4 line ends up to the end of the file"
    );
    assert_eq!((bad.line, after), (Some(3), 0));
}

#[test]
fn an_unclosed_quote_longer_than_allowed_is_bounded_too() {
    let text = format!("id,sku,price\n1,\"{}", "x\n".repeat(100_000));
    let (bad, after) = first(text.as_bytes(), |r| r.max_record_bytes(1000));
    assert!(
        bad.to_string().starts_with("line 2: the quote opened on line 2 is never closed and takes the 100,000 line ends"),
        "{bad}"
    );
    assert_eq!(after, 0);
}

#[test]
fn many_columns_are_bounded_by_the_record_s_length() {
    let text = format!("id,sku,price\n{}\n2,b,2\n", ",".repeat(1_000_000));
    let (bad, after) = first(text.as_bytes(), |r| r);
    assert_eq!((bad.to_string().as_str(), after), ("line 2: the record has 1000001 fields, the header has 3", 1));
    let (bad, _) = first(text.as_bytes(), |r| r.max_record_bytes(1000));
    assert_eq!(bad.to_string(), "line 2: the record has 1,000,000 bytes, 1,000 are allowed");
}

#[test]
fn a_header_without_a_needed_column_ends_the_reading_at_once() {
    let f = Folder::new();
    let mut reader = CsvReader::<Product>::open(f.file("id,SKU,price\n1,a,1\n"));
    now(Reader::open(&mut reader, None)).unwrap();
    let (kind, text) = refused(now(reader.read()));
    assert_eq!(kind, ErrorKind::Configuration);
    assert!(text.starts_with("the header has no column `sku`, which items need; it has `id`, `SKU`, `price` (file "), "{text}");
}

#[test]
fn a_column_that_occurs_twice_matters_only_where_it_is_needed() {
    let f = Folder::new();
    let mut reader = CsvReader::<Product>::open(f.file("id,sku,sku,price\n1,a,b,1\n"));
    now(Reader::open(&mut reader, None)).unwrap();
    let (kind, text) = refused(now(reader.read()));
    assert_eq!(kind, ErrorKind::Configuration);
    assert!(text.starts_with("the header has the column `sku` more than once"), "{text}");
    let found = read(CsvReader::<Product>::open(f.file("id,sku,price,x,x\n1,a,1,2,3\n")));
    assert_eq!(found, [Ok(product(1, "a", 1.0))]);
}

#[test]
fn refused_columns_are_the_header_s_fault() {
    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Row {
        #[serde(rename = "a")]
        _a: i32,
    }
    let f = Folder::new();
    let mut reader = CsvReader::<Row>::open(f.file("a,b\n1,2\n"));
    now(Reader::open(&mut reader, None)).unwrap();
    assert_eq!(refused(now(reader.read())).0, ErrorKind::Configuration);
}

#[test]
fn a_short_record_of_a_flexible_file_is_bad_where_a_field_is_needed() {
    let (bad, after) = first(b"id,sku,price\n1,a\n2,b,2\n", |r| r.flexible(true));
    assert_eq!((bad.to_string().as_str(), after), ("line 2: the record ends before `price`", 1));
}
