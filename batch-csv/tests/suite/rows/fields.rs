//! How fields are named and lent.

use super::{fields, rows};
use batch_csv::{Column, RecordRow};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[test]
fn fields_are_named_by_number_name_and_column() {
    static B: Column = Column::new("b");
    let row = &rows("a,b,a\n1,\"2,\"\"\",3\n")[0];
    assert_eq!((row.get(0), row.get("b"), row.get(&B), row.get("a")), (Some("1"), Some("2,\""), Some("2,\""), Some("1")));
    assert_eq!((row.get(3), row.get("c"), row.get(Column::new("c"))), (None, None, None));
    assert_eq!((&row[2], &row["b"], &row[&B], row.len()), ("3", "2,\"", "2,\"", 3));
    assert_eq!(fields(row), ["1", "2,\"", "3"]);
}

#[test]
fn a_column_is_found_anew_under_another_header() {
    let column = Column::new("b");
    let (one, other, none) = (&rows("a,b\n1,2\n")[0], &rows("b,a\n3,4\n")[0], &rows("a,c\n5,6\n")[0]);
    for _ in 0..2 {
        assert_eq!((one.get(&column), other.get(&column), none.get(&column)), (Some("2"), Some("3"), None));
    }
}

#[test]
fn a_row_without_a_header_has_no_names() {
    let row = RecordRow::new(["1", "2"]);
    assert_eq!((row.get("1"), row.get(1), row.header()), (None, Some("2"), None));
}

#[test]
fn ragged_rows_end_where_they_end() {
    let rows = rows("a,b,c\n1\n2,3,4,5\n");
    assert_eq!((rows[0].get("c"), rows[0].get(1), rows[0].len()), (None, None, 1));
    assert_eq!((rows[1].get("c"), rows[1].get(3), rows[1].len()), (Some("4"), Some("5"), 4));
}

#[test]
fn structs_borrow_from_their_row() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Product<'a> {
        sku: &'a str,
        id: u32,
        note: Option<&'a str>,
    }
    let mut row = rows("id,sku,note\n7,\"a\"\"b\",\n").remove(0);
    assert_eq!(row.deserialize::<Product<'_>>().unwrap(), Product { sku: "a\"b", id: 7, note: None });
    row.set("note", "new").unwrap();
    assert_eq!(row.deserialize::<Product<'_>>().unwrap().note, Some("new"));
    assert_eq!(row.deserialize::<(u8, &str, &str)>().unwrap(), (7, "a\"b", "new"));
}

#[test]
fn rows_serialise_as_maps_under_a_header_of_their_width_else_as_sequences() {
    let json = |row: &RecordRow| serde_json::to_string(row).unwrap();
    assert_eq!(json(&rows("b,a\n1,x\n")[0]), r#"{"b":"1","a":"x"}"#);
    assert_eq!(json(&rows("b,a\n1\n")[0]), r#"["1"]"#);
    assert_eq!(json(&RecordRow::new(["1", "2"])), r#"["1","2"]"#);
    let map: BTreeMap<&str, &str> = BTreeMap::from([("a", "x"), ("b", "1")]);
    assert_eq!(rows("b,a\n1,x\n")[0].deserialize::<BTreeMap<&str, &str>>().unwrap(), map);
}

#[test]
fn rows_go_everywhere() {
    fn everywhere<T: Clone + Send + Sync + Serialize + PartialEq + std::fmt::Debug + 'static>() {}
    everywhere::<RecordRow>();
    let row = rows("a\n1\n").remove(0);
    assert_eq!(std::thread::spawn(move || row[0].to_owned()).join().unwrap(), "1");
}

#[test]
#[should_panic(expected = "the row has no field c")]
fn an_index_must_be_there() {
    let _ = &rows("a,b\n1,2\n")[0]["c"];
}
