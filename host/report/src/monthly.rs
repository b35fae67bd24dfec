//! Returns by month.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tiltyard_model::Nanos;

use crate::format::percent;

/// Returns by calendar month, UTC, a row for each year.
pub(crate) struct MonthlyReturns {
    pub(crate) years: Vec<Year>,
}

/// A row of the table.
pub(crate) struct Year {
    pub(crate) year: i16,
    /// January to December.
    pub(crate) months: [Cell; 12],
    /// From the year's beginning, or the run's, to its end.
    pub(crate) total: Cell,
}

/// A return: what is read, and the class that colours it. Empty where the run has no such month.
#[derive(Clone, Default)]
pub(crate) struct Cell {
    pub(crate) text: String,
    pub(crate) class: &'static str,
}

impl MonthlyReturns {
    /// The returns of an equity that began with `initial`. A sample at midnight belongs to the day that ends; a month without
    /// samples has a return of 0, as days have in [`tiltyard_engine::Metrics`].
    pub(crate) fn of(initial: f64, equity: &[(Nanos, f64)]) -> Self {
        let closes: BTreeMap<i32, f64> = equity.iter().map(|(time, value)| (month(*time - Nanos(1)), *value)).collect();
        let (Some((first, _)), Some((last, _))) = (closes.first_key_value(), closes.last_key_value()) else {
            return Self { years: Vec::new() };
        };
        let mut years = Vec::new();
        let mut before = initial;
        for year in first.div_euclid(12)..=last.div_euclid(12) {
            let began = before;
            let months = std::array::from_fn(|at| {
                let month = year * 12 + at as i32;
                if month < *first || month > *last {
                    return Cell::default();
                }
                let close = closes.get(&month).copied().unwrap_or(before);
                Cell::of(change(std::mem::replace(&mut before, close), close))
            });
            years.push(Year { year: year as i16, months, total: Cell::of(change(began, before)) });
        }
        Self { years }
    }
}

impl Cell {
    fn of(change: Option<f64>) -> Self {
        Self { text: percent(change), class: change.map_or("", class) }
    }
}

/// Months since the year 0. Years fit easily: instants end in 2262.
fn month(time: Nanos) -> i32 {
    let instant =
        Timestamp::from_nanosecond(time.0.into()).expect("64 bits of nanoseconds span 1677 to 2262, jiff more");
    let date = instant.to_zoned(TimeZone::UTC).date();
    i32::from(date.year()) * 12 + i32::from(date.month()) - 1
}

/// The return from one equity to another, if there was something to lose; nothing left is a loss of everything.
fn change(before: f64, after: f64) -> Option<f64> {
    let change = after.max(0.0) / before - 1.0;
    (before > 0.0 && after.is_finite() && change.is_finite()).then_some(change)
}

/// How strongly a return is coloured: below 1 %, 3 %, 10 %, and beyond.
fn class(change: f64) -> &'static str {
    let strength = [0.01, 0.03, 0.1].into_iter().filter(|limit| change.abs() >= *limit).count();
    match () {
        () if change > 0.0 => ["gain-1", "gain-2", "gain-3", "gain-4"][strength],
        () if change < 0.0 => ["loss-1", "loss-2", "loss-3", "loss-4"][strength],
        () => "",
    }
}

#[cfg(test)]
mod tests {
    use super::MonthlyReturns;
    use tiltyard_model::Nanos;

    const DAY: i64 = 86_400;

    fn row(initial: f64, equity: &[(i64, f64)]) -> Vec<Vec<String>> {
        let equity: Vec<_> = equity.iter().map(|(days, value)| (Nanos::from_secs(days * DAY), *value)).collect();
        let returns = MonthlyReturns::of(initial, &equity);
        let texts = |year: super::Year| year.months.into_iter().chain([year.total]).map(|cell| cell.text).collect();
        returns.years.into_iter().map(texts).collect()
    }

    #[test]
    fn a_month_ends_with_its_last_midnight() {
        // 31 days after 1970-01-01 January is over; that instant is its close, not February's.
        let rows = row(100.0, &[(15, 90.0), (31, 110.0), (59, 99.0)]);
        assert_eq!(rows[0][..3], ["10.00 %", "-10.00 %", ""]);
        assert_eq!(rows[0][12], "-1.00 %");
    }

    #[test]
    fn a_month_without_samples_returns_nothing_and_years_follow_each_other() {
        let rows = row(100.0, &[(10, 110.0), (365 + 5, 121.0)]);
        assert_eq!(rows.len(), 2);
        assert_eq!((&*rows[0][0], &*rows[0][1], &*rows[0][12]), ("10.00 %", "0.00 %", "10.00 %"));
        assert_eq!((&*rows[1][0], &*rows[1][1], &*rows[1][12]), ("10.00 %", "", "10.00 %"));
    }

    #[test]
    fn what_cannot_be_computed_is_a_dash() {
        assert!(row(100.0, &[]).is_empty());
        let rows = row(100.0, &[(10, f64::NAN), (40, 110.0), (70, -5.0), (100, 7.0)]);
        assert_eq!(rows[0][..4], ["–", "–", "-100.00 %", "–"]);
        assert_eq!(row(0.0, &[(10, 1.0)])[0][0], "–");
        assert_eq!(row(f64::NAN, &[(10, 1.0)])[0][12], "–");
    }

    #[test]
    fn the_ends_of_time_have_months() {
        let ends = [(Nanos(i64::MIN), 1.0), (Nanos(i64::MAX), 2.0)];
        assert_eq!(MonthlyReturns::of(1.0, &ends).years.len(), 586);
    }
}
