//! What people and programs read, from made-up numbers.

use super::{Curve, Limits, NotTried, Phases, Point, RetriedChunk, Tuning};
use crate::{Dimension, Quantiles, Setting, Spread, recommend::recommend};

fn point(value: usize, rate: f64, given_up: Option<u32>) -> Point {
    let size = value as f64;
    Point {
        value,
        items_per_second: Spread { median: rate, low: rate * 0.98, high: rate * 1.02 },
        trials: vec![rate * 0.98, rate, rate * 1.02],
        chunks: 12,
        us_per_item: Phases { read: 0.5, process: 0.25, write: 7.5, commit: 4000.0 / size },
        commit_ms: Quantiles { p50: 4.0, p95: 4.25, p99: 6.5 },
        lock_ms: Quantiles { p50: 4.0 + size / 128.0, p95: 5.0 + size / 128.0, p99: 8.0 + size / 128.0 },
        memory_bytes: Some(1_000_000 + value as u64 * 2000),
        retried_chunk: given_up.is_none().then_some(RetriedChunk { lost_ms: size / 128.0, extra_ms: 40.0 + size / 128.0 }),
        given_up,
    }
}

fn tuning(rolled_back: bool) -> Tuning {
    let points = vec![point(100, 21_000.0, Some(1)), point(1000, 85_500.0, None), point(5000, 87_500.0, None)];
    let limits = Limits { lock_ms: Some(100.0), memory_bytes: None };
    let recommendation = recommend(Dimension::Chunk, &points, 0.05, &limits);
    let reason = "the sample ends within 4 chunks of 5,000".to_owned();
    let not_tried = Some(NotTried { values: vec![10_000, 50_000], reason });
    let curve =
        Curve { dimension: Dimension::Chunk, from: Setting::default(), points, not_tried, cut_short: Some(3), recommendation };
    Tuning {
        version: Tuning::VERSION,
        job: "import".to_owned(),
        rolled_back,
        seed: 42,
        seconds: 12.5,
        rounds: 5,
        tolerance: 0.05,
        limits,
        curves: vec![curve],
        recommended: Setting::chunk(1000),
    }
}

#[test]
fn the_text_is_a_table_bars_and_reasons() {
    assert_eq!(tuning(false).to_string(), include_str!("tests/report.txt"));
}

#[test]
fn a_rolled_back_tuning_says_what_it_could_not_see() {
    let text = tuning(true).to_string();
    assert!(text.contains("rollback ms") && !text.contains("commit ms"), "{text}");
    assert!(text.contains("Every chunk was rolled back"), "{text}");
}

#[test]
fn the_json_has_a_version_and_can_be_read_again() {
    let json = tuning(false).to_json();
    assert_eq!(json.trim(), include_str!("tests/report.json").trim());
    assert_eq!(serde_json::from_str::<Tuning>(&json).unwrap(), tuning(false));
}

#[test]
fn the_plot_has_a_mark_for_each_number_in_both_charts() {
    let svg = tuning(false).to_svg();
    assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"), "{svg}");
    assert_eq!(svg.matches("<circle").count(), 6);
    assert_eq!(svg.matches("r=\"7\"").count(), 2, "the recommended one is larger");
    assert!(svg.contains("import: items/s by chunk") && svg.contains("5,000"), "{svg}");
}

#[test]
fn a_file_that_cannot_be_written_is_named() {
    let error = tuning(false).write_json("/nowhere/tuning.json").unwrap_err();
    assert_eq!(error.to_string(), "the file cannot be written (file /nowhere/tuning.json)");
}
