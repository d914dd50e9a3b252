//! What `benches/peers` makes of its measurements: a bench has no tests of its own.

#[path = "../../benches/peers/result/mod.rs"]
mod result;

use result::{Entry, Goal, Measurement, Metric, Results, Run, Verdict, Who, goals, markdown, median, number, svg};

/// An entry that took these seconds, with a peak of 8 MB and as many rows as w4 has items.
fn entry(group: &'static str, run: Run, seconds: &[f64]) -> Entry {
    let measurement = |&seconds| Measurement { seconds, first_item: None, whole: seconds, peak: 8192, rows: 10_000_000 };
    Entry { group, run, measurements: seconds.iter().map(measurement).collect(), given_up: None }
}

fn run(who: Who, workload: &'static str) -> Run {
    Run::new(who, workload, 1000)
}

fn results() -> Results {
    Results(vec![
        entry("w1", run(Who::Ours, "w1"), &[3.0, 3.1, 2.9]),
        entry("w1", run(Who::Limit, "w1ck"), &[3.0, 2.0, 4.0]),
        entry("w1", run(Who::Spring, "w1"), &[10.0]),
        entry("w4m", run(Who::Ours, "w4m"), &[0.040]),
        entry("w4m", run(Who::HandLoop, "w4m"), &[0.012]),
    ])
}

fn verdict(which: impl Fn(&Goal) -> bool) -> Option<Verdict> {
    goals(1000).iter().find(|goal| which(goal)).unwrap().verdict(&results())
}

#[test]
fn the_median_is_the_middle_one() {
    assert_eq!(median(vec![]), None);
    assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
    assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
}

#[test]
fn metrics_have_their_units() {
    let mut entry = entry("w4m", run(Who::Ours, "w4m"), &[0.03, 0.02, 0.04]);
    assert_eq!(entry.median(Metric::Seconds), Some(0.03));
    assert_eq!(entry.median(Metric::WholeProcess), Some(30.0));
    assert_eq!(entry.median(Metric::Peak), Some(8.0));
    assert_eq!(entry.median(Metric::PerItem), Some(3.0));
    assert_eq!(entry.range(Metric::Seconds), Some((0.02, 0.04)));
    assert_eq!(entry.median(Metric::FirstItem), None);
    entry.measurements[1].first_item = Some(0.004);
    assert_eq!(entry.median(Metric::FirstItem), Some(4.0));
}

#[test]
fn a_ratio_of_medians_is_held_against_its_bound() {
    let met = verdict(|goal| goal.other() == Some(run(Who::Limit, "w1ck"))).unwrap();
    assert_eq!(met, Verdict { ours: 3.0, other: Some(3.0), value: 1.0, met: true });
    let missed = verdict(|goal| goal.other() == Some(run(Who::Spring, "w1"))).unwrap();
    assert_eq!((missed.value, missed.met), (0.3, false));
}

#[test]
fn a_difference_is_held_against_its_bound() {
    let verdict = verdict(|goal| goal.metric == Metric::PerItem).unwrap();
    assert!((verdict.value - 2.8).abs() < 1e-9 && !verdict.met);
}

#[test]
fn a_bound_alone_needs_no_other() {
    let verdict = verdict(|goal| goal.metric == Metric::Peak && goal.ours.workload == "w1").unwrap();
    assert_eq!(verdict, Verdict { ours: 8.0, other: None, value: 8.0, met: true });
}

#[test]
fn what_was_not_measured_has_no_verdict() {
    assert_eq!(verdict(|goal| goal.ours.workload == "w1flight"), None);
    assert_eq!(verdict(|goal| goal.other() == Some(run(Who::Oxide, "w1"))), None);
}

#[test]
fn numbers_have_three_digits() {
    assert_eq!([0.0, 0.000123, 0.0123, 1.0, 12.345, 12_345.6].map(number), ["0", "0.00012", "0.0123", "1.00", "12.3", "12346"]);
}

#[test]
fn goals_and_medians_are_listed_with_their_verdict() {
    let mut results = results();
    let failed = Entry { given_up: Some("it failed".into()), ..entry("w1", run(Who::Oxide, "w1"), &[]) };
    results.0.insert(3, failed);
    let table = markdown(&results, &[("cores".into(), "2".into())], 1000);
    for line in [
        "- cores: 2",
        "| ours w1 | 1000 | limit w1ck | time, s | 3.00 | 3.00 | 1.00 | <= 1.05 | met |",
        "| ours w1 | 1000 | spring w1 | time, s | 3.00 | 10.0 | 0.30 | <= 0.25 | **missed** |",
        "| ours w1 | 1000 | oxide w1 | time, s | - | - | - | <= 0.50 | not measured |",
        "| ours w4m | 1000 | handloop w4m | time, ns an item | 4.00 | 1.20 | +2.80 | <= +2.5 ns an item | **missed** |",
        "| ours w1 | 1000 | - | peak memory, MB | 8.00 | - | 8.00 | <= 12 MB | met |",
        "| limit w1ck | 1000 | 3.00 | 2.00 to 4.00 | 1.00 | - | 3000 | 8.00 | 10000000 |",
        "| oxide w1 | 1000 | it failed | | | | | | |",
    ] {
        assert!(table.lines().any(|found| found == line), "no {line} in\n{table}");
    }
}

#[test]
fn bars_are_as_long_as_their_medians() {
    let plot = svg(&Results(vec![
        entry("w2", run(Who::Ours, "w2"), &[1.0, 1.0, 2.0]),
        entry("w2", run(Who::Spring, "w2"), &[4.0]),
        entry("w2", run(Who::Sbrs, "w2"), &[]),
    ]));
    assert_eq!(plot.matches("<rect x=").count(), 2, "one that was not measured has no bar");
    assert!(plot.contains("width=\"100.0\" height=\"14\" fill=\"#2166ac\""), "{plot}");
    assert!(plot.contains("width=\"400.0\" height=\"14\" fill=\"#b0b0b0\""));
    assert!(plot.contains("x1=\"310.0\"") && plot.contains("x2=\"410.0\""), "the range of ours");
    assert!(plot.contains(">4.00 (4.00)<"));
}
