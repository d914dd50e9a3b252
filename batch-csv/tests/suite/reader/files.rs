//! The file as a whole: missing, odd, empty.

use super::{Product, product};
use crate::support::{Folder, now, read, refused};
use batch_core::{ErrorKind, Reader, Result};
use batch_csv::CsvReader;
use std::{fs, os::unix::fs::PermissionsExt, path::Path};

fn open(path: &Path, with: impl Fn(CsvReader<Product>) -> CsvReader<Product>) -> Result<()> {
    now(Reader::open(&mut with(CsvReader::open(path)), None))
}

#[test]
fn what_cannot_be_read_is_a_matter_of_configuration() {
    let f = Folder::new();
    let missing = f.path("none.csv");
    let (kind, text) = refused(open(&missing, |r| r));
    assert_eq!(kind, ErrorKind::Configuration);
    assert!(text.contains("does not exist") && text.contains("none.csv"), "{text}");

    let (kind, text) = refused(open(f.0.path(), |r| r));
    assert_eq!(kind, ErrorKind::Configuration);
    assert!(text.contains("is a folder"), "{text}");

    let (kind, text) = refused(open(Path::new("/dev/null"), |r| r));
    assert_eq!(kind, ErrorKind::Configuration);
    assert!(text.contains("not a regular file"), "{text}");
}

#[test]
fn a_file_without_permission_says_so() {
    let f = Folder::new();
    let path = f.file("id\n");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    // The superuser may read it all the same.
    if fs::read(&path).is_err() {
        let (kind, text) = refused(open(&path, |r| r));
        assert_eq!(kind, ErrorKind::Configuration);
        assert!(text.contains("may not be read"), "{text}");
    }
}

#[test]
fn nothing_but_a_header_or_not_even_that_yields_nothing() {
    let f = Folder::new();
    for text in ["", "\n\r\n", "id,sku,price", "id,sku,price\r\n", "\u{FEFF}", "\u{FEFF}id,sku,price\n\n"] {
        assert_eq!(read(CsvReader::<Product>::open(f.file(text))), [], "{text:?}");
    }
}

#[test]
fn a_malformed_header_is_a_matter_of_configuration() {
    let f = Folder::new();
    let long = format!("{}\n", "x".repeat(2000));
    for (text, why) in [
        (&b"id,sk\xFF\n"[..], "column 2 is not valid UTF-8"),
        (b"id,\"sku\n1,2", "quote opened on line 1"),
        (long.as_bytes(), "2,000 bytes"),
    ] {
        let (kind, report) = refused(open(&f.file(text), |r| r.max_record_bytes(1000)));
        assert_eq!(kind, ErrorKind::Configuration);
        assert!(report.contains("the header cannot be read") && report.contains(why), "{report}");
    }
}

#[test]
fn options_that_contradict_are_refused() {
    let f = Folder::new();
    let path = f.file("id,sku,price\n");
    for refused_by in [
        open(&path, |r| r.delimiter(b'"')),
        open(&path, |r| r.delimiter(b'\n')),
        open(&path, |r| r.delimiter(0xA7)),
        open(&path, |r| r.comment(Some(b','))),
    ] {
        assert_eq!(refused(refused_by).0, ErrorKind::Configuration);
    }
}

#[test]
fn what_is_appended_after_the_start_is_not_read() {
    let f = Folder::new();
    let path = f.file("id,sku,price\n1,a,1\n");
    let mut reader = CsvReader::<Product>::open(&path);
    now(Reader::open(&mut reader, None)).unwrap();
    fs::write(&path, "id,sku,price\n1,a,1\n2,b,2\n").unwrap();
    assert_eq!(now(reader.read()).unwrap(), Some(product(1, "a", 1.0)));
    assert_eq!(now(reader.read()).unwrap(), None);
}

#[test]
fn a_file_that_becomes_shorter_is_for_an_operator() {
    let f = Folder::new();
    let path = f.file(format!("id,sku,price\n{}", "1,a,1\n".repeat(50_000)));
    let mut reader = CsvReader::<Product>::open(&path);
    now(Reader::open(&mut reader, None)).unwrap();
    fs::write(&path, "id,sku,price\n").unwrap();
    let mut items = Vec::new();
    let (kind, text) = refused(now(reader.read_chunk(usize::MAX, &mut items)));
    assert_eq!(kind, ErrorKind::NeedsOperator);
    assert!(text.contains("became shorter"), "{text}");
}

#[test]
fn a_reader_that_is_not_open_says_so() {
    let f = Folder::new();
    let mut reader = CsvReader::<Product>::open(f.file(""));
    assert_eq!(refused(now(reader.read())).0, ErrorKind::Failed);
    now(Reader::open(&mut reader, None)).unwrap();
    now(reader.close()).unwrap();
    assert_eq!(refused(now(reader.read())).0, ErrorKind::Failed);
}
