//! The medians as bars in SVG: one panel a group with a scale of its own, the range of all rounds as a line across the bar's end.

use super::{Entry, Metric, Results, compared, number};
use std::fmt::Write;

const WIDTH: f64 = 760.0;
const LABELS: f64 = 210.0;
const BARS: f64 = WIDTH - LABELS - 150.0;
const LINE: f64 = 20.0;

/// What each group is compared by; less is better.
pub fn svg(results: &Results) -> String {
    let (mut body, mut y) = (String::new(), 10.0);
    for (group, entries) in results.groups() {
        y = panel(&mut body, y, group, entries);
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{y}\" viewBox=\"0 0 {WIDTH} {y}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n{body}</svg>\n"
    )
}

/// Returns where the next one begins.
fn panel(out: &mut String, top: f64, group: &str, entries: &[Entry]) -> f64 {
    let metric = compared(group);
    let measured: Vec<_> = entries.iter().filter(|entry| entry.median(metric).is_some()).collect();
    let longest = measured.iter().filter_map(|entry| entry.range(metric)).map(|(_, most)| most).fold(0.0, f64::max);
    let Some(ours) = measured.first().and_then(|entry| entry.median(metric)) else { return top };
    let _ = writeln!(
        out,
        "<text x=\"10\" y=\"{}\" font-weight=\"bold\">{group}: {}, {}</text>",
        top + 14.0,
        metric.name(),
        metric.unit()
    );
    let mut y = top + LINE;
    for entry in measured {
        bar(out, y, entry, metric, longest.max(f64::MIN_POSITIVE), ours);
        y += LINE;
    }
    y + LINE / 2.0
}

fn bar(out: &mut String, y: f64, entry: &Entry, metric: Metric, longest: f64, ours: f64) {
    let Some((median, (least, most))) = entry.median(metric).zip(entry.range(metric)) else { return };
    let at = |value: f64| LABELS + BARS * value / longest;
    let fill = if entry.run.who == super::Who::Ours { "#2166ac" } else { "#b0b0b0" };
    let middle = y + LINE / 2.0;
    let _ = writeln!(
        out,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\n\
         <rect x=\"{LABELS}\" y=\"{}\" width=\"{:.1}\" height=\"{}\" fill=\"{fill}\"/>\n\
         <line x1=\"{:.1}\" y1=\"{middle}\" x2=\"{:.1}\" y2=\"{middle}\" stroke=\"#222222\"/>\n\
         <text x=\"{:.1}\" y=\"{}\">{} ({:.2})</text>",
        LABELS - 6.0,
        y + 14.0,
        entry.run,
        y + 3.0,
        at(median) - LABELS,
        LINE - 6.0,
        at(least),
        at(most),
        at(most) + 6.0,
        y + 14.0,
        number(median),
        median / ours
    );
}
