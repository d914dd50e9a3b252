//! What items look like in the file.

use crate::{
    reader::{Product, product},
    support::{Folder, Now, now, read},
};
use batch_core::{ErrorKind, Undo, Writer};
use batch_csv::{CsvReader, CsvWriter, QuoteStyle, RecordRow, Terminator};
use serde::Serialize;
use std::collections::BTreeMap;

fn written<T: Serialize + Send + Sync + 'static>(items: &[T], with: impl Fn(CsvWriter<T>) -> CsvWriter<T>) -> String {
    let f = Folder::new();
    let mut writer = with(CsvWriter::create(f.path("out.csv")));
    writer.start(None).unwrap();
    writer.put(items).unwrap();
    writer.commit().unwrap();
    writer.publish().unwrap();
    f.text("out.csv")
}

fn refused<T: Serialize + Send + Sync + 'static>(items: &[T], with: impl Fn(CsvWriter<T>) -> CsvWriter<T>) -> String {
    let mut writer = with(CsvWriter::create("never.csv"));
    writer.put(items).unwrap_err().to_string()
}

#[test]
fn structs_have_a_header_and_fields_are_quoted_where_needed() {
    let items = [product(1, "a", 1.5), product(-2, "b,\"c\"\nd", 1e300)];
    assert_eq!(written(&items, |w| w), "id,sku,price\n1,a,1.5\n-2,\"b,\"\"c\"\"\nd\",1e300\n");
}

#[test]
fn tuples_and_sequences_have_none() {
    assert_eq!(written(&[(1, 'x', Some(true)), (2, 'y', None)], |w| w), "1,x,true\n2,y,\n");
    assert_eq!(written(&[vec!["", "a"], vec!["b", ""]], |w| w), ",a\nb,\n");
}

#[test]
fn maps_are_named_by_their_keys() {
    assert_eq!(written(&[BTreeMap::from([("a", 1), ("b", 2)])], |w| w), "a,b\n1,2\n");
}

#[test]
fn options_change_what_is_written() {
    let items = [product(1, "a;b", 1.5)];
    assert_eq!(written(&items, |w| w.delimiter(b';').headers(false)), "1;\"a;b\";1.5\n");
    assert_eq!(written(&items, |w| w.quote_style(QuoteStyle::Always).quote(b'\'').headers(false)), "'1','a;b','1.5'\n");
    assert_eq!(written(&items, |w| w.quote_style(QuoteStyle::NonNumeric).headers(false)), "1,\"a;b\",1.5\n");
    assert_eq!(written(&items, |w| w.terminator(Terminator::CRLF)), "id,sku,price\r\n1,a;b,1.5\r\n");
    assert_eq!(written(&items, |w| w.header(["Number", "Article, new", "Price"])), "Number,\"Article, new\",Price\n1,a;b,1.5\n");
}

#[test]
fn a_lone_empty_field_is_not_a_blank_line() {
    assert_eq!(written(&[(""), ("x")], |w| w), "\"\"\nx\n");
}

#[test]
fn formulas_are_escaped_and_numbers_are_not() {
    let items = ["=1+1", "+49 171", "-x", "@a", "\tb", "\rc", "\0d", "-12.50", "+49171", "-inf", "a=b", ""];
    let items: Vec<(&str, f64)> = items.into_iter().map(|text| (text, -1.5)).collect();
    let wanted = "'=1+1,-1.5\n'+49 171,-1.5\n'-x,-1.5\n'@a,-1.5\n'\tb,-1.5\n\"'\rc\",-1.5\n'\0d,-1.5\n-12.50,-1.5\n+49171,-1.5\n'-inf,-1.5\na=b,-1.5\n,-1.5\n";
    assert_eq!(written(&items, |w| w.escape_formulas(true)), wanted);
    assert!(written(&items, |w| w).starts_with("=1+1,-1.5\n+49 171,"));
}

#[test]
fn what_displays_itself_is_quoted_and_escaped_as_other_text() {
    struct Shown(&'static str);
    impl Serialize for Shown {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_str(&format_args!("{}{}", self.0, 'é'))
        }
    }
    let items = [(Shown("a"), 1), (Shown("b,\"c\""), 2), (Shown("=d"), 3)];
    assert_eq!(written(&items, |w| w), "aé,1\n\"b,\"\"c\"\"é\",2\n=dé,3\n");
    assert_eq!(written(&items, |w| w.escape_formulas(true)), "aé,1\n\"b,\"\"c\"\"é\",2\n'=dé,3\n");
    assert_eq!(written(&items[..1], |w| w.quote_style(QuoteStyle::Always)), "\"aé\",\"1\"\n");
    assert!(refused(&items, |w| w.quote_style(QuoteStyle::Never)).contains("quoting is off"));
}

#[test]
fn rows_are_copied_with_their_header() {
    let f = Folder::new();
    let text = "a,\"b,c\",a\n1,2,3\n4,\"5\n\",6\n";
    let records: Vec<RecordRow> = read(CsvReader::rows(f.file(text))).into_iter().map(Result::unwrap).collect();
    assert_eq!(written(&records, |w| w), text);

    let odd = "a,b\n1\n2,3,4\n";
    let reader = CsvReader::rows(f.file(odd)).flexible(true);
    let header = reader.header().unwrap();
    let records: Vec<RecordRow> = read(reader).into_iter().map(Result::unwrap).collect();
    assert_eq!(written(&records, |w| w.header(&header).flexible(true)), odd);
}

#[test]
fn what_cannot_be_written_is_told_with_its_column() {
    #[derive(Serialize)]
    struct Nested {
        id: i32,
        inner: Vec<i32>,
    }
    let nested = [Nested { id: 1, inner: vec![2, 3] }];
    assert_eq!(refused(&nested, |w| w), "inner: a field under a header holds a single value; flatten it, or turn headers off");
    assert_eq!(written(&nested, |w| w.headers(false)), "1,2,3\n");
    assert_eq!(refused(&[vec![1, 2], vec![3]], |w| w), "the item has 1 fields, those before it or the header have 2");
    assert_eq!(written(&[vec![1, 2], vec![3]], |w| w.flexible(true)), "1,2\n3\n");
    assert_eq!(refused(&[Vec::<i32>::new()], |w| w), "an item without fields cannot be written");
    assert_eq!(refused(&[(1, 2)], |w| w.header(["a"])), "the item has 2 fields, those before it or the header have 1");
    let comma = refused(&[product(1, "a,b", 1.0)], |w| w.quote_style(QuoteStyle::Never));
    assert_eq!(comma, "sku: contains the delimiter, a quote or a line end, and quoting is off");
}

#[test]
fn an_item_that_fails_takes_its_call_with_it_and_nothing_else() {
    let f = Folder::new();
    let mut writer = CsvWriter::create(f.path("out.csv"));
    writer.start(None).unwrap();
    writer.put(&[vec![1, 2]]).unwrap();
    assert!(writer.put(&[vec![3, 4], vec![5], vec![6, 7]]).is_err());
    writer.put(&[vec![8, 9]]).unwrap();
    writer.commit().unwrap();
    assert_eq!(f.text("out.csv.part"), "1,2\n8,9\n");
}

#[test]
fn an_item_taken_back_decides_neither_header_nor_width() {
    let f = Folder::new();
    let mut writer = CsvWriter::create(f.path("out.csv"));
    writer.start(None).unwrap();
    writer.put(&[BTreeMap::from([("wrong", 1)])]).unwrap();
    writer.keep(0);
    writer.put(&[BTreeMap::from([("a", 1), ("b", 2)])]).unwrap();
    writer.commit().unwrap();
    assert_eq!(f.text("out.csv.part"), "a,b\n1,2\n");
}

#[test]
fn a_dry_run_reaches_no_file() {
    let f = Folder::new();
    let mut writer = CsvWriter::create(f.path("out.csv"));
    for _ in 0..3 {
        writer.put(&[product(1, "a", 1.0)]).unwrap();
        writer.keep(0);
    }
    assert_eq!(f.0.path().read_dir().unwrap().count(), 0);
    assert_eq!(Writer::<Product, ()>::undo(&writer), Undo::Rewind);
    let (kind, _) = crate::support::refused(writer.commit());
    assert_eq!(kind, ErrorKind::Failed);
}

#[test]
fn any_connection_will_do() {
    let f = Folder::new();
    let mut writer = CsvWriter::create(f.path("out.csv"));
    now(writer.write(&mut String::new(), [(1, 2)].as_slice().into())).unwrap();
    now(writer.write(&mut 7, [(1, 2)].as_slice().into())).unwrap();
}
