//! How the benches draw curves: they have no tests of their own.

#[path = "../../benches/shared/chart.rs"]
mod chart;

use chart::{Line, Panel, Point, svg};

#[test]
fn decades_are_the_marks_of_both_axes() {
    let points = [(1.0, 500.0), (10.0, 50.0), (1000.0, 5.0)].map(|(x, y)| Point { x, least: y / 2.0, median: y, most: y * 2.0 });
    let lines = vec![Line { name: "SQLite".into(), points: points.to_vec() }];
    let plot = svg(&[Panel { title: "insert".into(), x: "chunk", y: "us a row", lines }]);
    for mark in ["1", "10", "100", "1000"] {
        assert_eq!(plot.matches(&format!(">{mark}</text>")).count(), 2, "{mark} on each axis of\n{plot}");
    }
    // 70 to 630 across three decades, 255 up to 30.
    assert!(plot.contains("points=\"70.0,52.6 256.7,127.6 630.0,202.6\""), "{plot}");
    assert!(plot.contains("x1=\"256.7\" y1=\"150.2\" x2=\"256.7\" y2=\"105.0\""), "the range at 10 in\n{plot}");
    assert!(plot.contains(">SQLite</text>") && plot.contains("insert: us a row by chunk"));
}

#[test]
fn one_point_alone_has_axes() {
    let point = Point { x: 1000.0, least: 1.0, median: 1.0, most: 1.0 };
    let lines = vec![Line { name: "one".into(), points: vec![point] }];
    let plot = svg(&[Panel { title: "t".into(), x: "x", y: "y", lines }]);
    assert!(plot.contains("points=\"70.0,255.0\""), "{plot}");
}
