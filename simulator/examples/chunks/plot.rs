//! Curves over time.

use plotters::{
    chart::ChartBuilder,
    prelude::{BLACK, IntoDrawingArea as _, LineSeries, PathElement, SVGBackend, WHITE},
    style::{Color as _, RGBColor},
};
use std::{error::Error, path::Path};

/// One curve.
pub struct Curve {
    pub name: String,
    pub points: Vec<(f64, f64)>,
}

/// Colours that people with any colour vision tell apart (Okabe and Ito).
const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(86, 180, 233),
    RGBColor(0, 158, 115),
    RGBColor(240, 228, 66),
    RGBColor(204, 121, 167),
    RGBColor(213, 94, 0),
    RGBColor(230, 159, 0),
];

/// Writes the curves as SVG.
pub fn write(path: &Path, curves: &[Curve]) -> Result<(), Box<dyn Error>> {
    let highest = |of: fn(&(f64, f64)) -> f64| {
        let all = curves.iter().flat_map(|curve| curve.points.iter().map(of));
        all.fold(1.0, f64::max)
    };
    let area = SVGBackend::new(path, (900, 480)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption(
            "memory of honest nodes under a one-producer flood, the highest of them",
            ("sans-serif", 20),
        )
        .margin(16)
        .x_label_area_size(48)
        .y_label_area_size(72)
        .build_cartesian_2d(0.0..highest(|it| it.0), 0.0..highest(|it| it.1) * 1.25)?;
    chart
        .configure_mesh()
        .x_desc("virtual seconds")
        .y_desc("KiB")
        .draw()?;
    for (curve, colour) in curves.iter().zip(COLOURS) {
        let line = LineSeries::new(curve.points.clone(), colour.stroke_width(2));
        chart
            .draw_series(line)?
            .label(curve.name.as_str())
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK)
        .draw()?;
    area.present()?;
    Ok(())
}
