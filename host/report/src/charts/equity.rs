use plotly::common::{Fill, Line, Mode};
use plotly::layout::Axis;
use plotly::{Layout, Scatter, Trace};
use tiltyard_model::Nanos;

use super::{COLOURS, Chart, LOSS, columns, time_axis, value_axis};
use crate::text::label;
use crate::thin;

/// How far an equity that began with `initial` is below its highest value so far, as a fraction from −1 to 0, after each
/// instant. Its deepest is [`tiltyard_engine::Metrics::max_drawdown_marked`].
fn drawdown(initial: f64, equity: &[(Nanos, f64)]) -> Vec<(Nanos, f64)> {
    let mut peak = initial;
    let mut ruined = false;
    let mut below = |value: f64| {
        if !value.is_finite() {
            return f64::NAN;
        }
        // Of an initial equity that is no number `max` takes the other.
        peak = peak.max(value);
        ruined |= value <= 0.0;
        if ruined { -1.0 } else { value / peak - 1.0 }
    };
    equity.iter().map(|(time, value)| (*time, below(*value))).collect()
}

/// Equity above, drawdown below, on one axis of time.
pub(crate) fn equity_and_drawdown(initial: f64, equity: &[(Nanos, f64)]) -> Chart {
    let (times, values) = columns(&thin::points(equity));
    let worth =
        Scatter::new(times, values).name("Equity").mode(Mode::Lines).line(Line::new().color(COLOURS[0]).width(1.5));
    let (times, values) = columns(&thin::points(&drawdown(initial, equity)));
    let fall = Scatter::new(times, values)
        .name("Drawdown")
        .mode(Mode::Lines)
        .fill(Fill::ToZeroY)
        .line(Line::new().color(LOSS).width(1.0))
        .y_axis("y2");
    let layout = Layout::new()
        .show_legend(false)
        .x_axis(time_axis().anchor("y2"))
        .y_axis(value_axis("Equity").domain(&[0.36, 1.0]))
        .y_axis2(percent_axis("Drawdown").domain(&[0.0, 0.3]));
    let label = "Equity over time, and below it how far it is under its highest value so far";
    Chart::new("Equity and drawdown", label, vec![worth, fall], &layout).with_notes(thin::points_note(equity.len()))
}

/// The equity of several, one line each.
pub(crate) fn equity_of_leaders(leaders: &[(String, Vec<(Nanos, f64)>)]) -> Chart {
    let lines = leaders.iter().zip(COLOURS.iter().cycle()).map(|((name, equity), colour)| {
        let (times, values) = columns(&thin::points(equity));
        let line = Line::new().color(*colour).width(1.5);
        Scatter::new(times, values).name(label(name)).mode(Mode::Lines).line(line) as Box<dyn Trace>
    });
    let lines = lines.collect();
    let layout = Layout::new().show_legend(true).x_axis(time_axis()).y_axis(value_axis("Equity"));
    let longest = leaders.iter().map(|(_, equity)| equity.len()).max().unwrap_or_default();
    Chart::new("Equity of the leaders", "Equity of the leaders over time, one line each", lines, &layout)
        .with_notes(thin::points_note(longest))
}

fn percent_axis(title: &str) -> Axis {
    value_axis(title).tick_format(".1%")
}

#[cfg(test)]
mod tests {
    use super::drawdown;
    use proptest::prelude::*;
    use tiltyard_model::Nanos;

    fn falls(initial: f64, values: &[f64]) -> Vec<f64> {
        let equity: Vec<_> = values.iter().enumerate().map(|(at, value)| (Nanos(at as i64), *value)).collect();
        drawdown(initial, &equity).into_iter().map(|(_, fall)| fall).collect()
    }

    proptest! {
        #[test]
        fn the_deepest_is_the_figure_of_the_metrics(values in prop::collection::vec(1.0..1e6f64, 1..200)) {
            let before = std::iter::once(500.0).chain(values.iter().copied());
            let returns: Vec<f64> = values.iter().zip(before).map(|(value, before)| value / before - 1.0).collect();
            let deepest = falls(500.0, &values).into_iter().fold(0.0, f64::min);
            prop_assert!((deepest - tiltyard_stats::max_drawdown(&returns).unwrap()).abs() < 1e-9);
        }
    }

    #[test]
    fn the_beginning_counts_as_a_peak() {
        assert_eq!(falls(100.0, &[50.0, 200.0, 100.0]), [-0.5, 0.0, -0.5]);
    }

    #[test]
    fn nothing_comes_after_ruin_and_gaps_stay_gaps() {
        assert_eq!(falls(100.0, &[0.0, 300.0]), [-1.0, -1.0]);
        let gap = falls(100.0, &[80.0, f64::NAN, f64::INFINITY, 90.0]);
        assert!(gap[1].is_nan() && gap[2].is_nan() && (gap[3] + 0.1).abs() < 1e-12);
    }
}
