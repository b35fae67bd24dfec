//! What is repaired, what is refused, and what is said about it.
#![allow(clippy::unwrap_used, reason = "a test may")]

use tiltyard_market::{Gap, ReadLimits, Report, Series, SeriesError, read_bars_from};
use tiltyard_model::Nanos;

const HOUR: Nanos = Nanos::from_hours(1);

/// A series of these rows: hour, open, high, low, close, volume.
fn hours(rows: &[(i64, &str)]) -> Result<Series, SeriesError> {
    let rows: Vec<_> = rows.iter().map(|(hour, values)| (hour * 3600, *values)).collect();
    seconds(&rows, HOUR)
}

fn seconds(rows: &[(i64, &str)], interval: Nanos) -> Result<Series, SeriesError> {
    let mut text = "timestamp,open,high,low,close,volume\n".to_owned();
    text.extend(rows.iter().map(|(time, values)| format!("{time},{values}\n")));
    Series::new(read_bars_from("bars.csv", text.as_bytes(), ReadLimits::default()).unwrap(), interval)
}

fn problems(result: Result<Series, SeriesError>) -> Vec<String> {
    match result {
        Err(SeriesError::Rows { problems, .. }) => problems.first().iter().map(ToString::to_string).collect(),
        other => panic!("{other:?}"),
    }
}

/// The one problem of one bar.
fn problem(values: &str) -> String {
    let problems = problems(hours(&[(0, values)]));
    assert_eq!(problems.len(), 1, "{problems:?}");
    problems[0].strip_prefix("line 2: ").unwrap().strip_suffix("; correct or remove the row").unwrap().to_owned()
}

const A: &str = "1,2,0.5,1.5,7";
const B: &str = "2,3,1.5,2.5,8";

#[test]
fn prices_and_volumes_have_bounds() {
    let price = "is not between 1e-12 and 1000000000000.0";
    for (values, expected) in [
        ("0,1,1,1,1", format!("open 0.0 {price}")),
        ("1,1,-2,1,1", format!("low -2.0 {price}")),
        ("1,NaN,1,1,1", format!("high NaN {price}")),
        ("1,inf,1,1,1", format!("high inf {price}")),
        ("1,1e999,1,1,1", format!("high inf {price}")),
        ("1,1,1e-310,1,1", format!("low 1e-310 {price}")),
        ("1,1,9e-13,1,1", format!("low 9e-13 {price}")),
        ("1,1,1,1.1e12,1", format!("close 1100000000000.0 {price}")),
        ("1,1,1,1,-1", "volume -1.0 is not between 0.0 and 1000000000000000.0".to_owned()),
        ("1,1,1,1,2e15", "volume 2000000000000000.0 is not between 0.0 and 1000000000000000.0".to_owned()),
        ("1,1,1,1,nan", "volume NaN is not between 0.0 and 1000000000000000.0".to_owned()),
    ] {
        assert_eq!(problem(values), expected);
    }
    assert!(hours(&[(0, "1e-12,1e12,1e-12,1e12,1e15")]).is_ok());
}

#[test]
fn a_bar_lies_between_its_low_and_its_high() {
    assert_eq!(problem("3,2,1,1.5,1"), "high 2.0 is below open 3.0");
    assert_eq!(problem("1.5,2,1,3,1"), "high 2.0 is below close 3.0");
    assert_eq!(problem("1,2,1.25,1.5,1"), "low 1.25 is above open 1.0");
    assert_eq!(problem("1.5,2,1.25,1,1"), "low 1.25 is above close 1.0");
}

#[test]
fn disorder_and_repetition_are_repaired_and_reported() {
    let tidy = hours(&[(0, A), (1, B), (2, A)]).unwrap();
    assert_eq!(tidy.report, Report::default());
    let untidy = hours(&[(2, A), (0, A), (1, B), (0, A), (0, "1.0,2.0,0.50,1.5,7")]).unwrap();
    assert_eq!((untidy.report.out_of_order_rows, untidy.report.duplicate_rows), (4, 2));
    assert_eq!(untidy.report.to_string(), "4 rows out of order, sorted; 2 duplicate rows dropped");
    assert_eq!((&untidy.bars, untidy.digest()), (&tidy.bars, tidy.digest()));
}

#[test]
fn rows_that_contradict_each_other_are_refused() {
    assert_eq!(
        problems(hours(&[(0, A), (1, A), (0, A), (1, B)])),
        ["line 5: 1970-01-01T01:00:00Z is also the time of line 3, with other values; remove one of the two"]
    );
}

#[test]
fn gaps_are_reported_and_not_filled() {
    let series = hours(&[(0, A), (1, A), (4, A), (5, A), (7, A)]).unwrap();
    assert_eq!(series.bars.len(), 5);
    let gap = |hour, bars| Gap { from: Nanos::from_hours(hour), bars };
    assert_eq!(
        series.report,
        Report { gaps: 2, missing_bars: 3, first_gaps: vec![gap(2, 2), gap(6, 1)], ..Report::default() }
    );
}

#[test]
fn a_report_is_written_and_read_back() {
    let report = hours(&[(0, A), (3, A)]).unwrap().report;
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["first_gaps"][0]["bars"], 2);
    assert_eq!(serde_json::from_value::<Report>(json).unwrap(), report);
}

#[test]
fn the_grid_starts_at_the_first_bar() {
    assert!(seconds(&[(1800, A), (5400, A)], HOUR).is_ok());
    assert_eq!(
        problems(seconds(&[(0, A), (3600, A), (7201, A), (7200, B), (10800, A)], HOUR)),
        ["line 4: 1970-01-01T02:00:01Z is no whole number of 1h after the first bar, 1970-01-01T00:00:00Z; \
          correct or remove the row, or the first if that is wrong"]
    );
}

#[test]
fn bars_of_another_length_tell_which() {
    let minutes: Vec<_> = (0..50).map(|minute| (60 * minute, A)).collect();
    assert_eq!(
        problems(seconds(&minutes, HOUR)),
        ["line 3: 1970-01-01T00:01:00Z comes 1m after the bar before, and that is the usual step; \
          give the interval 1m instead of 1h"]
    );
    let days: Vec<_> = (0..10).map(|day| (86_400 * day, A)).collect();
    assert_eq!(
        problems(seconds(&days, HOUR)),
        ["line 3: 1970-01-02T00:00:00Z comes 1d after the bar before, and that is the usual step; \
          give the interval 1d instead of 1h"]
    );
}

#[test]
fn intervals_are_above_zero() {
    for interval in [0, -1, i64::MIN] {
        assert_eq!(seconds(&[(0, A)], Nanos(interval)), Err(SeriesError::Interval(Nanos(interval))));
    }
}

#[test]
fn the_ends_of_time_are_no_trouble() {
    let rows = [(i64::MIN / 1_000_000_000, A), (i64::MAX / 1_000_000_000, A)];
    let series = seconds(&rows, Nanos::from_secs(1)).unwrap();
    assert_eq!((series.bars.len(), series.report.missing_bars), (2, 18_446_744_071));
    let far = seconds(&[rows[1], (0, A), rows[0]], Nanos(i64::MAX));
    assert!(matches!(far, Err(SeriesError::Rows { .. })), "{far:?}");
}

#[test]
fn a_file_without_volume_is_noticed() {
    let silent = hours(&[(0, "1,1,1,1,0"), (1, "1,1,1,1,-0.0")]).unwrap();
    assert_eq!(silent.report.to_string(), "no bar has any volume");
    assert_eq!(silent.digest(), hours(&[(0, "1,1,1,1,0"), (1, "1,1,1,1,0")]).unwrap().digest());
    assert!(!hours(&[(0, "1,1,1,1,0"), (1, A)]).unwrap().report.all_volume_zero);
}

#[test]
fn problems_of_reading_and_of_checking_come_together_by_line() {
    let problems = problems(hours(&[(0, A), (1, "1,0.5,0.5,1,1"), (2, "?,1,1,1,1"), (0, B)]));
    let lines: Vec<_> = problems.iter().map(|problem| problem.split(':').next().unwrap()).collect();
    assert_eq!(lines, ["line 3", "line 4", "line 5"]);
}
