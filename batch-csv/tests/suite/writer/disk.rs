//! A disk that is full.

use crate::support::{Folder, Now, refused};
use batch_core::ErrorKind;
use batch_csv::CsvWriter;
use std::{env, fs, path::PathBuf, process::Command};

type Row = (u32, String);

const FOLDER: &str = "BATCH_CSV_LIMITED_FOLDER";

fn rows(from: u32, count: u32) -> Vec<Row> {
    (from..from + count).map(|n| (n, "x".repeat(100))).collect()
}

/// Runs in a process of its own, which may write no file beyond a few kilobytes: the system refuses in the middle of a write, as it
/// does when the disk is full. Does nothing in the test run itself.
#[test]
fn limited_process() {
    let Some(folder) = env::var_os(FOLDER).map(PathBuf::from) else { return };
    let mut w = CsvWriter::<Row>::create(folder.join("out.csv"));
    w.start(None).unwrap();
    w.put(&rows(0, 3)).unwrap();
    let saved = w.commit().unwrap();
    fs::write(folder.join("saved"), saved.to_string()).unwrap();
    w.put(&rows(3, 1000)).unwrap();
    let (kind, text) = refused(w.commit());
    assert_eq!(kind, ErrorKind::Failed);
    assert!(
        text.contains("cannot write the output file") && text.contains("out.csv.part") && text.contains("(os error 27)"),
        "{text}"
    );
    // The same writer can go back, too, and write what fits.
    w.start(Some(&saved)).unwrap();
    w.put(&rows(3, 1)).unwrap();
    w.commit().unwrap();
    w.put(&rows(4, 1000)).unwrap();
    w.commit().unwrap_err();
}

#[test]
fn after_a_full_disk_a_restart_goes_on() {
    let f = Folder::new();
    let script = "trap '' XFSZ; ulimit -f 16; exec \"$0\" --exact writer::disk::limited_process";
    let child = Command::new("sh").args(["-c", script]).arg(env::current_exe().unwrap()).env(FOLDER, f.0.path()).output().unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
    assert!(f.path("out.csv.part").metadata().unwrap().len() > 1000);

    let saved = serde_json::from_str(&f.text("saved")).unwrap();
    let mut w = CsvWriter::<Row>::create(f.path("out.csv"));
    w.start(Some(&saved)).unwrap();
    w.put(&rows(3, 1000)).unwrap();
    w.commit().unwrap();
    w.publish().unwrap();
    let whole: String = rows(0, 1003).into_iter().map(|(n, text)| format!("{n},{text}\n")).collect();
    assert_eq!(f.text("out.csv"), whole);
}
