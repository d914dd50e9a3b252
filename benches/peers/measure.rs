//! One process: what it says, how long it took and how much memory it held.

use crate::{
    contestants::command,
    options::Options,
    result::{Measurement, Run},
};
use batch_core::Result;
use serde_json::Value;
use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
    time::Instant,
};

/// What a contestant printed.
pub enum Said {
    Done(Measurement),
    /// It ended with a failure of the job, which w5 wants.
    Failed(String),
    Unsupported(String),
}

/// Runs it in `folder`; with `fail_at`, w5 fails at this row.
pub fn measure(run: &Run, folder: &Path, fail_at: Option<u64>, options: &Options) -> Result<Said> {
    let (program, arguments) = command(run, options);
    let peak = folder.join("out/peak");
    // A child begins with the peak memory of who forked it, so a small program has to. It takes about a millisecond to start.
    let mut time = Command::new("/usr/bin/time");
    time.args(["-f", "%M", "-o"]).arg(&peak).arg(program).args(arguments);
    time.current_dir(folder).env("BENCH_URL", &options.url).stdin(Stdio::null());
    if let Some(row) = fail_at {
        time.env("FAIL_AT", row.to_string());
    }
    let begun = Instant::now();
    let output = time.output().map_err(|e| format!("/usr/bin/time cannot be run, install the package time: {e}"))?;
    let whole = begun.elapsed().as_secs_f64();
    said(&output, whole, &fs::read_to_string(peak)?)
}

/// Its last line is JSON; before it there may be what a logger wrote.
fn said(output: &Output, whole: f64, peak: &str) -> Result<Said> {
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().rfind(|line| line.starts_with('{'));
    let Some(Ok(said)) = line.map(serde_json::from_str::<Value>) else { return Ok(Said::Failed(failure(output))) };
    if let Some(why) = said["unsupported"].as_str() {
        return Ok(Said::Unsupported(why.to_owned()));
    }
    if !output.status.success() {
        return Ok(Said::Failed(failure(output)));
    }
    let seconds = said["run_s"].as_f64().ok_or("no run_s in what it says")?;
    let rows = said["rows"].as_u64().ok_or("no rows in what it says")?;
    // Its last line: before it, time says where a command failed.
    let peak = peak.lines().last().and_then(|line| line.trim().parse().ok()).ok_or("time said nothing of memory")?;
    Ok(Said::Done(Measurement { seconds, first_item: said["first_item_s"].as_f64(), whole, peak, rows }))
}

fn failure(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let last = text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
    format!("failed ({}): {}", output.status, last.chars().take(200).collect::<String>())
}
