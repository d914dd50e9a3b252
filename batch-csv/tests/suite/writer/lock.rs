//! One writer at a time, and no detours.

use crate::support::{Folder, Now, refused};
use batch_core::ErrorKind;
use batch_csv::CsvWriter;
use std::{
    fs::{self, File},
    os::unix::fs::symlink,
    process::{Command, Stdio},
};

type Row = (u32, &'static str);

fn writer(f: &Folder) -> CsvWriter<Row> {
    CsvWriter::create(f.path("out.csv"))
}

#[test]
fn a_second_writer_is_refused_until_the_first_is_closed() {
    let f = Folder::new();
    let mut first = writer(&f);
    first.start(None).unwrap();
    first.put(&[(1, "a")]).unwrap();
    let saved = first.commit().unwrap();
    for state in [None, Some(&saved)] {
        let (kind, text) = refused(writer(&f).start(state));
        assert_eq!((kind, kind.exit_code()), (ErrorKind::AlreadyRunning, 4));
        assert!(text.contains("being written by another step of this process") && text.contains("out.csv.part"), "{text}");
    }
    assert_eq!(f.text("out.csv.part"), "1,a\n");
    first.end();
    writer(&f).start(Some(&saved)).unwrap();
}

#[test]
fn the_process_that_holds_the_lock_is_named() {
    let f = Folder::new();
    let part = f.path("out.csv.part");
    File::create(&part).unwrap();
    let mut holder = Command::new("flock")
        .args(["-x"])
        .arg(&part)
        .args(["-c", "echo held; read end"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Read::read_exact(holder.stdout.as_mut().unwrap(), &mut [0; 5]).unwrap();
    let (kind, text) = refused(writer(&f).start(None));
    drop(holder.stdin.take());
    holder.wait().unwrap();
    assert_eq!(kind, ErrorKind::AlreadyRunning);
    assert!(text.contains(&format!("being written by process {}", holder.id())), "{text}");
    writer(&f).start(None).unwrap();
}

#[test]
fn a_link_is_not_followed() {
    let f = Folder::new();
    fs::write(f.path("precious"), "data").unwrap();
    symlink(f.path("precious"), f.path("out.csv.part")).unwrap();
    let (kind, text) = refused(writer(&f).start(None));
    assert_eq!(kind, ErrorKind::Configuration);
    assert!(text.contains("symbolic link"), "{text}");
    assert_eq!(f.text("precious"), "data");
}

#[test]
fn a_part_file_that_was_replaced_under_the_writer_is_not_taken_for_its_own() {
    let f = Folder::new();
    let mut w = writer(&f);
    w.start(None).unwrap();
    w.put(&[(1, "a")]).unwrap();
    let saved = w.commit().unwrap();
    fs::rename(f.path("out.csv.part"), f.path("elsewhere")).unwrap();
    fs::write(f.path("out.csv.part"), "9,z\n").unwrap();
    assert_eq!(refused(w.start(Some(&saved))).0, ErrorKind::NeedsOperator);
    assert_eq!(f.text("elsewhere"), "1,a\n");
}

#[test]
fn two_outputs_of_one_step_do_not_meet() {
    let f = Folder::new();
    let (mut a, mut b) = (writer(&f), CsvWriter::<Row>::create(f.path("other.csv")));
    a.start(None).unwrap();
    b.start(None).unwrap();
    for w in [&mut a, &mut b] {
        w.put(&[(1, "a")]).unwrap();
        w.commit().unwrap();
        w.publish().unwrap();
    }
    assert_eq!(f.text("out.csv"), f.text("other.csv"));
}
