use std::ops::Range;

use crate::Nanos;

/// What traded in one interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bar {
    /// When the interval began.
    pub open_time: Nanos,
    /// First price.
    pub open: f64,
    /// Highest price.
    pub high: f64,
    /// Lowest price.
    pub low: f64,
    /// Last price.
    pub close: f64,
    /// Base currency traded.
    pub volume: f64,
}

/// Consecutive bars of one instrument, oldest first, one column a field; all columns are of the same length.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Columns {
    open_time: Vec<i64>,
    open: Vec<f64>,
    high: Vec<f64>,
    low: Vec<f64>,
    close: Vec<f64>,
    volume: Vec<f64>,
}

impl Columns {
    /// No bars yet, with room for this many.
    #[must_use]
    pub fn with_capacity(bars: usize) -> Self {
        Self {
            open_time: Vec::with_capacity(bars),
            open: Vec::with_capacity(bars),
            high: Vec::with_capacity(bars),
            low: Vec::with_capacity(bars),
            close: Vec::with_capacity(bars),
            volume: Vec::with_capacity(bars),
        }
    }

    /// Adds a bar at the end.
    pub fn push(&mut self, bar: &Bar) {
        self.open_time.push(bar.open_time.0);
        self.open.push(bar.open);
        self.high.push(bar.high);
        self.low.push(bar.low);
        self.close.push(bar.close);
        self.volume.push(bar.volume);
    }

    /// Number of bars.
    #[must_use]
    pub fn len(&self) -> usize {
        self.close.len()
    }

    /// Whether there are no bars.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.close.is_empty()
    }

    /// The bar at this place, if there is one.
    #[must_use]
    pub fn get(&self, at: usize) -> Option<Bar> {
        (at < self.len()).then(|| self.bar(at))
    }

    /// The bars in this range, as far as there are any.
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> Self {
        let end = range.end.min(self.len());
        let range = range.start.min(end)..end;
        Self {
            open_time: self.open_time[range.clone()].to_vec(),
            open: self.open[range.clone()].to_vec(),
            high: self.high[range.clone()].to_vec(),
            low: self.low[range.clone()].to_vec(),
            close: self.close[range.clone()].to_vec(),
            volume: self.volume[range].to_vec(),
        }
    }

    /// The bars one by one.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Bar> + '_ {
        (0..self.len()).map(|at| self.bar(at))
    }

    fn bar(&self, at: usize) -> Bar {
        Bar {
            open_time: Nanos(self.open_time[at]),
            open: self.open[at],
            high: self.high[at],
            low: self.low[at],
            close: self.close[at],
            volume: self.volume[at],
        }
    }

    /// Open times, in nanoseconds since 1970 (see [`Nanos`]).
    #[must_use]
    pub fn open_time(&self) -> &[i64] {
        &self.open_time
    }

    /// First prices.
    #[must_use]
    pub fn open(&self) -> &[f64] {
        &self.open
    }

    /// Highest prices.
    #[must_use]
    pub fn high(&self) -> &[f64] {
        &self.high
    }

    /// Lowest prices.
    #[must_use]
    pub fn low(&self) -> &[f64] {
        &self.low
    }

    /// Last prices.
    #[must_use]
    pub fn close(&self) -> &[f64] {
        &self.close
    }

    /// Base currency traded.
    #[must_use]
    pub fn volume(&self) -> &[f64] {
        &self.volume
    }
}

impl FromIterator<Bar> for Columns {
    fn from_iter<I: IntoIterator<Item = Bar>>(bars: I) -> Self {
        let bars = bars.into_iter();
        let mut columns = Self::with_capacity(bars.size_hint().0);
        bars.for_each(|bar| columns.push(&bar));
        columns
    }
}

#[cfg(test)]
mod tests {
    use super::{Bar, Columns};
    use crate::Nanos;

    #[test]
    fn a_slice_takes_what_there_is() {
        let bar = |at: i64| Bar { open_time: Nanos(at), open: 1.0, high: 1.0, low: 1.0, close: at as f64, volume: 0.0 };
        let columns: Columns = (0..5).map(bar).collect();
        assert_eq!(columns.slice(3..9), (3..5).map(bar).collect());
        assert_eq!(columns.slice(7..9), Columns::default());
        assert_eq!(columns.get(4), Some(bar(4)));
        assert_eq!(columns.get(5), None);
    }
}
