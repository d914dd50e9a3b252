//! Hostile sizes.

use super::Product;
use crate::support::{Folder, all, now};
use batch_core::Reader;
use batch_csv::CsvReader;
use std::{
    fs::{self, File, OpenOptions},
    os::unix::fs::FileExt,
};

const SIZE: u64 = 2 << 30;

/// The most memory that this process ever had, in bytes.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

fn sparse(f: &Folder, before: &[u8], after: &[u8]) -> File {
    let path = f.path("big.csv");
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path).unwrap();
    file.write_all_at(before, 0).unwrap();
    file.set_len(SIZE).unwrap();
    file.write_all_at(after, SIZE).unwrap();
    file
}

/// The other tests of this process use memory as well, but far from what two such fields would take.
#[test]
fn a_field_of_two_gigabytes_takes_no_memory() {
    // In memory, where a hole is read without a page for it.
    let f = Folder(tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap());
    let file = sparse(&f, b"id,sku,price\n1,\"", b"\",1\n2,b,2\n");
    let mut reader = CsvReader::<Product>::open(f.path("big.csv"));
    now(Reader::open(&mut reader, None)).unwrap();
    let found = all(&mut reader);
    assert!(found[0].0.as_ref().unwrap_err().starts_with("line 2: the record has 2,147,483,638 bytes, 1,048,576 are allowed"));
    assert!(found[1].0.is_ok() && found.len() == 2);
    assert!(peak() < 400 << 20, "{} bytes", peak());
    drop(file);
}
