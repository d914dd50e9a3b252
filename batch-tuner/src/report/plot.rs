//! The plot; everything of `plotters` is in this file.

use super::{Curve, Point, Tuning, grouped, numbers::short};
use plotters::{
    coord::{
        Shift,
        combinators::{LogCoord, WithKeyPoints},
    },
    prelude::*,
};

const WIDTH: u32 = 900;
/// Of each chart.
const HEIGHT: u32 = 300;
const THROUGHPUT: RGBColor = RGBColor(31, 119, 180);
const LOCKS: RGBColor = RGBColor(214, 39, 40);

type Drawn = Result<(), Box<dyn std::error::Error>>;

/// Two charts a curve: throughput with its interval, and how long transactions are open.
pub(super) fn svg(tuning: &Tuning) -> String {
    let mut text = String::new();
    let charts = u32::try_from(2 * tuning.curves.len()).unwrap_or(2).max(1);
    let area = SVGBackend::with_string(&mut text, (WIDTH, HEIGHT * charts)).into_drawing_area();
    // Only a backend that writes elsewhere than into a string can fail.
    let drawn = draw(&area, tuning);
    drop(area);
    drawn.map_or_else(|_| String::new(), |()| text)
}

fn draw(area: &DrawingArea<SVGBackend<'_>, Shift>, tuning: &Tuning) -> Drawn {
    area.fill(&WHITE)?;
    let charts = area.split_evenly((2 * tuning.curves.len().max(1), 1));
    for (curve, pair) in tuning.curves.iter().zip(charts.chunks_exact(2)) {
        let what = format!(
            "{}: items/s by {}{}",
            tuning.job,
            curve.dimension.as_str(),
            if tuning.rolled_back { ", rolled back" } else { "" }
        );
        chart(&pair[0], curve, &what, THROUGHPUT, |p| (p.items_per_second.low, p.rate(), p.items_per_second.high))?;
        chart(&pair[1], curve, "transaction, ms: p50 to p99, line at p95", LOCKS, |p| {
            (p.lock_ms.p50, p.lock_ms.p95, p.lock_ms.p99)
        })?;
    }
    area.present()?;
    Ok(())
}

/// A line through the middle values, and a stroke from the low to the high one at each; the recommended number has a mark.
fn chart(
    area: &DrawingArea<SVGBackend<'_>, Shift>,
    curve: &Curve,
    caption: &str,
    colour: RGBColor,
    of: impl Fn(&Point) -> (f64, f64, f64),
) -> Drawn {
    let top = curve.points.iter().map(|p| of(p).2).fold(f64::MIN_POSITIVE, f64::max) * 1.1;
    let mut chart = ChartBuilder::on(area)
        .caption(caption, ("sans-serif", 16))
        .margin(12)
        .x_label_area_size(28)
        .y_label_area_size(80)
        .build_cartesian_2d(values(curve), 0.0..top)?;
    chart
        .configure_mesh()
        .x_labels(12)
        .y_labels(6)
        .light_line_style(TRANSPARENT)
        .x_label_formatter(&|x| grouped(*x))
        .y_label_formatter(&|y| short(*y))
        .draw()?;
    let line = curve.points.iter().map(|p| (p.value as f64, of(p).1));
    chart.draw_series(LineSeries::new(line, colour.stroke_width(2)))?;
    for point in &curve.points {
        let (x, (low, middle, high)) = (point.value as f64, of(point));
        chart.draw_series([PathElement::new([(x, low), (x, high)], colour.stroke_width(1))])?;
        let filled = curve.recommendation.value == Some(point.value);
        chart.draw_series([Circle::new((x, middle), if filled { 7 } else { 3 }, colour.filled())])?;
    }
    Ok(())
}

/// The numbers tried, each with its mark, and room beside them, on a logarithmic axis.
fn values(curve: &Curve) -> WithKeyPoints<LogCoord<f64>> {
    let marks: Vec<f64> = curve.points.iter().map(|p| p.value as f64).collect();
    let ends = marks.first().zip(marks.last()).map_or((1.0, 2.0), |(least, most)| (least / 1.3, most * 1.3));
    LogCoord::from((ends.0..ends.1).log_scale()).with_key_points(marks)
}
