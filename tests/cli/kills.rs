//! The examples, killed and run again.

use crate::program::{Place, Said, path_of, rows};
use std::{
    fs,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

const ROWS: u64 = 6_000;
/// Far longer than anything takes here.
const PATIENCE: Duration = Duration::from_secs(120);

/// Starts a program, waits until it has committed more than `commits` chunks, and kills it then and there.
fn kill_after(place: &Place, mut command: Command, commits: i64) {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    while place.number("SELECT sum(commit_count) FROM batch_step") <= commits {
        assert!(begun.elapsed() < PATIENCE, "no chunk was committed");
        assert!(is_running(&mut child), "it ended before it was killed");
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

fn is_running(child: &mut Child) -> bool {
    child.try_wait().unwrap().is_none()
}

/// The import in chunks of five.
fn by_fives(place: &Place) -> Command {
    let mut command = place.command();
    command.args(["--chunk", "5"]);
    command
}

#[test]
fn a_killed_import_goes_on_after_its_last_chunk() {
    let place = Place::with(rows(ROWS));
    kill_after(&place, by_fives(&place), fastrand::i64(0..50));
    let read = place.number("SELECT sum(read_count) FROM batch_step");
    assert!((1..ROWS.cast_signed()).contains(&read), "{read}");
    let said = place.import(&["--chunk", "1000"]);
    said.must(0, &[&format!("resuming after row {}", grouped(read))]);
    let tries: Vec<_> = said.out.lines().filter(|line| line.contains("FAILED") || line.contains("COMPLETED")).collect();
    assert_eq!(tries.len(), 2, "{}", said.out);
    assert!(tries[0].contains(&grouped(read)) && tries[1].contains(&grouped(ROWS.cast_signed() - read)), "{}", said.out);
    assert_eq!(place.number("SELECT count(*) FROM product"), ROWS.cast_signed());
    assert_eq!(place.number("SELECT sum(id) FROM product"), (ROWS * (ROWS + 1) / 2).cast_signed());
    place.import(&[]).must(5, &["completed with these parameters", "change an identifying parameter"]);
}

/// Its scratch table and the record of its trial are left; the next tuner drops the one, and nobody is disturbed by the other.
#[test]
fn a_killed_tuning_disturbs_neither_the_import_nor_the_next_tuning() {
    let place = Place::with(rows(ROWS));
    kill_after(&place, by_fives(&place), fastrand::i64(0..50));
    let read = place.number("SELECT sum(read_count) FROM batch_step");
    let tune = |trial: &str| {
        let mut command = place.command_of(path_of("tune_import"));
        command.args(["--chunks", "5,50", "--rounds", "1", "--exhaustive", "--trial", trial]);
        command
    };
    // Beyond the six chunks of the trial that warms up.
    kill_after(&place, tune("60000"), place.number("SELECT sum(commit_count) FROM batch_step") + fastrand::i64(10..50));
    assert_eq!(place.number("SELECT count(*) FROM product"), read);
    assert_eq!(place.number("SELECT count(*) FROM batch_instance WHERE job_name = 'batch-tuner'"), 1);
    place.import(&["--chunk", "1000"]).must(0, &[&format!("resuming after row {}", grouped(read))]);
    Said::from(tune("1").output().unwrap()).must(0, &[]);
    assert_eq!(place.number("SELECT count(*) FROM sqlite_master WHERE name LIKE 'product_trial%'"), 0);
    assert_eq!(place.number("SELECT count(*) FROM product"), ROWS.cast_signed());
}

#[test]
fn an_import_stopped_by_a_limit_goes_on() {
    let place = Place::with(rows(100));
    let said = place.import(&["--limit", "40", "--chunk", "15"]);
    said.must(3, &[]);
    assert!(said.out.contains("STOPPED"), "{said:?}");
    place.import(&[]).must(0, &["resuming after row 40"]);
    assert_eq!(place.number("SELECT count(*) FROM product"), 100);
}

#[test]
fn a_copy_that_is_killed_again_and_again_has_the_records_of_its_input() {
    let text = rows(ROWS).replace("Product 7,", "\"Pro, \"\"duct\"\"\n7\",").replace("Product 55", "Größe 55");
    let place = Place::with(&text);
    let output = place.path().join("out.csv");
    let run = |chunk: &str| {
        let mut command = place.command_of(path_of("csv_to_csv"));
        command.arg("--output").arg(&output).args(["--strict", "--chunk", chunk]);
        command
    };
    for kill in 0..3 {
        kill_after(&place, run("5"), 20 * kill + fastrand::i64(0..20));
        assert!(!output.exists(), "the copy appears only when it is complete");
    }
    Said::from(run("1000").output().unwrap()).must(0, &["resuming after row"]);
    let records = |bytes: &[u8]| -> Vec<csv::StringRecord> {
        csv::ReaderBuilder::new().has_headers(false).from_reader(bytes).records().map(Result::unwrap).collect()
    };
    assert_eq!(records(&fs::read(&output).unwrap()), records(text.as_bytes()));
    Said::from(run("5").output().unwrap()).must(5, &[]);
}

#[test]
fn a_dry_run_keeps_nothing_and_a_copy_without_a_folder_says_so() {
    let place = Place::with(rows(50));
    place.import(&["--dry-run"]).must(0, &["dry run"]);
    assert_eq!(place.number("SELECT count(*) FROM product"), 0);
    assert_eq!(place.number("SELECT count(*) FROM batch_execution"), 0);
    let mut command = place.command_of(path_of("csv_to_csv"));
    let said = command.arg("--output").arg(place.path().join("none/out.csv")).output().unwrap();
    Said::from(said).must(2, &["job csv-to-csv", "step copy", "none/out.csv", "does not exist"]);
}

/// `1234` as the examples print it: `1,234`.
fn grouped(number: i64) -> String {
    if number < 1000 { number.to_string() } else { format!("{},{:03}", number / 1000, number % 1000) }
}
