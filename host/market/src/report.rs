//! What was repaired in a series, and what it lacks.

use std::fmt;

use serde::{Deserialize, Serialize};
use tiltyard_model::Nanos;

use crate::format_time;

/// What was repaired in a series, and what it lacks. Written out, it is empty if all was well.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct Report {
    /// Rows that came after a later one, and were sorted in.
    pub out_of_order_rows: u64,
    /// Rows that said again what another had said, and were dropped.
    pub duplicate_rows: u64,
    /// Places where bars are missing. They are not filled.
    pub gaps: u64,
    /// Bars that are missing in all of them.
    pub missing_bars: u64,
    /// The first gaps, at most [`Report::LISTED_GAPS`].
    pub first_gaps: Vec<Gap>,
    /// Whether no bar has any volume: the file has none, or the wrong column.
    pub all_volume_zero: bool,
}

/// Consecutive bars that are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct Gap {
    /// When the first missing bar would have opened.
    pub from: Nanos,
    /// Missing bars.
    pub bars: u64,
}

impl Report {
    /// Most gaps that are listed; the rest is counted.
    pub const LISTED_GAPS: usize = 5;

    /// Adds what was repaired elsewhere; gaps are not repaired.
    pub(crate) fn add_repairs(&mut self, other: &Self) {
        self.out_of_order_rows += other.out_of_order_rows;
        self.duplicate_rows += other.duplicate_rows;
    }

    pub(crate) fn add_gap(&mut self, gap: Gap) {
        self.gaps += 1;
        self.missing_bars += gap.bars;
        if self.first_gaps.len() < Self::LISTED_GAPS {
            self.first_gaps.push(gap);
        }
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} from {}", count(self.bars, "bar"), format_time(self.from))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut notes = Vec::new();
        if self.out_of_order_rows > 0 {
            notes.push(format!("{} out of order, sorted", count(self.out_of_order_rows, "row")));
        }
        if self.duplicate_rows > 0 {
            notes.push(format!("{} dropped", count(self.duplicate_rows, "duplicate row")));
        }
        if self.gaps > 0 {
            let mut gaps: Vec<String> = self.first_gaps.iter().map(Gap::to_string).collect();
            if self.gaps > gaps.len() as u64 {
                gaps.push("…".to_owned());
            }
            notes.push(format!(
                "{} missing in {}, not filled: {}",
                count(self.missing_bars, "bar"),
                count(self.gaps, "gap"),
                gaps.join(", ")
            ));
        }
        if self.all_volume_zero {
            notes.push("no bar has any volume".to_owned());
        }
        f.write_str(&notes.join("; "))
    }
}

fn count(number: u64, of: &str) -> String {
    format!("{number} {of}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::{Gap, Report};
    use tiltyard_model::Nanos;

    #[test]
    fn nothing_to_say_is_nothing_said() {
        assert_eq!(Report::default().to_string(), "");
    }

    #[test]
    fn everything_is_said_in_one_line() {
        let mut report = Report { out_of_order_rows: 2, duplicate_rows: 1, all_volume_zero: true, ..Report::default() };
        for hour in 0..6 {
            report.add_gap(Gap { from: Nanos::from_hours(10 * hour), bars: 2 });
        }
        assert_eq!(
            report.to_string(),
            "2 rows out of order, sorted; 1 duplicate row dropped; 12 bars missing in 6 gaps, not filled: \
             2 bars from 1970-01-01T00:00:00Z, 2 bars from 1970-01-01T10:00:00Z, 2 bars from 1970-01-01T20:00:00Z, \
             2 bars from 1970-01-02T06:00:00Z, 2 bars from 1970-01-02T16:00:00Z, …; no bar has any volume"
        );
    }
}
