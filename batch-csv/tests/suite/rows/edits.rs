//! Fields that a processor changes.

use super::{fields, rows};
use batch_csv::Column;
use std::fmt::Write;

#[test]
fn fields_take_what_displays_itself() {
    let mut row = rows("id,name,price\n1,bolt,9.50\n").remove(0);
    row.set("price", format_args!("{}.{:02}", 10, 5)).unwrap();
    row.set(0, row.parse::<u32>("id").unwrap() + 41).unwrap();
    row.set(Column::new("name"), row["name"].to_uppercase()).unwrap();
    assert_eq!(fields(&row), ["42", "BOLT", "10.05"]);
    assert_eq!((row.get("name"), &row[2]), (Some("BOLT"), "10.05"));
}

#[test]
fn a_field_is_rewritten_from_what_it_was() {
    let mut row = rows("a,b\nx,y\n").remove(0);
    row.rewrite("b", |old, new| write!(new, "{old}{old}").unwrap()).unwrap();
    row.rewrite("a", |old, new| new.extend(old.chars().chain(['!']))).unwrap();
    row.rewrite("b", |old, new| new.push_str(&old[1..])).unwrap();
    assert_eq!(fields(&row), ["x!", "y"]);
    row.rewrite("b", |_, _| {}).unwrap();
    assert_eq!(fields(&row), ["x!", ""]);
}

#[test]
fn case_is_changed_as_by_the_standard_library() {
    for text in ["", "aZ09,é", "straße ǆ", "ΑΣ", "İi", &"long ".repeat(30_000)] {
        let mut row = batch_csv::RecordRow::new([text, text]);
        row.rewrite(0, |old, new| new.push_uppercase(old)).unwrap();
        row.rewrite(1, |old, new| new.push_lowercase(old)).unwrap();
        assert_eq!(fields(&row), [text.to_uppercase(), text.to_lowercase()]);
    }
}

#[test]
fn clones_have_their_own_edits() {
    let row = rows("a,b\n1,2\n").remove(0);
    let mut one = row.clone();
    one.set(0, "x").unwrap();
    let mut other = one.clone();
    other.set(1, "y").unwrap();
    assert_eq!([fields(&row), fields(&one), fields(&other)], [["1", "2"], ["x", "2"], ["x", "y"]]);
}

#[test]
fn another_row_can_be_edited_meanwhile() {
    let mut rows = rows("a\n1\n2\n");
    let (one, other) = rows.split_at_mut(1);
    one[0]
        .rewrite(0, |old, new| {
            new.push('<');
            other[0].set(0, format_args!("{old}?")).unwrap();
            new.push('>');
        })
        .unwrap();
    assert_eq!((fields(&one[0]), fields(&other[0])), (vec!["<>"], vec!["1?"]));
}

#[test]
fn edits_outlive_many_others() {
    let mut row = rows("a,b\nfirst,2\n").remove(0);
    row.set("b", "kept").unwrap();
    for n in 0..20_000 {
        let mut other = row.clone();
        other.set(0, n).unwrap();
        assert_eq!((other.get(0), other.get(1)), (Some(n.to_string().as_str()), Some("kept")));
    }
    assert_eq!(fields(&row), ["first", "kept"]);
}
