//! The report as a person reads it in a terminal.

use super::{
    Curve, Phases, Point, Tuning,
    bars::bar,
    bytes, grouped, milliseconds,
    numbers::{percent, short},
};
use crate::Quantiles;
use comfy_table::{CellAlignment, Table, presets::UTF8_FULL_CONDENSED};
use std::fmt;

/// Characters of the longest bar.
const WIDTH: usize = 40;
/// Characters of a line of text.
const LINE: usize = 110;

impl fmt::Display for Tuning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = if self.rolled_back { "rolled back" } else { "committed" };
        let rounds = if self.rounds == 1 { "1 round".to_owned() } else { format!("{} rounds", self.rounds) };
        writeln!(f, "{}: {rounds}, {how}, seed {}, {}", self.job, self.seed, milliseconds(self.seconds * 1e3))?;
        for curve in &self.curves {
            writeln!(f, "\n{}", table(curve, self.rolled_back))?;
            bars(curve, f)?;
            told(curve, self.rounds, f)?;
        }
        if self.rolled_back {
            writeln!(
                f,
                "\nEvery chunk was rolled back: the commit, its wait for the disk and what grows with the table are not in these figures."
            )?;
            writeln!(f, "A real run pays them once a chunk, so small chunks are slower than shown here.")?;
        }
        Ok(())
    }
}

fn table(curve: &Curve, rolled_back: bool) -> Table {
    let end = if rolled_back { "rollback" } else { "commit" };
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    table.set_header([
        curve.dimension.as_str().to_owned(),
        "items/s".to_owned(),
        "between".to_owned(),
        format!("µs an item\nread, process, write, {end}"),
        format!("{end} ms\np50, p95, p99"),
        "transaction ms\np50, p95, p99".to_owned(),
        "memory".to_owned(),
        "retried\nchunk".to_owned(),
    ]);
    curve.points.iter().for_each(|point| {
        table.add_row(row(point));
    });
    table.column_iter_mut().for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    table
}

fn row(point: &Point) -> [String; 8] {
    let spread = &point.items_per_second;
    [
        grouped(point.value as f64),
        grouped(spread.median),
        if point.trials.len() == 1 {
            "1 trial".to_owned()
        } else {
            format!("{} … {}", grouped(spread.low), grouped(spread.high))
        },
        phases(&point.us_per_item),
        quantiles(&point.commit_ms),
        quantiles(&point.lock_ms),
        point.memory_bytes.map_or("–".to_owned(), bytes),
        point.retried_chunk.map_or("–".to_owned(), |cost| format!("+{}", milliseconds(cost.extra_ms))),
    ]
}

fn phases(phases: &Phases) -> String {
    [phases.read, phases.process, phases.write, phases.commit].map(short).join("  ")
}

fn quantiles(q: &Quantiles) -> String {
    [q.p50, q.p95, q.p99].map(short).join("  ")
}

/// Throughput as bars; what the recommendation chose is marked.
fn bars(curve: &Curve, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let most = curve.points.iter().map(Point::rate).fold(f64::MIN_POSITIVE, f64::max);
    let names: Vec<String> = curve.points.iter().map(|point| grouped(point.value as f64)).collect();
    let width = names.iter().map(String::len).max().unwrap_or(0);
    for (point, name) in curve.points.iter().zip(&names) {
        let mark = match point.given_up {
            _ if curve.recommendation.value == Some(point.value) => "  ◀ recommended".to_owned(),
            Some(round) => format!("  given up after round {round}"),
            None => String::new(),
        };
        writeln!(f, "{name:>width$} {:WIDTH$} {:>4}{mark}", bar(point.rate() / most, WIDTH), percent(point.rate() / most))?;
    }
    Ok(())
}

fn told(curve: &Curve, rounds: u32, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    wrapped(&curve.recommendation.reason, f)?;
    if let Some(not_tried) = &curve.not_tried {
        let values: Vec<String> = not_tried.values.iter().map(|value| grouped(*value as f64)).collect();
        wrapped(&format!("Not tried: {}; {}.", values.join(", "), not_tried.reason), f)?;
    }
    match curve.cut_short {
        Some(made) => writeln!(f, "The time budget was over after {made} of {rounds} rounds."),
        None => Ok(()),
    }
}

/// Words in lines that fit.
fn wrapped(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut column = 0;
    for word in text.split(' ') {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > LINE {
            writeln!(f)?;
            column = 0;
        }
        write!(f, "{}{word}", if column > 0 { " " } else { "" })?;
        column += length + usize::from(column > 0);
    }
    writeln!(f)
}
