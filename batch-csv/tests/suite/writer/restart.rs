//! Going on where the last commit was.

use crate::support::{Folder, Now, refused};
use batch_core::ErrorKind;
use batch_csv::{CsvWriter, Fsync};
use serde_json::{Value, json};
use std::fs;

type Row = (u32, &'static str);

fn writer(f: &Folder) -> CsvWriter<Row> {
    CsvWriter::create(f.path("out.csv")).header(["n", "t"])
}

/// A part file with two chunks, and its checkpoint.
fn interrupted(f: &Folder) -> Value {
    let mut w = writer(f);
    w.start(None).unwrap();
    w.put(&[(1, "a"), (2, "b")]).unwrap();
    w.commit().unwrap();
    w.put(&[(3, "c")]).unwrap();
    w.commit().unwrap()
}

fn resume(f: &Folder, saved: &Value) -> (ErrorKind, String) {
    refused(writer(f).start(Some(saved)))
}

#[test]
fn the_header_is_written_once() {
    let f = Folder::new();
    let saved = interrupted(&f);
    let mut w = writer(&f);
    w.start(Some(&saved)).unwrap();
    w.put(&[(4, "d")]).unwrap();
    w.commit().unwrap();
    w.publish().unwrap();
    assert_eq!(f.text("out.csv"), "n,t\n1,a\n2,b\n3,c\n4,d\n");
}

#[test]
fn a_tail_behind_the_checkpoint_is_cut_off() {
    let f = Folder::new();
    let saved = interrupted(&f);
    fs::write(f.path("out.csv.part"), f.text("out.csv.part") + "4,d\n5,garb").unwrap();
    let mut w = writer(&f);
    w.start(Some(&saved)).unwrap();
    assert!(f.text("out.csv.part").ends_with("5,garb"), "nothing is cut off before the engine knows that the step is still ours");
    w.put(&[(4, "d")]).unwrap();
    w.commit().unwrap();
    assert_eq!(f.text("out.csv.part"), "n,t\n1,a\n2,b\n3,c\n4,d\n");
}

#[test]
fn a_tail_behind_the_checkpoint_is_cut_off_also_where_nothing_follows() {
    let f = Folder::new();
    let saved = interrupted(&f);
    fs::write(f.path("out.csv.part"), f.text("out.csv.part") + "4,d\n5,garb").unwrap();
    let mut w = writer(&f);
    w.start(Some(&saved)).unwrap();
    w.publish().unwrap();
    assert_eq!(f.text("out.csv"), "n,t\n1,a\n2,b\n3,c\n");
}

#[test]
fn a_part_file_that_is_shorter_is_refused_with_both_lengths() {
    let f = Folder::new();
    let saved = interrupted(&f);
    fs::write(f.path("out.csv.part"), "n,t\n1,a\n").unwrap();
    let (kind, text) = resume(&f, &saved);
    assert_eq!(kind, ErrorKind::NeedsOperator);
    assert!(text.contains("it has 8 bytes, at the last commit it had 16; put it back"), "{text}");
    assert!(text.contains("out.csv.part"), "{text}");
}

#[test]
fn a_part_file_with_other_bytes_is_refused_and_left_alone() {
    let f = Folder::new();
    let saved = interrupted(&f);
    let other = "n,t\n1,a\n2,b\n3,X\nmore";
    fs::write(f.path("out.csv.part"), other).unwrap();
    let (kind, text) = resume(&f, &saved);
    assert_eq!(kind, ErrorKind::NeedsOperator);
    assert!(text.contains("the 16 bytes before byte 16 are not those of the last commit"), "{text}");
    assert_eq!(f.text("out.csv.part"), other);
}

#[test]
fn a_part_file_that_is_gone_is_refused() {
    let f = Folder::new();
    let saved = interrupted(&f);
    fs::remove_file(f.path("out.csv.part")).unwrap();
    let (kind, text) = resume(&f, &saved);
    assert_eq!(kind, ErrorKind::NeedsOperator);
    assert!(text.contains("the part file is gone, and there is no output file"), "{text}");
    fs::write(f.path("out.csv"), "the report of yesterday, which is longer").unwrap();
    let (kind, text) = resume(&f, &saved);
    assert_eq!(kind, ErrorKind::NeedsOperator);
    assert!(text.contains("the output file is not what was committed"), "{text}");
    assert!(!f.path("out.csv.part").exists());
}

#[test]
fn a_checkpoint_that_cannot_be_read_is_refused() {
    let f = Folder::new();
    let saved = interrupted(&f);
    let mut newer = saved;
    newer["version"] = json!(2);
    for damaged in [json!(null), json!({}), json!({"length": "7"}), json!([1]), newer] {
        assert_eq!(resume(&f, &damaged).0, ErrorKind::NeedsOperator, "{damaged}");
    }
    assert_eq!(f.text("out.csv.part"), "n,t\n1,a\n2,b\n3,c\n");
}

#[test]
fn the_same_writer_goes_back_under_its_own_lock() {
    let f = Folder::new();
    let mut w = writer(&f);
    w.start(None).unwrap();
    w.put(&[(1, "a")]).unwrap();
    w.commit().unwrap();
    // The first commit failed: nothing is saved yet.
    w.start(None).unwrap();
    w.put(&[(1, "a")]).unwrap();
    let saved = w.commit().unwrap();
    w.put(&[(2, "b"), (3, "c")]).unwrap();
    w.commit().unwrap();
    w.start(Some(&saved)).unwrap();
    w.put(&[(2, "b")]).unwrap();
    w.commit().unwrap();
    w.publish().unwrap();
    assert_eq!(f.text("out.csv"), "n,t\n1,a\n2,b\n");
}

#[test]
fn rollback_cuts_anywhere() {
    let f = Folder::new();
    let mut w = writer(&f);
    w.start(None).unwrap();
    w.put(&[(1, "a"), (2, "b"), (3, "c")]).unwrap();
    w.put(&[(4, "d")]).unwrap();
    w.keep(9);
    w.keep(2);
    w.put(&[(5, "e")]).unwrap();
    w.commit().unwrap();
    w.put(&[(6, "f")]).unwrap();
    w.keep(0);
    w.commit().unwrap();
    assert_eq!(f.text("out.csv.part"), "n,t\n1,a\n2,b\n5,e\n");
}

#[test]
fn fsync_at_the_end_restarts_all_the_same() {
    let f = Folder::new();
    let mut w = writer(&f).fsync(Fsync::AtEnd);
    w.start(None).unwrap();
    w.put(&[(1, "a")]).unwrap();
    let saved = w.commit().unwrap();
    drop(w);
    let mut w = writer(&f).fsync(Fsync::AtEnd);
    w.start(Some(&saved)).unwrap();
    w.publish().unwrap();
    assert_eq!(f.text("out.csv"), "n,t\n1,a\n");
}

#[test]
fn the_names_of_the_first_item_head_the_file_after_an_empty_start() {
    let f = Folder::new();
    let open = || CsvWriter::<crate::reader::Product>::create(f.path("out.csv"));
    let mut w = open();
    w.start(None).unwrap();
    let saved = w.commit().unwrap();
    drop(w);
    let mut w = open();
    w.start(Some(&saved)).unwrap();
    w.put(&[crate::reader::product(1, "a", 2.0)]).unwrap();
    let saved = w.commit().unwrap();
    drop(w);
    let mut w = open();
    w.start(Some(&saved)).unwrap();
    w.put(&[crate::reader::product(2, "b", 3.0)]).unwrap();
    w.commit().unwrap();
    assert_eq!(f.text("out.csv.part"), "id,sku,price\n1,a,2.0\n2,b,3.0\n");
}
