//! Longer bars of shorter ones: where they begin, what is in them, what is missing.
#![allow(clippy::unwrap_used, reason = "a test may")]

use proptest::collection::btree_set;
use proptest::prelude::{prop_assert, prop_assert_eq, proptest};
use tiltyard_market::{Partial, ResampleError, Resampled, parse_date, resample};
use tiltyard_model::{Bar, Columns, Interval, Nanos};

fn every(text: &str) -> Interval {
    Interval::try_from(text.to_owned()).unwrap()
}

/// A bar of an hour whose values tell which it is.
fn hour(at: i64) -> Bar {
    let price = 100.0 + at as f64;
    Bar {
        open_time: Nanos::from_hours(at),
        open: price,
        high: price + 2.0,
        low: price - 2.0,
        close: price + 1.0,
        volume: 1.5,
    }
}

fn hours(hours: impl IntoIterator<Item = i64>) -> Columns {
    hours.into_iter().map(hour).collect()
}

fn to(bars: &Columns, interval: &str) -> Result<Resampled, ResampleError> {
    resample(bars, every("1h"), every(interval))
}

#[test]
fn a_longer_bar_is_what_its_shorter_ones_were() {
    let resampled = to(&hours(0..8), "4h").unwrap();
    let bar = |open: i64| Bar {
        open_time: Nanos::from_hours(open),
        open: 100.0 + open as f64,
        high: 105.0 + open as f64,
        low: 98.0 + open as f64,
        close: 104.0 + open as f64,
        volume: 6.0,
    };
    assert_eq!(resampled.bars, [bar(0), bar(4)].into_iter().collect());
    assert_eq!(resampled.to_string(), "");
}

#[test]
fn volumes_add_up_as_decimals() {
    let bars: Columns = [0.1, 0.2].iter().zip(0..).map(|(volume, at)| Bar { volume: *volume, ..hour(at) }).collect();
    assert_eq!(to(&bars, "2h").unwrap().bars.volume(), [0.3], "0.1 + 0.2 is 0.30000000000000004 otherwise");
}

#[test]
fn ends_that_are_not_whole_are_dropped_and_said() {
    let resampled = to(&hours(3..14), "4h").unwrap();
    assert_eq!(resampled.bars.open_time(), [Nanos::from_hours(4).0, Nanos::from_hours(8).0]);
    let partial = |at, has| Some(Partial { open_time: Nanos::from_hours(at), has, of: 4 });
    assert_eq!((resampled.dropped_first, resampled.dropped_last), (partial(0, 1), partial(12, 2)));
    assert_eq!(
        resampled.to_string(),
        "the first bar is not whole, dropped: 1970-01-01T00:00:00Z with 1 of 4; \
         the last bar is not whole, dropped: 1970-01-01T12:00:00Z with 2 of 4"
    );
}

#[test]
fn what_is_missing_inside_is_kept_and_said() {
    let resampled = to(&hours([0, 1, 3, 4, 7, 16, 17, 18, 19]), "4h").unwrap();
    assert_eq!(resampled.bars.len(), 3);
    assert_eq!(
        resampled.to_string(),
        "3 shorter bars missing inside 2 bars: 1970-01-01T00:00:00Z with 3 of 4, 1970-01-01T04:00:00Z with 2 of 4; \
         2 bars missing as a whole, not filled"
    );
}

#[test]
fn days_begin_at_midnight_and_weeks_on_monday() {
    // 2024-01-03 was a Wednesday.
    let begin = parse_date("2024-01-03").unwrap().0 / 3_600_000_000_000;
    let bars = hours(begin..begin + 24 * 20);
    let first = |interval| tiltyard_market::format_time(Nanos(to(&bars, interval).unwrap().bars.open_time()[0]));
    assert_eq!(first("1d"), "2024-01-03T00:00:00Z");
    assert_eq!(first("7d"), "2024-01-08T00:00:00Z");
    assert_eq!(to(&bars, "7d").unwrap().bars.len(), 2);
}

#[test]
fn what_cannot_be_done_is_refused() {
    let bars = hours(0..8);
    for interval in ["1h", "30m", "90m", "61m"] {
        let error = to(&bars, interval).unwrap_err();
        assert!(matches!(error, ResampleError::Multiple { .. }), "{error}");
    }
    assert_eq!(to(&bars, "90m").unwrap_err().to_string(), "90m is no whole multiple of 1h; give one, such as 2h");
    assert_eq!(to(&bars, "any"), Err(ResampleError::Length));
    assert_eq!(to(&bars, "1d").unwrap_err().to_string(), "8 bars of 1h make no whole bar of 1d");
    assert!(matches!(to(&Columns::default(), "1d"), Err(ResampleError::TooFew { .. })));
    let half: Columns =
        bars.iter().map(|bar| Bar { open_time: bar.open_time + Nanos::from_secs(1800), ..bar }).collect();
    assert_eq!(
        to(&half, "4h").unwrap_err().to_string(),
        "the bar of 1970-01-01T00:30:00Z does not begin at a multiple of 1h in UTC, so that a bar of 4h would begin inside of one"
    );
    let ends: Columns =
        [i64::MIN + 1, i64::MAX].map(|time| Bar { open_time: Nanos(time), ..hour(0) }).into_iter().collect();
    assert!(to(&ends, "4h").is_err());
}

proptest! {
    #[test]
    fn nothing_is_lost_between_whole_ends(present in btree_set(-500..500_i64, 1..300), times in 2..30_i64) {
        let bars = hours(present.iter().copied());
        if let Ok(resampled) = to(&bars, &format!("{times}h")) {
            let (first, last) = (resampled.bars.get(0).unwrap(), resampled.bars.get(resampled.bars.len() - 1).unwrap());
            let end = last.open_time + Nanos::from_hours(times);
            let inside: Vec<Bar> =
                bars.iter().filter(|bar| bar.open_time >= first.open_time && bar.open_time < end).collect();
            let dropped = [resampled.dropped_first, resampled.dropped_last].iter().flatten().map(|bar| bar.has).sum::<u64>();
            prop_assert_eq!(inside.len() as u64 + dropped, bars.len() as u64);
            prop_assert_eq!(resampled.bars.volume().iter().sum::<f64>(), 1.5 * inside.len() as f64);
            prop_assert_eq!(first.open, inside[0].open);
            prop_assert_eq!(last.close, inside[inside.len() - 1].close);
            let missing: u64 = resampled.incomplete.iter().map(Partial::missing).sum();
            let whole = (end.0 - first.open_time.0) / Nanos::from_hours(1).0;
            prop_assert_eq!(inside.len() as u64 + missing + resampled.missing * times as u64, whole as u64);
            prop_assert!(resampled.bars.open_time().iter().all(|time| time % Nanos::from_hours(times).0 == 0 || times % 168 == 0));
        }
    }
}
