//! Charts as plotly's script takes them: the data and what is particular to a chart. How charts look, in light and dark,
//! is `assets/report.js`'s business.

mod equity;
mod price;
mod race;

pub(crate) use equity::{equity_and_drawdown, equity_of_leaders};
pub(crate) use price::price;
pub(crate) use race::{heat_map, standings};

use plotly::common::Title;
use plotly::layout::{Axis, AxisType};
use plotly::{Layout, Trace, Traces};
use serde::Serialize;
use tiltyard_model::Nanos;

use crate::text::script_json;

/// Colours that are told apart in light and dark and by the colour-blind (Okabe and Ito, 2008).
const COLOURS: [&str; 8] = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8c7ae6", "#7f8c8d"];
/// What was gained, went up.
const GAIN: &str = "#009e73";
/// What was lost, went down.
const LOSS: &str = "#d55e00";

/// A chart of a page.
pub(crate) struct Chart {
    /// What it shows, for its heading.
    pub(crate) heading: String,
    /// What a reader who does not see it is told.
    pub(crate) label: String,
    /// What was left out of it, and other things to know.
    pub(crate) notes: Vec<String>,
    /// Data and layout, safe inside a script element.
    pub(crate) figure: String,
}

#[derive(Serialize)]
struct Figure<'a> {
    data: &'a Traces,
    layout: &'a Layout,
}

impl Chart {
    fn new(heading: &str, label: &str, traces: Vec<Box<dyn Trace>>, layout: &Layout) -> Self {
        let mut data = Traces::new();
        traces.into_iter().for_each(|trace| data.push(trace));
        let figure = script_json(&Figure { data: &data, layout });
        Self { heading: heading.to_owned(), label: label.to_owned(), notes: Vec::new(), figure }
    }

    fn with_notes(self, notes: impl IntoIterator<Item = String>) -> Self {
        Self { notes: notes.into_iter().collect(), ..self }
    }
}

/// An axis of time, UTC.
fn time_axis() -> Axis {
    Axis::new().type_(AxisType::Date)
}

/// An axis of values.
fn value_axis(title: &str) -> Axis {
    Axis::new().title(Title::with_text(title))
}

/// An instant as a time axis takes it: milliseconds since 1970.
fn milliseconds(time: Nanos) -> i64 {
    time.0.div_euclid(1_000_000)
}

/// Times and values of a series, apart.
fn columns(series: &[(Nanos, f64)]) -> (Vec<i64>, Vec<f64>) {
    series.iter().map(|(time, value)| (milliseconds(*time), *value)).unzip()
}
