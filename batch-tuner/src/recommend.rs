//! From measurements to a recommendation: the smallest number that is nearly as good as the best.

use crate::{
    Dimension, Limits,
    report::{Point, Recommendation, bytes, grouped, milliseconds, percent},
};

/// Fewer trials do not show how much they differ.
const FEW: usize = 3;

/// Chooses among points, smallest first.
pub(crate) fn recommend(dimension: Dimension, points: &[Point], tolerance: f64, limits: &Limits) -> Recommendation {
    let Some(best) = best(points, limits) else { return none(points, limits) };
    let enough = best.rate() * (1.0 - tolerance);
    let chosen = points.iter().find(|point| point.rate() >= enough && broken(point, limits).is_none()).unwrap_or(best);
    let ruled_out = ruled_out(best, points, limits);
    let doubt = doubt(chosen, best, tolerance);
    let sure = doubt.is_none();
    let sentences = [
        Some(speed(dimension, chosen, best, ruled_out.is_some())),
        smaller(chosen, best, points, limits),
        Some(costs(chosen)),
        ruled_out,
        largest(chosen, points),
        doubt,
    ];
    let reason = sentences.into_iter().flatten().collect::<Vec<_>>().join(" ");
    Recommendation { value: Some(chosen.value), sure, reason }
}

/// The fastest that keeps to the limits.
pub(crate) fn best<'a>(points: &'a [Point], limits: &Limits) -> Option<&'a Point> {
    let allowed = points.iter().filter(|point| broken(point, limits).is_none());
    allowed.max_by(|a, b| a.rate().total_cmp(&b.rate()))
}

/// The limit that a point breaks, as a clause.
pub(crate) fn broken(point: &Point, limits: &Limits) -> Option<String> {
    let lock = limits.lock_ms.filter(|limit| point.lock_ms.p99 > *limit);
    let memory = limits.memory_bytes.zip(point.memory_bytes).filter(|(limit, used)| used > limit);
    lock.map(|limit| {
        format!("its transactions last {} (p99), the limit is {}", milliseconds(point.lock_ms.p99), milliseconds(limit))
    })
    .or_else(|| memory.map(|(limit, used)| format!("it takes {}, the limit is {}", bytes(used), bytes(limit))))
}

impl Point {
    pub(crate) fn rate(&self) -> f64 {
        self.items_per_second.median
    }
}

fn none(points: &[Point], limits: &Limits) -> Recommendation {
    let reason = points.first().and_then(|first| Some((first, broken(first, limits)?)));
    let reason = reason.map_or_else(
        || "Nothing was measured.".to_owned(),
        |(first, why)| format!("None keeps to the limits: already at {} {why}.", grouped(first.value as f64)),
    );
    Recommendation { value: None, sure: true, reason }
}

fn speed(dimension: Dimension, chosen: &Point, best: &Point, limited: bool) -> String {
    let what = format!("{} {}: {} items/s", dimension.as_str(), grouped(chosen.value as f64), grouped(chosen.rate()));
    if chosen.value == best.value {
        return format!("{what}, the best{}.", if limited { " within the limits" } else { "" });
    }
    let share = percent(chosen.rate() / best.rate());
    format!("{what}, {share} of the best ({} at {}).", grouped(best.rate()), grouped(best.value as f64))
}

/// Why not the next smaller one.
fn smaller(chosen: &Point, best: &Point, points: &[Point], limits: &Limits) -> Option<String> {
    let next = points.iter().rev().find(|point| point.value < chosen.value && broken(point, limits).is_none())?;
    Some(format!("{} reaches only {}.", grouped(next.value as f64), percent(next.rate() / best.rate())))
}

fn costs(chosen: &Point) -> String {
    let memory = chosen.memory_bytes.map_or(String::new(), |used| format!(", and it takes {} of memory at most", bytes(used)));
    format!("Its transactions last {} (p99){memory}.", milliseconds(chosen.lock_ms.p99))
}

/// What would be faster, were it not for the limits.
fn ruled_out(best: &Point, points: &[Point], limits: &Limits) -> Option<String> {
    let faster = points.iter().filter(|point| point.rate() > best.rate());
    let (point, why) =
        faster.filter_map(|point| Some((point, broken(point, limits)?))).max_by(|a, b| a.0.rate().total_cmp(&b.0.rate()))?;
    Some(format!("{} ({} items/s) is ruled out: {why}.", grouped(point.value as f64), grouped(point.rate())))
}

fn largest(chosen: &Point, points: &[Point]) -> Option<String> {
    let is_last = points.len() > 1 && points.iter().all(|point| point.value <= chosen.value);
    is_last.then(|| "It is the largest that was tried; a larger one may be faster still.".to_owned())
}

/// Why the trials do not tell the numbers apart.
fn doubt(chosen: &Point, best: &Point, tolerance: f64) -> Option<String> {
    let trials = chosen.trials.len().min(best.trials.len());
    if trials < FEW {
        return Some(format!("Not sure: {trials} of {FEW} trials that are needed to see how much they differ."));
    }
    let noise = chosen.items_per_second.noise().max(best.items_per_second.noise());
    (noise > tolerance).then(|| {
        format!(
            "Not sure: the trials tell throughput only to ±{}, too little to tell {} apart; take more rounds, longer trials, or a quieter machine.",
            percent(noise),
            percent(tolerance)
        )
    })
}

#[cfg(test)]
mod tests;
