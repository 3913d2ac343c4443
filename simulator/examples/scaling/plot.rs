//! Curves on two logarithmic axes: a straight line is a power, and its slope the exponent.

use plotters::{
    chart::{ChartBuilder, SeriesLabelPosition},
    prelude::{
        BLACK, IntoDrawingArea as _, IntoLogRange, LineSeries, PathElement, SVGBackend, WHITE,
    },
    style::{Color as _, RGBColor},
};
use std::{error::Error, path::Path};

/// One curve.
pub struct Curve {
    pub name: String,
    pub points: Vec<(f64, f64)>,
}

impl Curve {
    /// Pairs up two columns, and leaves out what a logarithm cannot show.
    pub fn new(name: &str, x: &[f64], y: impl IntoIterator<Item = f64>) -> Self {
        let points = x.iter().copied().zip(y);
        Self {
            name: name.into(),
            points: points.filter(|(x, y)| *x > 0.0 && *y > 0.0).collect(),
        }
    }
}

/// What the axes say.
pub struct Axes {
    pub title: &'static str,
    pub x: &'static str,
    pub y: &'static str,
}

/// Colours that people with any colour vision tell apart (Okabe and Ito).
const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(90, 90, 90),
];

/// What stands at a tick: ticks of a decade are added up, so their last digits are noise.
fn label(at: &f64) -> String {
    if *at < 1.0 {
        let short = format!("{at:.3}");
        short.trim_end_matches('0').to_owned()
    } else {
        format!("{at:.0}")
    }
}

/// Writes the curves as SVG.
pub fn write(path: &Path, axes: &Axes, curves: &[Curve]) -> Result<(), Box<dyn Error>> {
    let range = |of: fn(&(f64, f64)) -> f64| {
        let all = || curves.iter().flat_map(|curve| curve.points.iter().map(of));
        let low = all().fold(f64::INFINITY, f64::min);
        let high = all().fold(0.0, f64::max);
        low * 0.8..high * 1.25
    };
    let area = SVGBackend::new(path, (900, 560)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption(axes.title, ("sans-serif", 20))
        .margin(16)
        .x_label_area_size(48)
        .y_label_area_size(72)
        .build_cartesian_2d(range(|it| it.0).log_scale(), range(|it| it.1).log_scale())?;
    chart
        .configure_mesh()
        .x_desc(axes.x)
        .y_desc(axes.y)
        .x_label_formatter(&label)
        .y_label_formatter(&label)
        .draw()?;
    for (curve, colour) in curves.iter().zip(COLOURS) {
        let line = LineSeries::new(curve.points.clone(), colour.stroke_width(2)).point_size(3);
        chart
            .draw_series(line)?
            .label(curve.name.as_str())
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK)
        .draw()?;
    area.present()?;
    Ok(())
}
