//! What can be wrong with rows of market data.

use std::fmt;

use tiltyard_model::{Interval, Nanos};

use crate::{TimeUnit, format_time};

/// What is wrong with one row.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Flaw {
    /// More or fewer fields than the header has, or the first row where there is none.
    #[error("{found} fields where there should be {expected}; is the row cut short, or a comma too many?")]
    Fields {
        /// Fields in the row.
        found: usize,
        /// Fields of every row.
        expected: usize,
    },
    /// A quote that is closed on another line, or never.
    #[error("a quoted field goes on over the end of the line; close the quote")]
    OpenQuote,
    /// Not a time.
    #[error("time `{text}` is neither a whole number since 1970 nor a date in UTC such as 2024-01-31 12:00:00")]
    Time {
        /// What was written.
        text: String,
    },
    /// A time that nanoseconds in 64 bits cannot hold.
    #[error("time `{text}` is out of range; times go from 1677-09-22 to 2262-04-11")]
    TimeRange {
        /// What was written.
        text: String,
    },
    /// A time in another unit than the rows before.
    #[error("time `{text}` is in {unit}, the rows before it are in {before}; write all rows in one unit")]
    MixedTimes {
        /// What was written.
        text: String,
        /// Its unit.
        unit: TimeUnit,
        /// The unit of the first row.
        before: TimeUnit,
    },
    /// Not a number.
    #[error("{column} `{text}` is not a number; write it like 0.25")]
    Number {
        /// The column.
        column: &'static str,
        /// What was written.
        text: String,
    },
    /// A number, but no price or no volume.
    #[error("{column} {value:?} is not between {least:?} and {most:?}; correct or remove the row")]
    Range {
        /// The column.
        column: &'static str,
        /// What was read.
        value: f64,
        /// The least that is accepted.
        least: f64,
        /// The most that is accepted.
        most: f64,
    },
    /// The high is not the highest.
    #[error("high {high:?} is below {column} {value:?}; correct or remove the row")]
    High {
        /// The high.
        high: f64,
        /// The column that is above it.
        column: &'static str,
        /// That column's price.
        value: f64,
    },
    /// The low is not the lowest.
    #[error("low {low:?} is above {column} {value:?}; correct or remove the row")]
    Low {
        /// The low.
        low: f64,
        /// The column that is below it.
        column: &'static str,
        /// That column's price.
        value: f64,
    },
    /// Two rows contradict each other.
    #[error("{} is also the time of {other}, with other values; remove one of the two", format_time(*time))]
    Conflict {
        /// The open time of both.
        time: Nanos,
        /// The other row.
        other: Place,
    },
    /// A single bar that begins where none should.
    #[error(
        "{} is no whole number of {} after the first bar, {}; correct or remove the row, or the first if that is wrong",
        format_time(*time), span(*interval), format_time(*first)
    )]
    OffGrid {
        /// When it begins.
        time: Nanos,
        /// When the first bar begins.
        first: Nanos,
        /// The interval asked for.
        interval: Nanos,
    },
    /// The bars are of another length than was asked for.
    #[error(
        "{} comes {} after the bar before, and that is the usual step; give the interval {} instead of {}",
        format_time(*time), span(*usual), span(*usual), span(*interval)
    )]
    Interval {
        /// A bar that shows it.
        time: Nanos,
        /// The most frequent step from bar to bar.
        usual: Nanos,
        /// The interval asked for.
        interval: Nanos,
    },
}

/// A length of time as people give it, such as `4h`.
fn span(length: Nanos) -> String {
    match length.split() {
        (_, 0) => Interval::Only(length).to_string(),
        _ => length.to_string(),
    }
}

/// Where a row stands in its file, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The line of a text; the header is line 1.
    Line(u64),
    /// The row of a file that has no lines.
    Row(u64),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(f, "line {line}"),
            Self::Row(row) => write!(f, "row {row}"),
        }
    }
}

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{place}: {flaw}")]
pub struct Problem {
    /// Where in the file.
    pub place: Place,
    /// What is wrong with it.
    pub flaw: Flaw,
}

/// All that is wrong with a file: the first problems, and how many there are.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Problems {
    first: Vec<Problem>,
    count: u64,
}

impl Problems {
    /// Most problems that are kept; the rest is counted.
    pub const KEPT: usize = 20;

    /// The problems kept, at most [`Problems::KEPT`], by place.
    #[must_use]
    pub fn first(&self) -> &[Problem] {
        &self.first
    }

    /// How many there are in all.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(crate) fn add(&mut self, place: Place, flaw: Flaw) {
        self.count += 1;
        if self.first.len() < Self::KEPT {
            let at = self.first.partition_point(|problem| problem.place <= place);
            self.first.insert(at, Problem { place, flaw });
        }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.count, if self.count == 1 { "problem" } else { "problems" })?;
        self.first.iter().try_for_each(|problem| write!(f, "\n  {problem}"))?;
        match self.count - self.first.len() as u64 {
            0 => Ok(()),
            more => write!(f, "\n  and {more} more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Flaw, Place, Problems};
    use tiltyard_model::Nanos;

    #[test]
    fn twenty_are_kept_and_the_rest_is_counted() {
        let mut problems = Problems::default();
        for line in (2..25).rev() {
            problems.add(Place::Line(line), Flaw::OpenQuote);
        }
        assert_eq!((problems.first().len(), problems.count()), (20, 23));
        assert!(problems.first().is_sorted_by_key(|problem| problem.place));
        let text = problems.to_string();
        assert!(text.starts_with("23 problems\n  line 5: ") && text.ends_with("\n  and 3 more"), "{text}");
    }

    #[test]
    fn a_flaw_names_value_limit_and_remedy() {
        let flaw = Flaw::Range { column: "open", value: -1.0, least: 1e-12, most: 1e12 };
        assert_eq!(flaw.to_string(), "open -1.0 is not between 1e-12 and 1000000000000.0; correct or remove the row");
        let flaw = Flaw::Interval { time: Nanos(0), usual: Nanos::from_secs(60), interval: Nanos::from_hours(1) };
        assert_eq!(
            flaw.to_string(),
            "1970-01-01T00:00:00Z comes 1m after the bar before, and that is the usual step; \
             give the interval 1m instead of 1h"
        );
    }
}
