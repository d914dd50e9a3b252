//! Jobs of one step that writes rows from memory.

use crate::{place::Place, product::product};
use batch_core::{BatchStatus, Job, Parameters, Result, iter};
use batch_sql::{SqlInsert, SqlUpdate, SqlUpsert};
use serde::Serialize;
use std::time::Instant;

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub enum Kind {
    Insert,
    Update,
    Upsert,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::Insert, Self::Update, Self::Upsert];

    pub fn name(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Upsert => "upsert",
        }
    }
}

/// The table anew, as this kind finds it.
pub async fn prepare(place: &mut Place, kind: Kind, rows: usize) -> Result<()> {
    place.empty().await?;
    if kind != Kind::Insert {
        write(place, Kind::Insert, rows, 10_000, 0).await?;
    }
    place.edition += 1;
    place.hand.settle().await
}

/// Seconds from the launch of the job to its end.
pub async fn run(place: &mut Place, kind: Kind, rows: usize, chunk: usize) -> Result<f64> {
    let edition = place.edition;
    let seconds = write(place, kind, rows, chunk, edition).await?;
    place.check(rows).await?;
    Ok(seconds)
}

async fn write(place: &mut Place, kind: Kind, rows: usize, chunk: usize, edition: i32) -> Result<f64> {
    let products = move || iter((1..=rows as i64).map(move |id| product(id, edition)));
    let job = Job::new("chunk-size", &place.database);
    let job = match kind {
        Kind::Insert => job.step("write", move |s| Ok(s.chunk(chunk, products()).writer(SqlInsert::into("product")))),
        Kind::Update => job.step("write", move |s| Ok(s.chunk(chunk, products()).writer(SqlUpdate::table("product").key(["id"])))),
        Kind::Upsert => job.step("write", move |s| Ok(s.chunk(chunk, products()).writer(SqlUpsert::into("product").key(["id"])))),
    };
    place.runs += 1;
    let parameters = Parameters::new().set("run", place.runs);
    let begun = Instant::now();
    let execution = job.run(parameters).await?;
    let seconds = begun.elapsed().as_secs_f64();
    let counts = &execution.steps[0].counts;
    assert_eq!(execution.status, BatchStatus::Completed, "{:?}", execution.exit_status);
    assert_eq!((counts.written, counts.commits), (rows as u64, rows.div_ceil(chunk) as u64));
    Ok(seconds)
}
