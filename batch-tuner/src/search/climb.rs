//! The first round: upwards, to where it stops paying.

use super::{Candidate, Search, points::point};
use crate::{
    Dimension,
    measurement::{Kind, Measure},
    report::{NotTried, grouped, milliseconds},
};
use batch_core::Error;

/// What a larger number must bring over the best so far to count as paying.
const PAYS: f64 = 1.02;
/// How many in a row must fail to pay; one alone may have had bad luck.
const IN_A_ROW: usize = 2;

impl<M: Measure> Search<'_, M> {
    /// One trial of each, smallest first, until larger ones cannot be worth it.
    pub(super) async fn climb(&mut self, values: &[usize]) -> Result<(Vec<Candidate>, Option<NotTried>), Error> {
        let mut candidates: Vec<Candidate> = Vec::new();
        for (i, value) in values.iter().enumerate() {
            if let Some(reason) = self.stop(&candidates, *value) {
                return Ok((candidates, Some(NotTried { values: values[i..].to_vec(), reason })));
            }
            let trial = self.trial(*value, Kind::Timed).await?;
            candidates.push(Candidate { value: *value, trials: vec![trial], ..Default::default() });
        }
        Ok((candidates, None))
    }

    /// Why the climb ends before `next`.
    fn stop(&self, candidates: &[Candidate], next: usize) -> Option<String> {
        let last = candidates.last()?;
        if self.is_over() {
            return Some(format!("the time budget of {} was over", seconds(self.rules.budget)));
        }
        if self.dimension == Dimension::Chunk && last.trials.iter().any(|t| t.ended && t.chunks.len() < self.rules.min_chunks) {
            return Some(format!("the sample ends within {} chunks of {}", self.rules.min_chunks, grouped(last.value as f64)));
        }
        if self.rules.exhaustive {
            return None;
        }
        if let Some(why) = self.breaks(last) {
            return Some(format!("at {} {why}", grouped(last.value as f64)));
        }
        stopped_paying(candidates).or_else(|| self.too_long(candidates, next))
    }

    /// Where chunks of that size cannot be measured in every round in the time that is left.
    fn too_long(&self, candidates: &[Candidate], next: usize) -> Option<String> {
        let best = candidates.iter().map(|c| point(c).rate()).fold(0.0, f64::max);
        let setting = self.setting(next);
        let trial = setting.chunk as f64 * self.rules.min_chunks as f64 / best.max(1e-9);
        let left = self.ends.saturating_sub(self.measure.elapsed()).as_secs_f64();
        (self.dimension == Dimension::Chunk && trial * f64::from(self.rules.rounds) > left).then(|| {
            let (chunks, budget) = (self.rules.min_chunks, seconds(self.rules.budget));
            format!(
                "{chunks} chunks of {} would take {}, too long for a time budget of {budget}",
                grouped(next as f64),
                milliseconds(trial * 1e3)
            )
        })
    }
}

/// Whether the last ones brought nothing over the best before them.
fn stopped_paying(candidates: &[Candidate]) -> Option<String> {
    let (before, last) = candidates.split_at(candidates.len().checked_sub(IN_A_ROW).filter(|n| *n > 0)?);
    let rates = |some: &[Candidate]| some.iter().map(|c| point(c).rate()).fold(0.0, f64::max);
    let tried: Vec<String> = last.iter().map(|c| grouped(c.value as f64)).collect();
    (rates(last) <= rates(before) * PAYS)
        .then(|| format!("{} brought less than {:.0} % over smaller ones", tried.join(" and "), (PAYS - 1.0) * 100.0))
}

fn seconds(time: std::time::Duration) -> String {
    milliseconds(time.as_secs_f64() * 1e3)
}
