//! What is measured, in groups that can be compared.

use crate::result::{
    Run,
    Who::{HandLoop, Limit, Ours, Oxide, PsqlCopy, Sbrs, Spring},
};

pub const GROUPS: [&str; 12] = ["w1", "w1at100", "w1at10000", "w2", "w3", "w4", "w4m", "w5", "w6", "w7", "w8", "memory"];

/// The runs of a group, ours first.
pub fn group(name: &str, chunk: u64) -> Vec<Run> {
    let each = |workload, who: &[_]| who.iter().map(|&who| Run::new(who, workload, chunk)).collect::<Vec<_>>();
    let all = |pairs: &[_], chunk| pairs.iter().map(|&(who, workload)| Run::new(who, workload, chunk)).collect();
    match name {
        "w1" => {
            let mut runs = each("w1", &[Ours]);
            let in_flight = ["w1flight", "w1flightstep", "w1flightrec", "w1flightsteprec"];
            runs.extend(in_flight.map(|workload| Run::new(Ours, workload, chunk)));
            runs.extend(["w1ck", "w1window2"].map(|workload| Run::new(Limit, workload, chunk)));
            runs.extend(each("w1", &[PsqlCopy, HandLoop, Oxide, Sbrs, Spring]));
            runs
        }
        "w1at100" => all(&[(Ours, "w1"), (Limit, "w1ck"), (HandLoop, "w1")], 100),
        "w1at10000" => all(
            &[
                (Ours, "w1flightstep"),
                (Ours, "w1flightsteprec"),
                (Ours, "w1flight"),
                (Ours, "w1flight3"),
                (Ours, "w1"),
                (Limit, "w1ck"),
                (Limit, "w1window2"),
                (PsqlCopy, "w1"),
            ],
            10_000,
        ),
        "w2" => {
            let mut runs: Vec<Run> = all(&[(Ours, "w2"), (Ours, "w2rec")], chunk);
            runs.extend(each("w2", &[Limit, HandLoop, Oxide, Sbrs, Spring]));
            runs
        }
        "w3" => each("w3", &[Ours, Limit, Oxide, Sbrs, Spring]),
        "w4" => {
            let mut runs: Vec<Run> = all(&[(Ours, "w4"), (Ours, "w4step")], chunk);
            runs.extend(each("w4", &[HandLoop, Oxide, Spring]));
            runs
        }
        "w4m" => each("w4m", &[Ours, Limit, HandLoop, Oxide, Sbrs, Spring]),
        "w5" => {
            let at = |hundredths, who: &[_]| each("w5r", who).into_iter().map(move |run| run.failed_at(hundredths));
            at(95, &[Ours, HandLoop, Oxide, Spring]).chain(at(10, &[Ours, HandLoop])).collect()
        }
        "w6" => each("w6", &[Ours, HandLoop, Oxide, Spring]),
        "w7" => all(&[(Ours, "w7"), (Ours, "w7clean"), (Oxide, "w7"), (Spring, "w7")], chunk),
        "w8" => all(&[(Ours, "w8"), (Ours, "w8clean"), (Oxide, "w8"), (Spring, "w8")], chunk),
        "memory" => vec![Run::new(Ours, "w1", chunk).ten_times()],
        _ => Vec::new(),
    }
}
