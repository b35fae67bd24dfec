//! Longer bars of shorter ones.

use std::fmt;

use tiltyard_model::{Bar, Columns, Decimal, Interval, Nanos, decimal, to_f64};

use crate::{Report, format_time};

/// Monday, 1970-01-05: where weeks are counted from. Everything else is counted from 1970-01-01T00:00 UTC.
const MONDAY: i64 = 4 * DAY;
const DAY: i64 = 86_400_000_000_000;

/// What came of making longer bars.
#[derive(Debug, Clone, PartialEq)]
pub struct Resampled {
    /// The longer bars.
    pub bars: Columns,
    /// The beginning of the data, if it was no whole bar. It was dropped.
    pub dropped_first: Option<Partial>,
    /// The end of the data, if it was no whole bar. It was dropped.
    pub dropped_last: Option<Partial>,
    /// Longer bars in which some of the shorter ones are missing. They are kept: what traded did trade.
    pub incomplete: Vec<Partial>,
    /// Longer bars of which there is nothing. They are not filled.
    pub missing: u64,
}

/// A longer bar of which some shorter ones are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partial {
    /// When it opens.
    pub open_time: Nanos,
    /// Shorter bars that there are.
    pub has: u64,
    /// Shorter bars that make a whole one.
    pub of: u64,
}

/// Why bars cannot be made longer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ResampleError {
    /// Not a whole multiple above 1.
    #[error("{to} is no whole multiple of {from}; give one, such as {}", Interval::Only(*from_length + *from_length))]
    Multiple {
        /// The bars' interval.
        from: Interval,
        /// Its length.
        from_length: Nanos,
        /// What was asked for.
        to: Interval,
    },
    /// `any` has no length.
    #[error("bars of any length cannot be made longer; give both intervals, such as 1m and 1h")]
    Length,
    /// A longer bar would begin in the middle of a shorter one.
    #[error(
        "the bar of {} does not begin at a multiple of {from} in UTC, so that a bar of {to} would begin inside of one",
        format_time(*time)
    )]
    Misaligned {
        /// The bar.
        time: Nanos,
        /// The bars' interval.
        from: Interval,
        /// What was asked for.
        to: Interval,
    },
    /// Too few bars for a single one.
    #[error("{bars} bars of {from} make no whole bar of {to}")]
    TooFew {
        /// How many there are.
        bars: usize,
        /// The bars' interval.
        from: Interval,
        /// What was asked for.
        to: Interval,
    },
}

/// Makes bars of the interval `to` of bars of the interval `from`.
///
/// They begin at whole multiples of `to` since 1970 in UTC; those of whole weeks on Mondays. Open is the first open, high
/// the highest high, low the lowest low, close the last close, volume
/// the sum (of the decimals that the volumes are, so that it ends where a venue's own does). The first and the last are dropped if the data
/// begins after they do, or ends before they do.
///
/// # Errors
/// [`ResampleError`].
pub fn resample(bars: &Columns, from: Interval, to: Interval) -> Result<Resampled, ResampleError> {
    let (Interval::Only(short), Interval::Only(long)) = (from, to) else { return Err(ResampleError::Length) };
    if short.0 <= 0 || long.0 <= short.0 || long.0 % short.0 != 0 {
        return Err(ResampleError::Multiple { from, from_length: short, to });
    }
    let origin = if long.0 % (7 * DAY) == 0 { MONDAY } else { 0 };
    // In 128 bits, since the distance of two instants may not fit in 64.
    let phase =
        |time: Nanos, length: Nanos| (i128::from(time.0) - i128::from(origin)).rem_euclid(length.0.into()) as i64;
    if let Some(bar) = bars.iter().find(|bar| phase(bar.open_time, short) != 0) {
        return Err(ResampleError::Misaligned { time: bar.open_time, from, to });
    }
    let of = (long.0 / short.0) as u64;
    let all: Vec<Bar> = bars.iter().collect();
    let begin = |bar: &Bar| i128::from(bar.open_time.0) - i128::from(phase(bar.open_time, long));
    let mut longer: Vec<(i128, &[Bar])> =
        all.chunk_by(|one, next| begin(one) == begin(next)).map(|part| (begin(&part[0]), part)).collect();

    let partial = |(open, part): &(i128, &[Bar])| Partial {
        open_time: Nanos(i64::try_from(*open).unwrap_or(i64::MIN)),
        has: part.len() as u64,
        of,
    };
    let starts_late = longer.first().is_some_and(|(open, part)| i128::from(part[0].open_time.0) != *open);
    let dropped_first = starts_late.then(|| partial(&longer.remove(0)));
    let ends_early = longer.last().is_some_and(|(open, part)| {
        let last = part.last().map_or(*open, |bar| i128::from(bar.open_time.0));
        last + i128::from(short.0) != open + i128::from(long.0)
    });
    let dropped_last = if ends_early { longer.pop().as_ref().map(partial) } else { None };
    if longer.is_empty() {
        return Err(ResampleError::TooFew { bars: all.len(), from, to });
    }
    let between = longer.windows(2).map(|pair| ((pair[1].0 - pair[0].0) / i128::from(long.0) - 1) as u64);
    Ok(Resampled {
        missing: between.sum(),
        incomplete: longer.iter().map(partial).filter(|bar| bar.has < of).collect(),
        bars: longer.iter().map(|(open, part)| whole(*open, part)).collect(),
        dropped_first,
        dropped_last,
    })
}

fn whole(open_time: i128, part: &[Bar]) -> Bar {
    let (first, last) = (part[0], part[part.len() - 1]);
    Bar {
        // Before time begins there is no instant; then it opens with its first shorter bar.
        open_time: Nanos(i64::try_from(open_time).unwrap_or(first.open_time.0)),
        open: first.open,
        high: part.iter().fold(first.high, |high, bar| high.max(bar.high)),
        low: part.iter().fold(first.low, |low, bar| low.min(bar.low)),
        close: last.close,
        volume: volume(part),
    }
}

/// The sum of all volumes, as exact as a venue's own: added as decimals, where they are such, and rounded once.
fn volume(part: &[Bar]) -> f64 {
    let exact = part.iter().try_fold(Decimal::ZERO, |sum, bar| sum.checked_add(decimal(bar.volume)?));
    exact.map_or_else(|| part.iter().map(|bar| bar.volume).sum(), to_f64)
}

impl Partial {
    /// Shorter bars that are missing.
    #[must_use]
    pub fn missing(&self) -> u64 {
        self.of - self.has
    }
}

impl fmt::Display for Partial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} with {} of {}", format_time(self.open_time), self.has, self.of)
    }
}

impl fmt::Display for Resampled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut notes = Vec::new();
        for (what, dropped) in [("first", &self.dropped_first), ("last", &self.dropped_last)] {
            notes.extend(dropped.map(|partial| format!("the {what} bar is not whole, dropped: {partial}")));
        }
        if !self.incomplete.is_empty() {
            let first: Vec<String> =
                self.incomplete.iter().take(Report::LISTED_GAPS).map(ToString::to_string).collect();
            let more = if self.incomplete.len() > first.len() { ", …" } else { "" };
            let missing: u64 = self.incomplete.iter().map(Partial::missing).sum();
            notes.push(format!(
                "{missing} shorter bars missing inside {} bars: {}{more}",
                self.incomplete.len(),
                first.join(", ")
            ));
        }
        if self.missing > 0 {
            notes.push(format!("{} bars missing as a whole, not filled", self.missing));
        }
        f.write_str(&notes.join("; "))
    }
}
