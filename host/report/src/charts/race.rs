use plotly::common::{ColorScale, ColorScalePalette, Line, Mode};
use plotly::layout::{Axis, AxisType};
use plotly::{Layout, Scatter, Trace};

use super::{COLOURS, Chart, value_axis};
use crate::format::count;
use crate::text::{label, name, places};
use crate::tournament::{HeatMap, Standing, Standings};

/// Windows of a chart of standings.
const WINDOWS: usize = 400;

/// One figure over two parameters.
pub(crate) fn heat_map(map: &HeatMap) -> Chart {
    let values: Vec<Vec<Option<f64>>> = map
        .values
        .iter()
        .map(|row| row.iter().map(|value| value.filter(|value| value.is_finite())).collect())
        .collect();
    let cells = plotly::HeatMap::new(places(&map.xs), places(&map.ys), values)
        .name(label(&map.figure))
        .color_scale(ColorScale::Palette(ColorScalePalette::Viridis))
        .hover_on_gaps(false);
    let layout = Layout::new()
        .show_legend(false)
        .x_axis(value_axis(&label(&map.x)).type_(AxisType::Category))
        .y_axis(value_axis(&label(&map.y)).type_(AxisType::Category));
    let (figure, strategy, x, y) = (name(&map.figure), name(&map.strategy), name(&map.x), name(&map.y));
    let heading = format!("{figure} of {strategy} by {x} and {y}");
    Chart::new(&heading, &heading, vec![cells], &layout)
        .with_notes(["An empty cell has no figure: it was not run, or the figure is not defined.".to_owned()])
}

/// How ranks or scores went from window to window.
pub(crate) fn standings(standings: &Standings) -> Chart {
    let each = standings.windows.len().div_ceil(WINDOWS).max(1);
    let last = standings.windows.len().saturating_sub(1);
    let kept = |at: &usize| *at == last || at.is_multiple_of(each);
    let drawn: Vec<usize> = (0..standings.windows.len()).filter(kept).collect();
    let all = places(&standings.windows);
    let windows: Vec<String> = drawn.iter().map(|at| all[*at].clone()).collect();
    let lines = standings.series.iter().zip(COLOURS.iter().cycle()).map(|(series, colour)| {
        let values: Vec<_> = drawn.iter().map(|at| series.values[*at].filter(|value| value.is_finite())).collect();
        let line = Line::new().color(*colour).width(1.5);
        Scatter::new(windows.clone(), values).name(label(&series.label)).mode(Mode::LinesMarkers).line(line)
            as Box<dyn Trace>
    });
    let lines = lines.collect();
    let (title, axis) = match standings.standing {
        // The first is on top.
        Standing::Rank => ("Rank", value_axis("Rank").range(vec![lowest(standings) + 0.5, 0.5])),
        Standing::Score => ("Score", value_axis("Score")),
    };
    let layout = Layout::new().show_legend(true).x_axis(Axis::new().type_(AxisType::Category)).y_axis(axis);
    let heading = format!("{title} over time");
    let note = (each > 1).then(|| {
        format!(
            "Thinned from {} windows: every {each}th and the last are drawn.",
            count(standings.windows.len() as u64)
        )
    });
    Chart::new(&heading, &format!("{heading}, one line each"), lines, &layout).with_notes(note)
}

/// The greatest rank of all.
fn lowest(standings: &Standings) -> f64 {
    let values = standings.series.iter().flat_map(|series| series.values.iter().copied().flatten());
    values.filter(|value| value.is_finite()).fold(1.0, f64::max)
}
