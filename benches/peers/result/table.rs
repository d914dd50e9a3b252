//! The results as Markdown.

use super::{Entry, Goal, Metric, Results, Verdict, compared, goals, goals::Bound};
use std::fmt::Write;

/// Conditions, goals and all medians.
pub fn markdown(results: &Results, conditions: &[(String, String)], chunk: u64) -> String {
    let mut out = String::from("# Peers, side by side\n\n");
    for (what, value) in conditions {
        let _ = writeln!(out, "- {what}: {value}");
    }
    out.push_str("\n## Goals\n\n| ours | chunk | against | of | ours | theirs | ratio or difference | goal | |\n|---|---|---|---|---|---|---|---|---|\n");
    goals(chunk).iter().for_each(|goal| self::goal(&mut out, goal, goal.verdict(results)));
    out.push_str("\n## Medians\n");
    results.groups().for_each(|(group, entries)| self::group(&mut out, group, entries));
    out
}

fn goal(out: &mut String, goal: &Goal, verdict: Option<Verdict>) {
    let against = goal.other().map_or("-".to_owned(), |run| run.to_string());
    let unit = goal.metric.unit();
    let (bound, sign) = match goal.bound {
        Bound::Times(_, most) => (format!("<= {most:.2}"), ""),
        Bound::More(_, most) => (format!("<= {most:+.1} {unit}"), "+"),
        Bound::Most(most) => (format!("<= {most:.0} {unit}"), ""),
    };
    let (ours, theirs, value, met) = verdict.map_or(("-".to_owned(), "-".to_owned(), "-".to_owned(), "not measured"), |verdict| {
        let value = if sign.is_empty() { format!("{:.2}", verdict.value) } else { format!("{:+.2}", verdict.value) };
        let met = if verdict.met { "met" } else { "**missed**" };
        (number(verdict.ours), verdict.other.map_or("-".to_owned(), number), value, met)
    });
    let _ = writeln!(
        out,
        "| {} | {} | {against} | {}, {unit} | {ours} | {theirs} | {value} | {bound} | {met} |",
        goal.ours,
        goal.ours.chunk,
        goal.metric.name()
    );
}

fn group(out: &mut String, name: &str, entries: &[Entry]) {
    let _ = writeln!(
        out,
        "\n### {name}\n\n| | chunk | s | least to most | ours, by {}, is | first item, ms | whole process, ms | peak MB | rows |",
        compared(name).name()
    );
    out.push_str("|---|---|---|---|---|---|---|---|---|\n");
    // The first of a group is ours.
    let (metric, ours) = (compared(name), entries[0].median(compared(name)));
    for entry in entries {
        let Some((seconds, last)) = entry.median(Metric::Seconds).zip(entry.measurements.last()) else {
            let why = entry.given_up.as_deref().unwrap_or("not measured");
            let _ = writeln!(out, "| {} | {} | {why} | | | | | | |", entry.run, entry.run.chunk);
            continue;
        };
        let (least, most) = entry.range(Metric::Seconds).unwrap_or((seconds, seconds));
        let ratio = ours.zip(entry.median(metric)).map_or("-".to_owned(), |(ours, other)| format!("{:.2}", ours / other));
        let of = |metric| entry.median(metric).map_or("-".to_owned(), number);
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} to {} | {ratio} | {} | {} | {} | {}{} |",
            entry.run,
            entry.run.chunk,
            number(seconds),
            number(least),
            number(most),
            of(Metric::FirstItem),
            of(Metric::WholeProcess),
            of(Metric::Peak),
            last.rows,
            entry.given_up.as_ref().map(|why| format!("; then {why}")).unwrap_or_default()
        );
    }
}

/// With three digits that tell something.
pub fn number(value: f64) -> String {
    let digits = if value == 0.0 { 0 } else { (2.0 - value.abs().log10().floor()).clamp(0.0, 5.0) as usize };
    format!("{value:.digits$}")
}
