//! The modules' order: each may use only what is to its right, so that the code reads in one direction.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// ARCHITECTURE.md draws it.
const ORDER: [&str; 18] = [
    "launch",
    "job",
    "scope",
    "chunk",
    "step",
    "progress",
    "listener",
    "dry_run",
    "testing",
    "backend",
    "transaction",
    "item",
    "policy",
    "control",
    "repository",
    "execution",
    "clock",
    "error",
];

#[test]
fn a_module_uses_only_what_is_to_its_right() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    for file in files(&source) {
        let path = file.strip_prefix(&source).unwrap().to_string_lossy().into_owned();
        let module = module(&path);
        let Some(own) = ORDER.iter().position(|m| *m == module) else {
            assert!(matches!(path.as_str(), "lib.rs" | "failpoint.rs"), "{path} has no place in the order");
            continue;
        };
        for (number, line) in code(&fs::read_to_string(&file).unwrap()) {
            for used in used(&line) {
                if ORDER.iter().position(|m| *m == used).is_some_and(|other| other < own) {
                    wrong.push(format!("{path}:{number}: `{module}` uses `{used}`"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "against the order:\n{}", wrong.join("\n"));
}

#[test]
fn files_and_lines_stay_readable() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for file in files(&source) {
        let lines = code(&fs::read_to_string(&file).unwrap()).len();
        assert!(lines <= 400, "{} has {lines} lines of code; 400 at most", file.display());
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// The in-memory repository and the suites sit on top of the traits that they implement and check.
fn module(path: &str) -> &str {
    if path.starts_with("repository/memory") || path.starts_with("repository/conformance") {
        return "backend";
    }
    path.split(['/', '.']).next().unwrap()
}

/// Numbered lines of code, without comments, and without the tests at a file's end.
fn code(text: &str) -> Vec<(usize, String)> {
    let lines = text.lines().take_while(|line| !line.starts_with("#[cfg(test)]")).enumerate();
    let code = lines.filter(|(_, line)| !line.trim_start().starts_with("//") && !line.trim().is_empty());
    let mut inside_use = false;
    code.map(|(i, line)| {
        // The inner lines of `use crate::{ .. }` name modules without `crate::` before them.
        let named = if inside_use && line.starts_with("    ") { format!("crate::{}", line.trim()) } else { line.to_owned() };
        inside_use = line.starts_with("use crate::{") && !line.contains("};") || inside_use && line != "};";
        (i + 1, named)
    })
    .collect()
}

fn used(line: &str) -> impl Iterator<Item = &str> {
    line.split("crate::").skip(1).map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default())
}
