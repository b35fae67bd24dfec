//! Fewer points that show the same: extremes survive, gaps survive, and what was done is told.

use tiltyard_model::{Bar, Columns, Nanos};

use crate::format::count;

/// Points of a line; a screen has no more columns than half as many.
const POINTS: usize = 2_000;
/// Points kept of each stretch: first, lowest, highest, last, and one that is no number.
const KEPT: usize = 5;
/// Candles of a price chart.
const CANDLES: usize = 1_500;

/// A series with at most 2,000 points: of each stretch the first, lowest, highest and last, which draws the same line
/// (M4; Jugel, Jerzak, Hackenbroich, Markl, 2014), and the first that is no number, so that no gap closes.
pub(crate) fn points(series: &[(Nanos, f64)]) -> Vec<(Nanos, f64)> {
    if series.len() <= POINTS {
        return series.to_vec();
    }
    let stretch = series.len().div_ceil(POINTS / KEPT);
    series.chunks(stretch).flat_map(outline).collect()
}

/// What of a stretch is kept.
fn outline(stretch: &[(Nanos, f64)]) -> impl Iterator<Item = (Nanos, f64)> + '_ {
    let numbers = || stretch.iter().enumerate().filter(|(_, (_, value))| value.is_finite());
    let by_value = |a: &(usize, &(Nanos, f64)), b: &(usize, &(Nanos, f64))| a.1.1.total_cmp(&b.1.1);
    let mut kept: Vec<usize> = [
        Some(0),
        numbers().min_by(by_value).map(|(at, _)| at),
        numbers().max_by(by_value).map(|(at, _)| at),
        stretch.iter().position(|(_, value)| !value.is_finite()),
        Some(stretch.len() - 1),
    ]
    .into_iter()
    .flatten()
    .collect();
    kept.sort_unstable();
    kept.dedup();
    kept.into_iter().map(|at| stretch[at])
}

/// What [`points`] did to a series of this length; nothing to a short one.
pub(crate) fn points_note(length: usize) -> Option<String> {
    (length > POINTS).then(|| {
        format!(
            "Thinned from {} points: of every {} the first, lowest, highest and last are drawn.",
            count(length as u64),
            count(length.div_ceil(POINTS / KEPT) as u64)
        )
    })
}

/// At most 1,500 candles, each of this many consecutive bars.
pub(crate) fn candles(bars: &Columns) -> (Vec<Bar>, usize) {
    let each = bars.len().div_ceil(CANDLES).max(1);
    let bars: Vec<Bar> = bars.iter().collect();
    let merged = |bars: &[Bar]| {
        let merge = |all: Bar, bar: &Bar| Bar {
            high: all.high.max(bar.high),
            low: all.low.min(bar.low),
            close: bar.close,
            volume: all.volume + bar.volume,
            ..all
        };
        bars.split_first().map(|(first, rest)| rest.iter().fold(*first, merge))
    };
    (bars.chunks(each).filter_map(merged).collect(), each)
}

/// The beginning and the end of a list that may be long.
pub(crate) struct Ends<T> {
    /// The first rows.
    pub(crate) first: Vec<T>,
    /// Rows between that are not shown.
    pub(crate) hidden: usize,
    /// The last rows.
    pub(crate) last: Vec<T>,
}

impl<T> Ends<T> {
    /// Up to `each` rows from either end.
    pub(crate) fn of<'a, S>(rows: &'a [S], each: usize, row: impl FnMut(&'a S) -> T) -> Self {
        let cut = if rows.len() > 2 * each { each } else { rows.len() };
        let (first, rest) = rows.split_at(cut);
        let hidden = rest.len().saturating_sub(each);
        let mut all: Vec<T> = first.iter().chain(&rest[hidden..]).map(row).collect();
        let last = all.split_off(cut);
        Self { first: all, hidden, last }
    }

    /// The rows that are not shown, for a reader.
    pub(crate) fn hidden_count(&self) -> String {
        count(self.hidden as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::{CANDLES, Ends, POINTS, candles, points};
    use proptest::prelude::*;
    use proptest::test_runner::TestRunner;
    use tiltyard_model::{Bar, Columns, Nanos};

    fn series(values: &[f64]) -> Vec<(Nanos, f64)> {
        values.iter().enumerate().map(|(at, value)| (Nanos(at as i64), *value)).collect()
    }

    /// Series have to be long to be thinned: more cases would cost more than they find, however many are asked for.
    fn check<S: Strategy>(inputs: S, law: impl Fn(S::Value) -> Result<(), TestCaseError>) {
        let config = ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() };
        TestRunner::new(config).run(&inputs, law).unwrap();
    }

    #[test]
    fn thinning_keeps_ends_extremes_and_order() {
        let ends = |series: &[(Nanos, f64)]| {
            let wider = |(low, high): (f64, f64), (_, value): &(Nanos, f64)| (low.min(*value), high.max(*value));
            series.iter().fold((f64::MAX, f64::MIN), wider)
        };
        check(prop::collection::vec(-1e9..1e9f64, 1..12_000), |values| {
            let whole = series(&values);
            let thin = points(&whole);
            prop_assert!(thin.len() <= POINTS);
            prop_assert_eq!((thin.first(), thin.last()), (whole.first(), whole.last()));
            prop_assert_eq!(ends(&thin), ends(&whole));
            prop_assert!(thin.windows(2).all(|pair| pair[0].0 < pair[1].0));
            Ok(())
        });
    }

    #[test]
    fn candles_cover_all_bars() {
        let bar = |at: usize| {
            let middle = (at % 97) as f64;
            let (high, low) = (middle + 1.0, middle - 1.0);
            Bar { open_time: Nanos(at as i64), open: middle, high, low, close: middle, volume: 1.0 }
        };
        let highest = |bars: &mut dyn Iterator<Item = Bar>| bars.fold(f64::MIN, |high, bar| high.max(bar.high));
        check(0usize..6_000, |length| {
            let bars: Columns = (0..length).map(bar).collect();
            let (drawn, each) = candles(&bars);
            prop_assert!(drawn.len() <= CANDLES && drawn.len() == length.div_ceil(each));
            prop_assert_eq!(drawn.iter().map(|bar| bar.volume).sum::<f64>(), length as f64);
            prop_assert_eq!(highest(&mut drawn.iter().copied()), highest(&mut bars.iter()));
            Ok(())
        });
    }

    #[test]
    fn a_gap_does_not_close() {
        let mut values = vec![1.0; 10_000];
        values[5_001] = f64::NAN;
        assert_eq!(points(&series(&values)).iter().filter(|(_, value)| value.is_nan()).count(), 1);
        assert_eq!(points(&series(&vec![f64::NAN; 10_000])).len(), 800);
    }

    #[test]
    fn ends_meet_where_the_list_is_short() {
        let rows: Vec<usize> = (0..5).collect();
        let ends = |each| Ends::of(&rows, each, |row| *row);
        let short = ends(3);
        assert_eq!((short.first, short.hidden, short.last), (vec![0, 1, 2, 3, 4], 0, vec![]));
        let long = ends(2);
        assert_eq!((long.first, long.hidden, long.last), (vec![0, 1], 1, vec![3, 4]));
    }
}
