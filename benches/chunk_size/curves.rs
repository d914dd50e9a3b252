//! Time a row by the size of the chunk.

use crate::{
    chart::{Line, Panel, Point},
    place::Place,
    steps::{self, Kind},
    times::Times,
};
use batch_core::Result;
use serde::Serialize;
use std::fmt::Write;

/// Chunks of a run at most: a thousand commits that wait for the disk tell as much as fifty thousand.
const CHUNKS: usize = 500;
const LEAST: usize = 2000;

#[derive(Serialize)]
#[serde(transparent)]
pub struct Curves(Vec<Curve>);

#[derive(Serialize)]
struct Curve {
    place: &'static str,
    kind: Kind,
    /// By size.
    times: Vec<(usize, Times)>,
}

pub async fn measure(places: &mut [Place], sizes: &[usize], rows: usize, rounds: usize) -> Result<Curves> {
    let curve = |place, kind| Curve { place, kind, times: sizes.iter().map(|&size| (size, Times::default())).collect() };
    let mut curves: Vec<_> = Kind::ALL.iter().flat_map(|&kind| places.iter().map(move |place| curve(place.name, kind))).collect();
    for round in 0..rounds {
        for at in 0..sizes.len() {
            // Each round begins with another size.
            let at = (at + round) % sizes.len();
            let rows = rows.min((sizes[at] * CHUNKS).max(LEAST));
            for curve in &mut curves {
                let place = places.iter_mut().find(|place| place.name == curve.place).ok_or("no such place")?;
                steps::prepare(place, curve.kind, rows).await?;
                let seconds = steps::run(place, curve.kind, rows, sizes[at]).await?;
                curve.times[at].1.push(seconds, rows);
            }
            eprintln!("round {}: chunks of {}", round + 1, sizes[at]);
        }
    }
    Ok(Curves(curves))
}

impl Curves {
    /// Microseconds a row, and beside them how many times as long as in the best chunk.
    pub fn markdown(&self) -> String {
        let mut out = String::from("\n\n## Microseconds a row by size of chunk (times the least of its column)\n\n| chunk |");
        self.0.iter().for_each(|curve| _ = write!(out, " {} {} |", curve.place, curve.kind.name()));
        let _ = write!(out, "\n|{}\n", "---|".repeat(self.0.len() + 1));
        for (at, (size, _)) in self.0.iter().flat_map(|curve| &curve.times).take(self.sizes()).enumerate() {
            let _ = write!(out, "| {size} |");
            for curve in &self.0 {
                let best = curve.times.iter().map(|(_, times)| times.median()).fold(f64::MAX, f64::min);
                let median = curve.times[at].1.median();
                let _ = write!(out, " {median:.1} ({:.2}) |", median / best);
            }
            out.push('\n');
        }
        out
    }

    fn sizes(&self) -> usize {
        self.0.first().map_or(0, |curve| curve.times.len())
    }

    pub fn panels(&self) -> Vec<Panel> {
        let panel = |kind: Kind| {
            let lines = self.0.iter().filter(|curve| curve.kind == kind).map(Curve::line).collect();
            Panel { title: kind.name().to_owned(), x: "items a chunk", y: "microseconds a row", lines }
        };
        Kind::ALL.into_iter().map(panel).collect()
    }
}

impl Curve {
    fn line(&self) -> Line {
        let point = |(size, times): &(usize, Times)| Point {
            x: *size as f64,
            least: times.least(),
            median: times.median(),
            most: times.most(),
        };
        let mut points: Vec<_> = self.times.iter().map(point).collect();
        points.sort_by(|one, other| one.x.total_cmp(&other.x));
        Line { name: self.place.to_owned(), points }
    }
}
