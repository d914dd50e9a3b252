//! The tuner as an engineer meets it.

use crate::program::{Place, Said, path_of, rows};
use batch_tuner::{Dimension, Tuning};
use std::fs;

/// Tunes the import of 600 rows with chunks of 10, 100 and 1,000, in trials as short as they can be.
fn tune(place: &Place, more: &[&str]) -> Said {
    let mut command = place.command_of(path_of("tune_import"));
    command.args(["--chunks", "10,100,1000", "--rounds", "2", "--trial", "1", "--exhaustive", "--seed", "7"]);
    command.args(more).output().unwrap().into()
}

#[test]
fn a_tuning_leaves_a_report_a_plot_and_nothing_else() {
    let place = Place::with(rows(600));
    let (json, svg) = (place.path().join("tuning.json"), place.path().join("tuning.svg"));
    let said = tune(&place, &["--json", json.to_str().unwrap(), "--svg", svg.to_str().unwrap()]);
    said.must(0, &["trial 1: chunk 1000", "one of them tried again"]);
    let tuning: Tuning = serde_json::from_str(&fs::read_to_string(json).unwrap()).unwrap();
    assert_eq!((tuning.version, tuning.seed, tuning.rolled_back), (Tuning::VERSION, 7, false));
    assert_eq!(said.out.trim_end(), tuning.to_string().trim_end());
    let sizes: Vec<usize> = tuning.curve(Dimension::Chunk).unwrap().points.iter().map(|p| p.value).collect();
    assert_eq!(sizes, [10, 100, 1000], "600 rows are not 4 chunks of 1,000, which is told only after it was tried");
    assert!(fs::read_to_string(svg).unwrap().contains("</svg>"));
    assert_eq!(place.number("SELECT count(*) FROM sqlite_master WHERE name LIKE 'product%'"), 0);
    assert_eq!(place.number("SELECT count(*) FROM batch_instance"), 0);
}

#[test]
fn a_rolled_back_tuning_says_so() {
    let place = Place::with(rows(600));
    let said = tune(&place, &["--rolled-back"]);
    said.must(0, &[]);
    assert!(said.out.contains("rolled back, seed 7") && said.out.contains("rollback ms"), "{said:#?}");
}

#[test]
fn an_input_that_is_not_there_is_told_as_by_the_import() {
    let place = Place::new();
    tune(&place, &[]).must(2, &["in.csv"]);
    assert_eq!(place.number("SELECT count(*) FROM batch_instance"), 0);
}
