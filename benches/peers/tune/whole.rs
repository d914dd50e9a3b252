//! Whole imports with each size, in turns.

use super::{empty, import, parameters::fresh};
use batch_core::{BatchStatus, Result};
use batch_sql::Postgres;
use std::{fmt::Write, time::Instant};

/// A size with the seconds that its imports took.
pub type Times = (usize, Vec<f64>);

/// `sizes` with the recommended one, each once, in order.
pub fn sizes(mut sizes: Vec<usize>, recommended: usize) -> Vec<usize> {
    sizes.push(recommended);
    sizes.sort_unstable();
    sizes.dedup();
    sizes
}

/// Imports the whole file with each size, `rounds` times.
pub async fn measure(database: &Postgres, sizes: Vec<usize>, rounds: usize) -> Result<Vec<Times>> {
    let mut times: Vec<Times> = sizes.into_iter().map(|size| (size, Vec::new())).collect();
    for round in 1..=rounds {
        eprintln!("whole imports, round {round} of {rounds}");
        for (size, seconds) in &mut times {
            empty(database).await?;
            sqlx::raw_sql("CHECKPOINT").execute(database.pool()).await?;
            let begun = Instant::now();
            let execution = import(database, *size).run(fresh()?).await?;
            if execution.status != BatchStatus::Completed {
                return Err(execution.exit_status.message.into());
            }
            seconds.push(begun.elapsed().as_secs_f64());
        }
    }
    Ok(times)
}

/// The medians, and how far the recommended size is from the best.
pub fn markdown(times: &[Times], recommended: usize) -> String {
    let medians: Vec<(usize, f64)> = times.iter().map(|(size, seconds)| (*size, median(seconds))).collect();
    let best = medians.iter().map(|(_, seconds)| *seconds).fold(f64::INFINITY, f64::min);
    let mut text = "| chunk | whole import, s | to the best |\n|---|---|---|\n".to_owned();
    for (size, seconds) in medians {
        let mark = if size == recommended { " (recommended)" } else { "" };
        let _ = writeln!(text, "| {size}{mark} | {seconds:.2} | {:.2} |", seconds / best);
    }
    text
}

fn median(seconds: &[f64]) -> f64 {
    let mut sorted = seconds.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
