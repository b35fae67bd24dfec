//! Made-up markets have the traits of real ones, in numbers, and are the same everywhere.
#![allow(clippy::unwrap_used, reason = "a test may")]

use tiltyard_market::{RawBars, Series, SyntheticMarket};
use tiltyard_model::{Columns, Interval, Nanos};

const HOUR: Interval = Interval::Only(Nanos::from_hours(1));
/// Two years of hours.
const BARS: usize = 2 * 365 * 24;

fn returns(bars: &Columns) -> Vec<f64> {
    bars.close().windows(2).map(|pair| (pair[1] / pair[0]).ln()).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn correlation(left: &[f64], right: &[f64]) -> f64 {
    let (of_left, of_right) = (mean(left), mean(right));
    let product = |one: &[f64], a: f64, other: &[f64], b: f64| -> f64 {
        one.iter().zip(other).map(|(x, y)| (x - a) * (y - b)).sum()
    };
    product(left, of_left, right, of_right)
        / (product(left, of_left, left, of_left) * product(right, of_right, right, of_right)).sqrt()
}

fn autocorrelation(values: &[f64], lag: usize) -> f64 {
    correlation(&values[lag..], &values[..values.len() - lag])
}

fn excess_kurtosis(values: &[f64]) -> f64 {
    let center = mean(values);
    let moment = |power: i32| mean(&values.iter().map(|value| (value - center).powi(power)).collect::<Vec<_>>());
    moment(4) / moment(2).powi(2) - 3.0
}

fn within(what: &str, value: f64, least: f64, most: f64) {
    assert!((least..=most).contains(&value), "{what} is {value}, not {least} to {most}");
}

#[test]
fn the_same_seed_makes_the_same_bars_on_every_machine() {
    let digest = |market: usize, interval| {
        let made = SyntheticMarket::new(42, Interval::Only(interval));
        let series = Series::new(RawBars::of("made up", made.bars(market, 2_000).iter()), interval).unwrap();
        series.digest().short()
    };
    assert_eq!(
        [digest(0, Nanos::from_hours(1)), digest(3, Nanos::from_secs(60)), digest(1, Nanos::from_hours(24))],
        ["33a56929098b", "7f29a050f357", "712316769974"],
        "other bars need another version of the generator"
    );
}

#[test]
fn a_bar_depends_on_nothing_after_it() {
    let market = SyntheticMarket::new(7, HOUR);
    let (few, many) = (market.bars(1, 100), market.bars(1, 1_000));
    assert_eq!(few, many.slice(0..100));
    assert_ne!(market.bars(0, 100).close(), few.close());
    assert_ne!(SyntheticMarket::new(8, HOUR).bars(1, 100).close(), few.close());
    assert_eq!(market.key(1).unwrap().to_string(), "synthetic SYN2-USD 1h");
}

#[test]
fn bars_are_possible_and_on_tick_and_lot() {
    for (seed, interval) in [(0, Nanos::from_secs(1)), (1, Nanos::from_secs(60)), (2, Nanos::from_hours(24 * 7))] {
        let market = SyntheticMarket::new(seed, Interval::Only(interval));
        for symbol in 0..6 {
            let bars = market.bars(symbol, 3_000);
            let series = Series::new(RawBars::of("made up", bars.iter()), interval).unwrap();
            assert_eq!((series.bars.len(), series.report.to_string().as_str()), (3_000, ""));
            let rules = market.instrument(symbol);
            for (step, values) in [(rules.tick, bars.close()), (rules.tick, bars.high()), (rules.lot, bars.volume())] {
                for value in values {
                    let steps = value / step;
                    assert!((steps - steps.round()).abs() < 1e-6 * steps.max(1.0), "{value} is not on {step}");
                }
            }
        }
    }
}

#[test]
fn tails_are_fat_and_spells_last() {
    for seed in 0..4 {
        let returns = returns(&SyntheticMarket::new(seed, HOUR).bars(0, BARS));
        within("excess kurtosis", excess_kurtosis(&returns), 4.0, 120.0);
        within("autocorrelation of returns", autocorrelation(&returns, 1), -0.05, 0.05);
        let sizes: Vec<f64> = returns.iter().map(|value| value.abs()).collect();
        for (lag, least) in [(1, 0.1), (6, 0.04), (24, 0.08), (120, 0.03)] {
            within(&format!("autocorrelation of sizes at lag {lag}"), autocorrelation(&sizes, lag), least, 0.5);
        }
        let deviation = mean(&returns.iter().map(|value| value * value).collect::<Vec<_>>()).sqrt();
        within("annual volatility", deviation * (365.0_f64 * 24.0).sqrt(), 0.3, 1.2);
    }
}

#[test]
fn markets_move_together() {
    let market = SyntheticMarket::new(11, HOUR);
    let all: Vec<Vec<f64>> = (0..5).map(|symbol| returns(&market.bars(symbol, BARS))).collect();
    for (at, one) in all.iter().enumerate() {
        for other in &all[..at] {
            within("correlation", correlation(one, other), 0.3, 0.9);
        }
    }
}

#[test]
fn regimes_last_for_weeks_and_go_both_ways() {
    let days: Vec<f64> = (0..8)
        .flat_map(|seed| {
            let bars = SyntheticMarket::new(seed, Interval::Only(Nanos::from_hours(24))).bars(0, 3 * 365);
            bars.close().windows(61).map(|days| (days[60] / days[0]).ln()).collect::<Vec<_>>()
        })
        .collect();
    let share = |holds: fn(&f64) -> bool| days.iter().filter(|value| holds(value)).count() as f64 / days.len() as f64;
    within("share of rises above 15 % in 60 days", share(|value| *value > 0.14), 0.1, 0.5);
    within("share of falls below 15 % in 60 days", share(|value| *value < -0.16), 0.1, 0.5);
    within("share of what is between", share(|value| value.abs() < 0.14), 0.2, 0.7);
}

#[test]
fn volume_follows_the_hour_and_the_moves() {
    let bars = SyntheticMarket::new(5, HOUR).bars(2, BARS);
    let mut by_hour = [0.0; 24];
    bars.volume().iter().enumerate().for_each(|(at, volume)| by_hour[at % 24] += volume);
    within("volume at 15:00 over volume at 03:00", by_hour[15] / by_hour[3], 2.0, 8.0);
    let peak = (0..24).max_by(|one, other| by_hour[*one].total_cmp(&by_hour[*other])).unwrap();
    assert!((13..=17).contains(&peak), "{peak}");
    let sizes: Vec<f64> = bars.iter().skip(1).map(|bar| (bar.close / bar.open).ln().abs()).collect();
    within("correlation of volume and size", correlation(&sizes, &bars.volume()[1..]), 0.3, 0.95);
    within("autocorrelation of volume", autocorrelation(bars.volume(), 1), 0.3, 0.95);
    let reach: f64 = mean(&bars.iter().map(|bar| (bar.high / bar.low).ln()).collect::<Vec<_>>());
    within("mean range over mean size", reach / mean(&sizes), 1.4, 2.6);
}

#[test]
fn odd_requests_make_what_can_be_made() {
    assert!(SyntheticMarket::new(1, HOUR).bars(0, 0).is_empty());
    assert!(SyntheticMarket::new(1, Interval::Any).bars(0, 5).is_empty());
    let end = SyntheticMarket { begin: Nanos(i64::MAX - 1), ..SyntheticMarket::new(1, HOUR) };
    assert_eq!(end.bars(0, 5).len(), 1);
    let large = SyntheticMarket::new(u64::MAX, HOUR);
    assert_eq!(large.bars(usize::MAX - 1, 3).len(), 3);
}
