//! What a good file yields.

use super::{Product, product};
use crate::support::{Folder, all, now, read};
use batch_core::{Reader, Total};
use batch_csv::{CsvReader, Trim};
use serde::Deserialize;
use std::collections::BTreeMap;

fn rows<T: std::fmt::Debug>(read: Vec<Result<T, String>>) -> Vec<T> {
    read.into_iter().map(Result::unwrap).collect()
}

#[test]
fn header_names_fill_a_struct_in_any_order() {
    let f = Folder::new();
    let path = f.file("price,id,unused,sku\n1.5,1,x,A\n2,2,y,\"B,\"\"b\"\"\nb\"\n");
    assert_eq!(rows(read(CsvReader::<Product>::open(path))), [product(1, "A", 1.5), product(2, "B,\"b\"\nb", 2.0)]);
}

#[test]
fn without_headers_fields_are_taken_by_position() {
    let f = Folder::new();
    let path = f.file("1,A,1.5\n2,B,2");
    assert_eq!(rows(read(CsvReader::<Product>::open(&path).has_headers(false))).len(), 2);
    assert_eq!(rows(read(CsvReader::<(i64, char, f32)>::open(&path).has_headers(false))), [(1, 'A', 1.5), (2, 'B', 2.0)]);
}

#[test]
fn given_names_replace_the_header() {
    let f = Folder::new();
    let path = f.file("a,b,c\n1,A,1.5\n");
    let names = ["id", "sku", "price"];
    assert_eq!(rows(read(CsvReader::<Product>::open(&path).headers(names))), [product(1, "A", 1.5)]);
    let path = f.file("1,A,1.5\n");
    assert_eq!(rows(read(CsvReader::<Product>::open(&path).headers(names).has_headers(false))), [product(1, "A", 1.5)]);
}

#[test]
fn delimiter_quote_comment_and_trim_are_options() {
    let f = Folder::new();
    let path = f.file("# made by hand\n id ; sku ; price \n1; 'a;b' ;2\r\n#1;2;3\r\n2;'a;''b';3\n");
    let reader = CsvReader::<Product>::open(path).delimiter(b';').quote(b'\'').comment(Some(b'#')).trim(Trim::All).flexible(true);
    assert_eq!(read(reader).into_iter().filter_map(Result::ok).collect::<Vec<_>>(), [product(2, "a;'b", 3.0)]);
}

#[test]
fn quotes_are_data_without_quoting() {
    let f = Folder::new();
    let path = f.file("id,sku,price\n1,\"A,2\n");
    assert_eq!(rows(read(CsvReader::<Product>::open(path).no_quoting())), [product(1, "\"A", 2.0)]);
}

#[test]
fn empty_fields_are_none_and_missing_ones_too_where_records_are_flexible() {
    #[derive(Debug, Deserialize, PartialEq)]
    struct Row {
        a: i32,
        b: Option<i32>,
        #[serde(default)]
        c: i32,
    }
    let f = Folder::new();
    let path = f.file("a,b,c\n1,,3\n2\n");
    let wanted = [Row { a: 1, b: None, c: 3 }, Row { a: 2, b: None, c: 0 }];
    assert_eq!(rows(read(CsvReader::<Row>::open(path).flexible(true))), wanted);
}

#[test]
fn maps_enums_and_hexadecimal_numbers_are_read_as_by_the_csv_crate() {
    #[derive(Debug, Deserialize, PartialEq)]
    enum Kind {
        Big,
        Small,
    }
    let f = Folder::new();
    let path = f.file("k,n\nBig,0xff\nSmall,7\n");
    #[derive(Debug, Deserialize, PartialEq)]
    struct Row {
        k: Kind,
        n: u8,
    }
    assert_eq!(rows(read(CsvReader::<Row>::open(&path))), [Row { k: Kind::Big, n: 255 }, Row { k: Kind::Small, n: 7 }]);
    let maps = rows(read(CsvReader::<BTreeMap<String, String>>::open(&path)));
    assert_eq!(maps[1], BTreeMap::from([("k".to_owned(), "Small".to_owned()), ("n".to_owned(), "7".to_owned())]));
}

#[test]
fn rows_have_any_width_where_they_may_and_know_their_header() {
    let f = Folder::new();
    let path = f.file("a,b,a\n1,2,3\n4\n5,6,7,8\n");
    let reader = CsvReader::rows(&path).flexible(true);
    assert_eq!(reader.header().unwrap(), vec!["a", "b", "a"]);
    let records = rows(read(reader));
    assert_eq!(records.iter().map(|r| r.len()).collect::<Vec<_>>(), [3, 1, 4]);
    assert_eq!((records[0].get("b"), records[1].get("b"), records[0].get("z")), (Some("2"), None, None));
    assert_eq!(records[2].line(), 4);
}

#[test]
fn nul_is_data() {
    let f = Folder::new();
    let path = f.file("id,sku,price\n1,a\0b,2\n");
    assert_eq!(rows(read(CsvReader::<Product>::open(path))), [product(1, "a\0b", 2.0)]);
}

#[test]
fn lines_and_progress_are_told() {
    let f = Folder::new();
    let text = "id,sku,price\r\n\r\n1,\"a\nb\r\nc\",2\r2,x,3\n\n\n3,y,4";
    let mut reader = CsvReader::<Product>::open(f.file(text));
    assert_eq!(reader.total(), None);
    now(Reader::open(&mut reader, None)).unwrap();
    assert_eq!(all(&mut reader).len(), 3);
    let mut lines = vec![99];
    reader.take_lines(&mut lines);
    assert_eq!(lines, [3, 6, 9]);
    reader.take_lines(&mut lines);
    assert_eq!(lines, [0; 0]);
    assert_eq!(reader.bytes(), text.len() as u64);
    assert_eq!(reader.total(), Some(Total { done: text.len() as u64, of: text.len() as u64 }));
}

#[test]
fn chunks_end_at_their_size_and_at_bad_records() {
    let f = Folder::new();
    let mut reader = CsvReader::<Product>::open(f.file("id,sku,price\n1,a,1\n2,b,2\nx,c,3\n4,d,4\n"));
    now(Reader::open(&mut reader, None)).unwrap();
    let mut chunk = Vec::new();
    assert!(now(reader.read_chunk(1, &mut chunk)).unwrap());
    assert!(now(reader.read_chunk(3, &mut chunk)).is_err());
    assert_eq!(chunk.len(), 2);
    assert!(!now(reader.read_chunk(9, &mut chunk)).unwrap());
    assert_eq!(chunk.len(), 3);
    assert_eq!(reader.position().record, 4);
}

#[test]
fn a_dropped_read_consumed_nothing() {
    let f = Folder::new();
    let mut reader = CsvReader::<Product>::open(f.file("id,sku,price\n1,a,1\n2,b,2\n"));
    now(Reader::open(&mut reader, None)).unwrap();
    let before = reader.position();
    drop(reader.read());
    drop(reader.read_chunk(9, &mut Vec::new()));
    assert_eq!(reader.position(), before);
    assert_eq!(all(&mut reader).len(), 2);
}
