//! Curves in SVG on logarithmic axes, one panel below the other.

use std::fmt::Write;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = WIDTH - 130.0;
const TOP: f64 = 30.0;
const BOTTOM: f64 = HEIGHT - 45.0;
const COLOURS: [&str; 4] = ["#2166ac", "#b2182b", "#1b7837", "#762a83"];

pub struct Panel {
    pub title: String,
    pub x: &'static str,
    pub y: &'static str,
    pub lines: Vec<Line>,
}

pub struct Line {
    pub name: String,
    pub points: Vec<Point>,
}

/// All of them above zero.
#[derive(Debug, Clone, Copy)]
pub struct Point {
    pub x: f64,
    pub least: f64,
    pub median: f64,
    pub most: f64,
}

pub fn svg(panels: &[Panel]) -> String {
    let height = HEIGHT * panels.len() as f64;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
    );
    for (number, panel) in panels.iter().enumerate() {
        let _ = writeln!(out, "<g transform=\"translate(0 {})\">", HEIGHT * number as f64);
        draw(&mut out, panel);
        out.push_str("</g>\n");
    }
    out + "</svg>\n"
}

/// Whole decades, so that each end of an axis is a mark.
struct Axis {
    from: i32,
    to: i32,
}

impl Axis {
    fn over(values: impl Iterator<Item = f64> + Clone) -> Self {
        let (least, most) = (values.clone().fold(f64::MAX, f64::min), values.fold(f64::MIN_POSITIVE, f64::max));
        let (from, to) = (least.log10().floor(), most.log10().ceil());
        Self { from: from as i32, to: (to as i32).max(from as i32 + 1) }
    }

    /// From 0 to 1.
    fn at(&self, value: f64) -> f64 {
        (value.log10() - f64::from(self.from)) / f64::from(self.to - self.from)
    }

    fn marks(&self) -> impl Iterator<Item = f64> + use<> {
        (self.from..=self.to).map(|power| 10f64.powi(power))
    }
}

fn draw(out: &mut String, panel: &Panel) {
    let points = || panel.lines.iter().flat_map(|line| &line.points);
    let x = Axis::over(points().map(|point| point.x));
    let y = Axis::over(points().flat_map(|point| [point.least, point.most]));
    let across = |value: f64| LEFT + (RIGHT - LEFT) * x.at(value);
    let up = |value: f64| BOTTOM - (BOTTOM - TOP) * y.at(value);
    let _ = writeln!(out, "<text x=\"10\" y=\"18\" font-weight=\"bold\">{}: {} by {}</text>", panel.title, panel.y, panel.x);
    for mark in x.marks() {
        let at = across(mark);
        let _ = writeln!(out, "<line x1=\"{at:.1}\" y1=\"{TOP}\" x2=\"{at:.1}\" y2=\"{BOTTOM}\" stroke=\"#dddddd\"/>");
        let _ = writeln!(out, "<text x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\">{mark}</text>", BOTTOM + 16.0);
    }
    for mark in y.marks() {
        let at = up(mark);
        let _ = writeln!(out, "<line x1=\"{LEFT}\" y1=\"{at:.1}\" x2=\"{RIGHT}\" y2=\"{at:.1}\" stroke=\"#dddddd\"/>");
        let _ = writeln!(out, "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{mark}</text>", LEFT - 6.0, at + 4.0);
    }
    for (number, (line, colour)) in panel.lines.iter().zip(COLOURS.iter().cycle()).enumerate() {
        curve(out, line, colour, &across, &up);
        let _ = writeln!(
            out,
            "<text x=\"{}\" y=\"{}\" fill=\"{colour}\">{}</text>",
            RIGHT + 12.0,
            TOP + 12.0 + 18.0 * number as f64,
            line.name
        );
    }
}

/// The medians joined, and at each the range of all rounds.
fn curve(out: &mut String, line: &Line, colour: &str, across: &impl Fn(f64) -> f64, up: &impl Fn(f64) -> f64) {
    let joined: Vec<_> = line.points.iter().map(|point| format!("{:.1},{:.1}", across(point.x), up(point.median))).collect();
    let _ = writeln!(out, "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>", joined.join(" "));
    for point in &line.points {
        let (x, least, most) = (across(point.x), up(point.least), up(point.most));
        let _ = writeln!(out, "<line x1=\"{x:.1}\" y1=\"{least:.1}\" x2=\"{x:.1}\" y2=\"{most:.1}\" stroke=\"{colour}\"/>");
    }
}
