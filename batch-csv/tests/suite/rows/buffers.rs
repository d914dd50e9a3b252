//! What rows share.

use super::fields;
use crate::support::{Folder, now};
use batch_core::{Reader, item::reader_conformance};
use batch_csv::{CsvReader, RecordRow};
use std::fmt::Write;

/// More rows than one buffer holds, some of them with quotes.
fn many() -> String {
    let mut text = "id,name\n".to_owned();
    for n in 0..20_000 {
        let quote = if n % 50 == 0 { "\"" } else { "" };
        writeln!(text, "{n},{quote}name of {n}{quote}").unwrap();
    }
    text
}

fn open(f: &Folder) -> CsvReader<RecordRow> {
    let mut reader = CsvReader::rows(f.path("in.csv"));
    now(Reader::open(&mut reader, None)).unwrap();
    reader
}

fn chunk(reader: &mut CsvReader<RecordRow>, size: usize) -> Vec<RecordRow> {
    let mut rows = Vec::new();
    now(reader.read_chunk(size, &mut rows)).unwrap();
    rows
}

#[test]
fn every_row_of_many_buffers_is_what_it_was() {
    let f = Folder::new();
    f.file(many());
    let mut reader = open(&f);
    let mut next = 0;
    loop {
        let rows = chunk(&mut reader, 700);
        for row in &rows {
            assert_eq!((&row[0], &row["name"]), (next.to_string().as_str(), format!("name of {next}").as_str()));
            assert_eq!(row.line(), next + 2);
            next += 1;
        }
        if rows.len() < 700 {
            break;
        }
    }
    assert_eq!(next, 20_000);
}

#[test]
fn a_buffer_is_used_again_when_no_row_has_it() {
    let f = Folder::new();
    f.file(many());
    let mut reader = open(&f);
    let mut places = Vec::new();
    for _ in 0..20 {
        // Where the texts of a chunk are; the rows are dropped at the end.
        places.extend(chunk(&mut reader, 1000).iter().map(|row| row[0].as_ptr().addr() >> 12));
    }
    places.sort_unstable();
    places.dedup();
    let pages = many().len() >> 12;
    assert!(places.len() < pages * 3 / 4, "{} pages for a file of {pages}", places.len());
}

#[test]
fn a_row_that_is_kept_stays_what_it_is() {
    let f = Folder::new();
    f.file(many());
    let mut reader = open(&f);
    let kept = chunk(&mut reader, 1).remove(0);
    let detached = kept.detached();
    while !chunk(&mut reader, 1000).is_empty() {}
    assert_eq!((fields(&kept), kept.line()), (vec!["0", "name of 0"], 2));
    assert!(detached == kept && detached.line() == 2 && detached[0].as_ptr() != kept[0].as_ptr());
}

#[test]
fn the_contract_of_readers_holds() {
    let f = Folder::new();
    let path = f.file("id,name\n1,a\n2\n3,\"b\n,\"\"\"\n\n4,c,d\n5,\"e\"f\n\"6\",é\r\n7,g\r8,\"h");
    now(reader_conformance(|| CsvReader::rows(&path)));
    now(reader_conformance(|| CsvReader::rows(&path).has_headers(false).max_record_bytes(7)));
    now(reader_conformance(|| CsvReader::<Vec<String>>::open(&path)));
}

#[test]
fn lines_are_told_of_rows_that_were_yielded() {
    let f = Folder::new();
    f.file("a\n1\n\n2\n\"3\n\"\n4\n");
    let mut reader = open(&f);
    assert_eq!(chunk(&mut reader, 2).len(), 2);
    let mut lines = Vec::new();
    reader.take_lines(&mut lines);
    assert_eq!((lines.as_slice(), reader.bytes(), reader.total().unwrap().done), ([2, 4].as_slice(), 7, 7));
    assert_eq!(chunk(&mut reader, 9).len(), 2);
    reader.take_lines(&mut lines);
    assert_eq!(lines, [5, 7]);
}
