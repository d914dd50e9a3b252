//! What the framework is to reach beside the contestants.

use super::{
    Metric, Results, Run,
    Who::{HandLoop, Limit, Ours, Oxide, PsqlCopy, Sbrs, Spring},
};

#[derive(Debug, Clone, Copy)]
pub enum Bound {
    /// At most so many times the other's median.
    Times(Run, f64),
    /// At most so much more than the other's median, in the metric's unit.
    More(Run, f64),
    /// At most so much, in the metric's unit.
    Most(f64),
}

#[derive(Debug, Clone, Copy)]
pub struct Goal {
    pub ours: Run,
    pub metric: Metric,
    pub bound: Bound,
}

/// How a goal stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verdict {
    pub ours: f64,
    pub other: Option<f64>,
    /// What is compared with the bound: a ratio, a difference, or our median.
    pub value: f64,
    pub met: bool,
}

impl Goal {
    /// `None` where one of both was not measured.
    pub fn verdict(&self, results: &Results) -> Option<Verdict> {
        let ours = results.median(self.ours, self.metric)?;
        let other = self.other().map(|run| results.median(run, self.metric).ok_or(())).transpose().ok()?;
        let (value, most) = match (self.bound, other) {
            (Bound::Times(_, most), Some(other)) => (ours / other, most),
            (Bound::More(_, most), Some(other)) => (ours - other, most),
            (Bound::Most(most), _) => (ours, most),
            _ => return None,
        };
        Some(Verdict { ours, other, value, met: value <= most })
    }

    pub fn other(&self) -> Option<Run> {
        match self.bound {
            Bound::Times(run, _) | Bound::More(run, _) => Some(run),
            Bound::Most(_) => None,
        }
    }
}

/// All of them, the usual chunk being of so many.
pub fn goals(chunk: u64) -> Vec<Goal> {
    let ours = |workload| Run::new(Ours, workload, chunk);
    let times = |ours, who, workload, most| Goal {
        ours,
        metric: Metric::Seconds,
        bound: Bound::Times(Run { who, workload, variant: super::Variant::Usual, ..ours }, most),
    };
    let goal = |ours, metric, bound| Goal { ours, metric, bound };
    let (at_10, at_95) = (ours("w5r").failed_at(10), ours("w5r").failed_at(95));
    vec![
        times(ours("w1"), Limit, "w1ck", 1.05),
        times(ours("w1flight"), Limit, "w1ck", 0.70),
        times(ours("w1flight"), Limit, "w1window2", 1.05),
        times(ours("w1flightstep"), PsqlCopy, "w1", 1.05),
        times(Run::new(Ours, "w1flightstep", 10_000), PsqlCopy, "w1", 0.75),
        // The same with records instead of structs.
        times(ours("w1flightrec"), Limit, "w1window2", 1.05),
        times(ours("w1flightsteprec"), PsqlCopy, "w1", 1.05),
        times(Run::new(Ours, "w1flightsteprec", 10_000), PsqlCopy, "w1", 0.75),
        times(ours("w1"), Spring, "w1", 0.25),
        times(ours("w1"), Oxide, "w1", 0.5),
        times(ours("w1"), Sbrs, "w1", 0.65),
        times(Run::new(Ours, "w1", 100), Limit, "w1ck", 1.05),
        times(ours("w2"), HandLoop, "w2", 1.10),
        times(ours("w2rec"), Limit, "w2", 1.5),
        times(ours("w3"), Limit, "w3", 1.15),
        times(ours("w4"), HandLoop, "w4", 1.10),
        times(ours("w4step"), HandLoop, "w4", 0.5),
        goal(ours("w4m"), Metric::PerItem, Bound::More(Run::new(HandLoop, "w4m", chunk), 2.5)),
        goal(at_10, Metric::FirstItem, Bound::More(Run::new(HandLoop, "w5r", chunk).failed_at(10), 5.0)),
        goal(at_95, Metric::FirstItem, Bound::More(Run::new(HandLoop, "w5r", chunk).failed_at(95), 5.0)),
        // Equal, as far as starting a process can be told apart.
        goal(at_95, Metric::FirstItem, Bound::More(at_10, 2.0)),
        goal(ours("w6"), Metric::WholeProcess, Bound::Most(15.0)),
        goal(ours("w6"), Metric::Peak, Bound::Most(8.0)),
        times(ours("w7"), Ours, "w7clean", 1.3),
        times(ours("w7"), Spring, "w7", 0.02),
        times(ours("w8"), Ours, "w8clean", 1.1),
        goal(ours("w1"), Metric::Peak, Bound::Most(12.0)),
        goal(ours("w1").ten_times(), Metric::Peak, Bound::Most(12.0)),
        goal(ours("w1").ten_times(), Metric::Peak, Bound::Times(ours("w1"), 1.1)),
    ]
}
