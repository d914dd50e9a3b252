//! What is said of a row that is not as it must be.

use super::{fields, rows};
use crate::support::refused;
use batch_core::{BadRecord, ErrorKind, Result};
use batch_csv::RecordRow;
use serde::Deserialize;

fn bad<T>(result: Result<T>) -> BadRecord {
    match result {
        Ok(_) => panic!("is not bad"),
        Err(e) => *e.downcast().unwrap(),
    }
}

#[test]
fn a_field_that_does_not_parse_names_line_column_and_row() {
    let rows = rows("id,name\n1,a\n\nx,\"b,\"\"\"\n");
    let found = bad(rows[1].parse::<i64>("id"));
    assert_eq!(found.to_string(), "line 4: id: cannot parse `x`: invalid digit found in string");
    assert_eq!((found.line, found.column.as_deref(), found.raw.as_deref()), (Some(4), Some("id"), Some("x,\"b,\"\"\"")));
    assert_eq!(bad(rows[0].parse::<i64>(1)).to_string(), "line 2: name: cannot parse `a`: invalid digit found in string");
}

#[test]
fn processors_say_what_is_wrong_in_their_own_words() {
    let mut row = rows("id,price\n1,-2\n").remove(0);
    row.set("id", "7").unwrap();
    let found = row.bad("price", "is negative");
    assert_eq!((found.to_string().as_str(), found.raw.as_deref()), ("line 2: price: is negative", Some("7,-2")));
    let found = RecordRow::new(["1"]).bad(0, "is odd");
    assert_eq!((found.to_string().as_str(), found.line), ("1: is odd", None));
}

#[test]
fn long_rows_are_cut_in_messages() {
    let raw = RecordRow::new(["é".repeat(5000)]).bad(0, "is long").raw.unwrap();
    assert!(raw.ends_with("é…") && raw.len() <= 4 * 1024 + '…'.len_utf8());
}

#[test]
fn a_column_that_no_row_has_is_a_matter_of_configuration() {
    let mut rows = rows("id,name\n1,a\n");
    let (kind, text) = refused(rows[0].field("price"));
    assert_eq!((kind, text.as_str()), (ErrorKind::Configuration, "the header has no column `price`; it has `id`, `name`"));
    assert_eq!(refused(rows[0].set("price", 1)).0, ErrorKind::Configuration);
    assert_eq!(
        refused(RecordRow::new(["1"]).field("id")).1,
        "there is no header to find the column `id` in; name it by its number"
    );
    #[derive(Debug, Deserialize)]
    struct Priced {
        #[expect(dead_code, reason = "is never there")]
        price: f64,
    }
    assert_eq!(refused(rows[0].deserialize::<Priced>()).0, ErrorKind::Configuration);
}

#[test]
fn a_row_that_ends_too_early_is_bad() {
    let mut rows = rows("id,name,note\n1,a\n");
    assert_eq!(bad(rows[0].field("note")).to_string(), "line 2: note: the record ends before this field");
    assert_eq!(bad(rows[0].set(2, "x")).to_string(), "line 2: note: the record ends before this field");
    assert_eq!(bad(rows[0].rewrite(9, |_, _| {})).to_string(), "line 2: 10: the record ends before this field");
    assert_eq!(fields(&rows[0]), ["1", "a"]);
}

#[test]
fn a_row_that_is_no_struct_names_the_field_at_fault() {
    let row = &rows("id,stock\n1,many\n")[0];
    let found = bad(row.deserialize::<(i32, u16)>());
    assert_eq!(found.to_string(), "line 2: stock: cannot parse `many` as a whole number");
    assert_eq!(found.raw.as_deref(), Some("1,many"));
}
