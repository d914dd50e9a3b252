//! From the part file to the output.

use crate::support::{Folder, Now, refused};
use batch_core::ErrorKind;
use batch_csv::{CsvWriter, Existing};
use std::fs;

type Row = (u32, &'static str);

fn writer(f: &Folder) -> CsvWriter<Row> {
    CsvWriter::create(f.path("out.csv"))
}

#[test]
fn nothing_is_at_the_output_s_place_before_the_end() {
    let f = Folder::new();
    fs::write(f.path("out.csv"), "yesterday").unwrap();
    let mut w = writer(&f);
    w.start(None).unwrap();
    w.put(&[(1, "a")]).unwrap();
    assert_eq!(f.text("out.csv.part"), "");
    w.commit().unwrap();
    assert_eq!(f.text("out.csv"), "yesterday");
    w.publish().unwrap();
    w.publish().unwrap();
    w.end();
    assert_eq!(f.text("out.csv"), "1,a\n");
    assert!(!f.path("out.csv.part").exists());
}

#[test]
fn a_restart_after_publication_has_nothing_to_do() {
    let f = Folder::new();
    let mut w = writer(&f);
    w.start(None).unwrap();
    w.put(&[(1, "a")]).unwrap();
    let saved = w.commit().unwrap();
    w.publish().unwrap();
    // The engine goes back on the same writer, too, when the end could not be recorded.
    w.start(Some(&saved)).unwrap();
    w.publish().unwrap();
    drop(w);

    let mut w = writer(&f);
    w.start(Some(&saved)).unwrap();
    assert_eq!(w.commit().unwrap(), saved);
    w.publish().unwrap();
    w.put(&[(2, "b")]).unwrap();
    for refused_by in [w.commit().map(drop), w.publish()] {
        let (kind, text) = refused(refused_by);
        assert_eq!(kind, ErrorKind::NeedsOperator);
        assert!(text.contains("is published, and items follow"), "{text}");
    }
    assert_eq!(f.text("out.csv"), "1,a\n");
}

#[test]
fn items_that_were_not_flushed_are_not_published() {
    let f = Folder::new();
    let mut w = writer(&f);
    w.start(None).unwrap();
    w.put(&[(1, "a")]).unwrap();
    assert!(refused(w.publish()).1.contains("not flushed"));
    assert!(!f.path("out.csv").exists());
}

#[test]
fn without_items_there_is_a_file_with_what_is_known_of_its_header() {
    let f = Folder::new();
    let mut w = writer(&f);
    w.start(None).unwrap();
    w.publish().unwrap();
    assert_eq!(f.text("out.csv"), "");
    let mut w = writer(&f).header(["n", "t"]);
    w.start(None).unwrap();
    w.publish().unwrap();
    assert_eq!(f.text("out.csv"), "n,t\n");
    let mut w = writer(&f).header(["n", "t"]);
    w.start(None).unwrap();
    let saved = w.commit().unwrap();
    w.publish().unwrap();
    let mut w = writer(&f).header(["n", "t"]);
    w.start(Some(&saved)).unwrap();
    w.publish().unwrap();
    assert_eq!(f.text("out.csv"), "n,t\n");
}

#[test]
fn an_existing_file_can_be_refused_at_both_ends() {
    let f = Folder::new();
    let open = || writer(&f).existing(Existing::Refuse);
    fs::write(f.path("out.csv"), "yesterday").unwrap();
    assert_eq!(refused(open().start(None)).0, ErrorKind::Configuration);
    fs::remove_file(f.path("out.csv")).unwrap();
    let mut w = open();
    w.start(None).unwrap();
    w.put(&[(1, "a")]).unwrap();
    let saved = w.commit().unwrap();
    fs::write(f.path("out.csv"), "another's").unwrap();
    let (kind, text) = refused(w.publish());
    assert_eq!(kind, ErrorKind::Configuration);
    assert!(text.contains("exists already"), "{text}");
    assert_eq!(f.text("out.csv"), "another's");
    drop(w);
    fs::remove_file(f.path("out.csv")).unwrap();
    let mut w = open();
    w.start(Some(&saved)).unwrap();
    w.publish().unwrap();
    let mut w = open();
    w.start(Some(&saved)).unwrap();
    w.publish().unwrap();
    assert_eq!(f.text("out.csv"), "1,a\n");
}

#[test]
fn paths_that_cannot_be_written_are_a_matter_of_configuration() {
    let f = Folder::new();
    fs::create_dir(f.path("folder")).unwrap();
    fs::write(f.path("file"), "").unwrap();
    for (path, why) in
        [("none/out.csv", "does not exist"), ("file/out.csv", "is a file"), ("folder", "is a folder"), ("..", "no file")]
    {
        let mut w = CsvWriter::<Row>::create(f.path(path));
        let (kind, text) = refused(w.start(None));
        assert_eq!((kind, text.contains(why)), (ErrorKind::Configuration, true), "{text}");
    }
    let mut w = writer(&f).delimiter(b'"');
    assert_eq!(refused(w.start(None)).0, ErrorKind::Configuration);
}

#[test]
fn an_output_of_a_name_alone_goes_to_the_working_folder() {
    let name = format!("batch-csv-test-{}.csv", std::process::id());
    let mut w = CsvWriter::<Row>::create(&name);
    w.start(None).unwrap();
    w.publish().unwrap();
    fs::remove_file(name).unwrap();
}
