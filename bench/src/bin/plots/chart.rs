//! One chart: lines on two logarithmic axes, the spread of each point, and a legend.

use plotters::prelude::*;
use port_core_bench::report::figure;
use port_core_bench::sample::Spread;
use std::error::Error;
use std::path::Path;

/// A picture.
pub(crate) struct Chart {
    pub(crate) title: &'static str,
    pub(crate) x: Axis,
    pub(crate) y: Axis,
    pub(crate) lines: Vec<Line>,
}

/// What an axis shows, and how its numbers are written.
pub(crate) struct Axis {
    pub(crate) name: &'static str,
    pub(crate) write: fn(f64) -> String,
}

/// One candidate.
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, Spread)>,
}

/// Colours that those who confuse red and green can tell apart, ours first.
const COLOURS: [RGBColor; 6] = [
    RGBColor(213, 94, 0),
    RGBColor(0, 114, 178),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(120, 120, 120),
];
const SIZE: (u32, u32) = (820, 420);
const LEGEND: i32 = 200;
const FONT: &str = "sans-serif";

pub(crate) const PLAIN: fn(f64) -> String = figure;

/// A number of bytes, in powers of 1,000, as the axis has them.
pub(crate) fn bytes(size: f64) -> String {
    let units = ["B", "kB", "MB", "GB"];
    let mut size = size;
    let mut unit = 0;
    while size >= 999.5 && unit + 1 < units.len() {
        size /= 1000.0;
        unit += 1;
    }
    format!("{} {}", figure(size), units[unit])
}

/// The least and the greatest of some numbers.
fn ends(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    (values.clone().fold(f64::INFINITY, f64::min), values.fold(f64::NEG_INFINITY, f64::max))
}

impl Chart {
    pub(crate) fn draw(mut self, path: &Path) -> Result<(), Box<dyn Error>> {
        self.lines.retain(|line| !line.points.is_empty());
        let points = self.lines.iter().flat_map(|line| &line.points);
        let (left, right) = ends(points.clone().map(|(x, _)| *x));
        let (least, most) = ends(points.flat_map(|(_, y)| [y.min, y.max]));
        // Whole powers of ten, so that one chart looks like the next.
        let (low, high) = (10_f64.powf(least.log10().floor()), 10_f64.powf(most.log10().ceil()));
        let (xs, ys) = (left..right, low..high);
        let root = SVGBackend::new(path, SIZE).into_drawing_area();
        root.fill(&WHITE)?;
        let root = root.titled(self.title, (FONT, 19))?;
        let (left, right) = root.split_horizontally(SIZE.0 as i32 - LEGEND);
        let mut axes = ChartBuilder::on(&left)
            .margin(10)
            .x_label_area_size(42)
            .y_label_area_size(74)
            .build_cartesian_2d(xs.log_scale(), ys.log_scale())?;
        axes.configure_mesh()
            .bold_line_style(BLACK.mix(0.12))
            .light_line_style(BLACK.mix(0.04))
            .x_desc(self.x.name)
            .y_desc(self.y.name)
            .axis_desc_style((FONT, 15))
            .label_style((FONT, 13))
            .x_label_formatter(&|x| (self.x.write)(*x))
            .y_label_formatter(&|y| (self.y.write)(*y))
            .draw()?;
        for (number, line) in self.lines.iter().enumerate() {
            let style = style(number);
            let middles = line.points.iter().map(|(x, y)| (*x, y.median));
            axes.draw_series(LineSeries::new(middles.clone(), style))?;
            axes.draw_series(middles.map(|point| Circle::new(point, 3, style.filled())))?;
            axes.draw_series(
                line.points
                    .iter()
                    .map(|(x, y)| PathElement::new(vec![(*x, y.min), (*x, y.max)], style.color.mix(0.35))),
            )?;
        }
        self.legend(&right)?;
        root.present()?;
        Ok(())
    }

    /// Names beside their colours, in the order in which the lines end.
    fn legend(
        &self,
        area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
    ) -> Result<(), Box<dyn Error>> {
        let last = |line: &Line| line.points.last().map_or(0.0, |(_, y)| y.median);
        let mut order: Vec<usize> = (0..self.lines.len()).collect();
        order.sort_by(|&one, &other| last(&self.lines[other]).total_cmp(&last(&self.lines[one])));
        for (place, number) in (0..).zip(order) {
            let y = 30 + place * 24;
            area.draw(&PathElement::new(vec![(4, y), (26, y)], style(number)))?;
            area.draw(&Text::new(self.lines[number].name.clone(), (32, y - 7), (FONT, 14)))?;
        }
        Ok(())
    }
}

fn style(number: usize) -> ShapeStyle {
    let width = if number == 0 { 3 } else { 2 };
    COLOURS[number % COLOURS.len()].stroke_width(width)
}
