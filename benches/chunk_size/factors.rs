//! What batching is worth: one row at a time against a step in chunks of a thousand.

use crate::{
    place::Place,
    product::product,
    steps::{self, Kind},
    times::Times,
};
use batch_core::Result;
use serde::Serialize;
use std::{fmt::Write, time::Instant};

const CHUNK: usize = 1000;

#[derive(Serialize)]
pub struct Factors {
    rows: usize,
    factors: Vec<Factor>,
}

#[derive(Serialize)]
struct Factor {
    place: &'static str,
    kind: Kind,
    /// A statement and a commit a row.
    commit_each: Times,
    /// A statement a row, a commit a thousand.
    statement_each: Times,
    step: Times,
}

pub async fn measure(places: &mut [Place], rows: usize, rounds: usize) -> Result<Factors> {
    let factor = |place, kind| Factor {
        place,
        kind,
        commit_each: Times::default(),
        statement_each: Times::default(),
        step: Times::default(),
    };
    let kinds = [Kind::Insert, Kind::Update];
    let mut factors: Vec<_> = places.iter().flat_map(|place| kinds.map(|kind| factor(place.name, kind))).collect();
    for round in 0..rounds {
        for factor in &mut factors {
            let place = places.iter_mut().find(|place| place.name == factor.place).ok_or("no such place")?;
            // Each round begins with another way.
            for way in (0..3).map(|way| (way + round) % 3) {
                steps::prepare(place, factor.kind, rows).await?;
                match way {
                    0 => factor.commit_each.push(by_hand(place, factor.kind, rows, 1).await?, rows),
                    1 => factor.statement_each.push(by_hand(place, factor.kind, rows, CHUNK).await?, rows),
                    _ => factor.step.push(steps::run(place, factor.kind, rows, CHUNK).await?, rows),
                }
            }
            eprintln!("round {}: {} {}", round + 1, factor.place, factor.kind.name());
        }
    }
    Ok(Factors { rows, factors })
}

async fn by_hand(place: &mut Place, kind: Kind, rows: usize, together: usize) -> Result<f64> {
    let edition = place.edition;
    let products = (1..=rows as i64).map(move |id| product(id, edition));
    let begun = Instant::now();
    match kind {
        Kind::Insert => place.hand.insert(products, together).await?,
        _ => place.hand.update(products, together).await?,
    }
    let seconds = begun.elapsed().as_secs_f64();
    place.check(rows).await?;
    Ok(seconds)
}

impl Factors {
    pub fn markdown(&self) -> String {
        let mut out = format!(
            "\n\n## {} rows one by one against a step in chunks of {CHUNK}, microseconds a row\n\n\
             | | a statement and a commit a row | a statement a row, a commit a thousand | step | first by step | second by step |\n\
             |---|---|---|---|---|---|\n",
            self.rows
        );
        for factor in &self.factors {
            let [commits, statements, step] = [&factor.commit_each, &factor.statement_each, &factor.step].map(Times::median);
            let _ = writeln!(
                out,
                "| {} {} | {commits:.1} | {statements:.1} | {step:.2} | **{:.0}** | **{:.1}** |",
                factor.place,
                factor.kind.name(),
                commits / step,
                statements / step
            );
        }
        out
    }
}
