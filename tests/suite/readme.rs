//! What the README shows is what the project holds.

use std::fs;

#[test]
fn the_first_job_is_the_example() {
    let readme = fs::read_to_string("README.md").unwrap();
    let example = fs::read_to_string("examples/first_job.rs").unwrap();
    let (_, code) = example.split_once("\n\n").unwrap();
    assert!(readme.contains(code.trim()), "README.md and examples/first_job.rs differ");
}

#[test]
fn the_documented_exit_codes_are_those_of_the_code() {
    use batch_core::ErrorKind;
    let readme = fs::read_to_string("README.md").unwrap();
    let words = [
        (ErrorKind::Failed, "failed"),
        (ErrorKind::Configuration, "usage or configuration"),
        (ErrorKind::AlreadyRunning, "already running"),
        (ErrorKind::AlreadyComplete, "already complete"),
        (ErrorKind::NeedsOperator, "needs an operator"),
        (ErrorKind::Unavailable, "repository out of reach"),
    ];
    for (kind, word) in words {
        let row = format!("| {} | {word}", kind.exit_code());
        assert!(readme.contains(&row), "README.md has no row `{row}`");
    }
}
