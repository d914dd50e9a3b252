//! Going on after the last committed record.

use super::Product;
use crate::support::{Folder, all, now, refused};
use batch_core::{ErrorKind, Reader};
use batch_csv::{CsvPosition, CsvReader};
use std::{fs, os::unix::fs::FileExt, path::Path};

const TEXT: &str = "\u{FEFF}id,sku,price\r\n1,\"a\r\nb\",1\r\n\n2,b,x\r3,c\n4,d,4\r\n\r\n5,e,5";

fn positions(path: &Path) -> Vec<CsvPosition> {
    let mut reader = CsvReader::<Product>::open(path);
    now(Reader::open(&mut reader, None)).unwrap();
    let mut positions = vec![reader.position()];
    positions.extend(all(&mut reader).into_iter().map(|(_, position)| position));
    positions
}

fn resume(path: &Path, at: &CsvPosition) -> (ErrorKind, String) {
    refused(now(Reader::open(&mut CsvReader::<Product>::open(path), Some(at.clone()))))
}

#[test]
fn every_position_yields_exactly_the_rest() {
    let f = Folder::new();
    let path = f.file(TEXT);
    let mut reader = CsvReader::<Product>::open(&path);
    now(Reader::open(&mut reader, None)).unwrap();
    let whole = all(&mut reader);
    assert_eq!(whole.len(), 5);
    for (done, position) in positions(&path).into_iter().enumerate() {
        let json = serde_json::to_string(&position).unwrap();
        let mut reader = CsvReader::<Product>::open(&path);
        now(Reader::open(&mut reader, Some(serde_json::from_str(&json).unwrap()))).unwrap();
        assert_eq!(reader.position(), position);
        assert_eq!(all(&mut reader), whole[done..], "after {done}");
    }
}

#[test]
fn the_width_of_a_file_without_header_is_that_of_its_first_record() {
    let f = Folder::new();
    let path = f.file("1,2\n3,4\n5\n");
    let open = || CsvReader::<Vec<i32>>::open(&path).has_headers(false);
    let mut reader = open();
    now(Reader::open(&mut reader, None)).unwrap();
    let whole = all(&mut reader);
    let mut reader = open();
    now(Reader::open(&mut reader, Some(whole[1].1.clone()))).unwrap();
    assert_eq!(all(&mut reader), whole[2..]);
}

#[test]
fn only_the_head_and_the_rest_are_read() {
    let f = Folder::new();
    let path = f.file(format!("id,sku,price\n{}", "1,a,1\n".repeat(100_000)));
    let mut reader = CsvReader::<Product>::open(&path);
    now(Reader::open(&mut reader, None)).unwrap();
    let mut items = Vec::new();
    now(reader.read_chunk(90_000, &mut items)).unwrap();
    let position = reader.position();
    // What lies between is no longer what it was: nobody looks.
    fs::OpenOptions::new().write(true).open(&path).unwrap().write_all_at(&[b'"'; 100_000], 100_000).unwrap();
    let mut reader = CsvReader::<Product>::open(&path);
    now(Reader::open(&mut reader, Some(position))).unwrap();
    assert_eq!(all(&mut reader).len(), 10_000);
}

#[test]
fn another_length_is_refused_with_both() {
    let f = Folder::new();
    let path = f.file(format!("id,sku,price\n{}", "1,a,1\n".repeat(200)));
    let at = positions(&path).remove(7);
    fs::write(&path, format!("id,sku,price\n{}", "1,a,1\n".repeat(201))).unwrap();
    let (kind, text) = resume(&path, &at);
    assert_eq!(kind, ErrorKind::NeedsOperator);
    assert!(
        text.contains("the file has 1,219 bytes, at the last commit it had 1,213; put the file of the last run back"),
        "{text}"
    );
    assert!(text.contains("in.csv"), "{text}");
}

#[test]
fn another_head_is_refused() {
    let f = Folder::new();
    let path = f.file("id,sku,price\n1,a,1\n2,b,2\n");
    let at = positions(&path).remove(1);
    fs::write(&path, "id,sku,price\n1,a,7\n2,b,2\n").unwrap();
    let (kind, text) = resume(&path, &at);
    assert_eq!(kind, ErrorKind::NeedsOperator);
    assert!(text.contains("its first 25 bytes are not what they were at the last commit"), "{text}");
}

#[test]
fn a_position_that_cannot_be_is_refused() {
    let f = Folder::new();
    let path = f.file("id,sku,price\n1,a,1\n2,b,2\n");
    let at = positions(&path).remove(1);
    for (byte, line) in [(3, 1), (26, 9), (19, 0)] {
        let (kind, text) = resume(&path, &CsvPosition { byte, line, ..at.clone() });
        assert_eq!(kind, ErrorKind::NeedsOperator);
        assert!(text.contains("the checkpoint names byte"), "{text}");
    }
    assert!(serde_json::from_str::<CsvPosition>("{\"byte\":\"7\"}").is_err());
}
