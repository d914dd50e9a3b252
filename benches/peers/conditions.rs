//! What a figure needs beside it.

use crate::{check::Check, options::Options};
use batch_core::Result;
use std::{fs, process::Command, thread};

/// Before the first round.
pub async fn begin(check: &mut Check, options: &Options) -> Result<Vec<(String, String)>> {
    let cores = thread::available_parallelism()?.get();
    let mut conditions = vec![
        ("command".to_owned(), std::env::args().skip(1).filter(|argument| argument != "--bench").collect::<Vec<_>>().join(" ")),
        ("rounds".to_owned(), format!("{}, interleaved; medians", options.rounds)),
        ("rows of the file".to_owned(), check.rows.to_string()),
        ("cores".to_owned(), format!("{cores}, {}", processor())),
        ("commit".to_owned(), said("git", &["-C", env!("CARGO_MANIFEST_DIR"), "describe", "--always", "--dirty"])),
        ("kernel".to_owned(), said("uname", &["-sr"])),
        ("rustc".to_owned(), said("rustc", &["--version"])),
        ("database".to_owned(), check.version().await?),
        ("Java".to_owned(), said("java", &["-version"])),
    ];
    conditions.push(("load average before".to_owned(), load()));
    Ok(conditions)
}

pub fn end(conditions: &mut Vec<(String, String)>) {
    conditions.push(("load average after".to_owned(), load()));
}

/// Of one, five and fifteen minutes; the contestants themselves are part of it.
fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').take(3).collect::<Vec<_>>().join(" ")
}

fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("model name"));
    line.and_then(|line| line.split(": ").nth(1)).unwrap_or("unknown").to_owned()
}

/// The first line that a program says of itself; Java says it as an error.
fn said(program: &str, arguments: &[&str]) -> String {
    let Ok(output) = Command::new(program).args(arguments).output() else { return "none".to_owned() };
    let text = String::from_utf8_lossy(if output.stdout.is_empty() { &output.stderr } else { &output.stdout }).into_owned();
    text.lines().next().unwrap_or("none").to_owned()
}
