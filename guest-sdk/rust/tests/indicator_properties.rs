//! What holds of indicators on any series: no drift, averages of a constant, restarts, windows that make no sense.
#![allow(clippy::unwrap_used, reason = "a test may")]

use proptest::prelude::*;
use tiltyard_sdk::Bar;
use tiltyard_sdk::indicators::{
    Adx, Atr, Bollinger, DirectionalMovement, Donchian, Ema, Indicator, MAX_WINDOW, Macd, Obv, RollingMax, RollingMin,
    RollingStd, RollingVwap, Rsi, Sma, Stochastic, Vwap, Wma, ZScore,
};

/// Numbers from 0 to 1 that are the same everywhere (xorshift64*, Vigna 2016).
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) as f64 / (1u64 << 53) as f64
    }
}

fn bar(price: f64, reach: f64, volume: f64) -> Bar {
    Bar { open_time: 0, open: price, high: price + reach, low: price - reach, close: price, volume }
}

/// A walk with a huge value now and then, which leaves nothing behind when it leaves the window.
fn million() -> Vec<f64> {
    let mut random = Random(7);
    let mut price = 50_000.0;
    (0..1_000_000)
        .map(|i| {
            price += 40.0 * (random.next() - 0.5);
            if i % 99_991 == 99_990 { 1e15 * random.next() } else { price }
        })
        .collect()
}

fn close(ours: f64, direct: f64) -> bool {
    (ours - direct).abs() <= 1e-9 * direct.abs()
}

#[test]
fn a_million_values_leave_no_drift() {
    const WINDOW: usize = 200;
    let n = WINDOW as f64;
    let values = million();
    let (mut sma, mut wma) = (Sma::new(WINDOW as u32), Wma::new(WINDOW as u32));
    let (mut std, mut z_score) = (RollingStd::new(WINDOW as u32), ZScore::new(WINDOW as u32));
    let (mut min, mut max) = (RollingMin::new(WINDOW as u32), RollingMax::new(WINDOW as u32));
    let mut rolling_vwap = RollingVwap::new(WINDOW as u32);
    let volume = |i: usize| 1.0 + (i % 17) as f64;
    for (i, &value) in values.iter().enumerate() {
        let sma = sma.update(value);
        let wma = wma.update(value);
        let (std, z_score) = (std.update(value), z_score.update(value));
        let (min, max) = (min.update(value), max.update(value));
        let vwap = rolling_vwap.update(&bar(value, 0.0, volume(i)));
        // Often, but not always at the same place in a block, and the whole of the last windows.
        if i + 1 < WINDOW || (i % 997 != 0 && i + 1000 < values.len()) {
            continue;
        }
        let window = &values[i + 1 - WINDOW..=i];
        let mean = window.iter().sum::<f64>() / n;
        let variance = window.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n;
        let weighted = window.iter().zip(1..).map(|(x, weight)| x * f64::from(weight)).sum::<f64>();
        let volumes = (i + 1 - WINDOW..=i).map(volume);
        let notional = window.iter().zip(volumes.clone()).map(|(x, volume)| x * volume).sum::<f64>();
        assert!(close(sma.unwrap(), mean), "average at {i}");
        assert!(close(wma.unwrap(), weighted / (n * (n + 1.0) / 2.0)), "weighted average at {i}");
        assert!(close(std.unwrap(), variance.sqrt()), "deviation at {i}");
        assert!((z_score.unwrap() - (value - mean) / variance.sqrt()).abs() <= 1e-9, "z-score at {i}");
        assert_eq!(min.unwrap(), window.iter().copied().fold(f64::INFINITY, f64::min), "least at {i}");
        assert_eq!(max.unwrap(), window.iter().copied().fold(f64::NEG_INFINITY, f64::max), "greatest at {i}");
        assert!(close(vwap.unwrap(), notional / volumes.sum::<f64>()), "volume-weighted average at {i}");
    }
}

#[test]
fn what_is_summed_from_the_beginning_does_not_drift_either() {
    // Tenths are not binary fractions; whole tenths, added as integers, are the truth.
    let (mut obv, mut vwap) = (Obv::new(), Vwap::new());
    let (mut balance, mut notional, mut traded) = (0_i128, 0_i128, 0_i128);
    let mut random = Random(3);
    let (mut last, mut price) = (0, 1000_i128);
    for i in 0..1_000_000 {
        price += (random.next() * 7.0) as i128 - 3;
        price = price.max(10);
        let volume = 1 + (random.next() * 1e6) as i128;
        balance += if i == 0 { volume } else { (price - last).signum() * volume };
        notional += price * volume;
        traded += volume;
        last = price;
        let bar = bar(price as f64 / 10.0, 0.0, volume as f64 / 10.0);
        let (ours, average) = (obv.update(&bar).unwrap(), vwap.update(&bar).unwrap());
        assert!(
            (ours - balance as f64 / 10.0).abs() <= 1e-9 * (balance.abs() as f64 / 10.0).max(1.0),
            "balance at {i}"
        );
        assert!(close(average, notional as f64 / traded as f64 / 10.0), "average price at {i}");
    }
}

proptest! {
    #[test]
    fn averages_of_a_constant_are_that_constant(price in 1e-9..1e9, window in 1_u32..600) {
        let (mut sma, mut ema, mut wma) = (Sma::new(window), Ema::new(window), Wma::new(window));
        let (mut wilder, mut bands) = (Ema::wilder(window), Bollinger::new(window, 2.0));
        for i in 1..=2 * window + 3 {
            let expected = (i >= window).then_some(price);
            prop_assert_eq!(sma.update(price), expected);
            prop_assert_eq!(ema.update(price), expected);
            prop_assert_eq!(wma.update(price), expected);
            prop_assert_eq!(wilder.update(price), expected);
            prop_assert_eq!(bands.update(price).map(|bands| (bands.lower, bands.upper)), expected.map(|p| (p, p)));
        }
    }

    #[test]
    fn an_average_of_prices_depends_only_on_its_window(
        before in prop::collection::vec(1_u32..2_000_000, 0..50),
        window in prop::collection::vec(1_u32..2_000_000, 1..50),
    ) {
        let average = |ticks: &[u32]| {
            let mut sma = Sma::new(window.len() as u32);
            ticks.iter().map(|&ticks| sma.update(f64::from(ticks) * 0.01)).last().flatten()
        };
        prop_assert_eq!(average(&[&before[..], &window].concat()), average(&window));
    }
}

/// What an indicator gives of a series, as text so that all can be compared alike.
fn given<Input: Copy, V: std::fmt::Debug>(
    indicator: &mut impl Indicator<Input, Value = V>,
    inputs: &[Input],
) -> Vec<String> {
    inputs.iter().map(|&input| format!("{:?}", indicator.update(input))).collect()
}

/// Calls a macro with each indicator of values, or of bars.
macro_rules! each_of_values {
    ($check:ident, $window:expr) => {
        $check(Sma::new($window));
        $check(Ema::new($window));
        $check(Ema::wilder($window));
        $check(Wma::new($window));
        $check(Macd::new($window, $window, $window));
        $check(Rsi::new($window));
        $check(Bollinger::new($window, 2.0));
        $check(RollingMin::new($window));
        $check(RollingMax::new($window));
        $check(RollingStd::new($window));
        $check(ZScore::new($window));
    };
}
macro_rules! each_of_bars {
    ($check:ident, $window:expr) => {
        $check(Atr::new($window));
        $check(DirectionalMovement::new($window));
        $check(Adx::new($window));
        $check(Stochastic::fast($window, $window));
        $check(Stochastic::slow($window, $window, $window));
        $check(Donchian::new($window));
        $check(Vwap::new());
        $check(RollingVwap::new($window));
        $check(Obv::new());
    };
}

fn walk(seed: u64, length: usize) -> Vec<Bar> {
    let mut random = Random(seed);
    (0..length).map(|_| bar(100.0 + random.next(), random.next(), 1.0 + random.next())).collect()
}

fn closes(bars: &[Bar]) -> Vec<f64> {
    bars.iter().map(|bar| bar.close).collect()
}

#[test]
fn an_input_that_is_not_finite_restarts() {
    fn values<V: std::fmt::Debug>(mut indicator: impl Indicator<f64, Value = V> + Clone) {
        let mut fresh = indicator.clone();
        given(&mut indicator, &closes(&walk(1, 33)));
        for broken in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(given(&mut indicator, &[broken]), ["None"]);
        }
        let after = closes(&walk(2, 40));
        assert_eq!(given(&mut indicator, &after), given(&mut fresh, &after));
    }
    fn bars<V: std::fmt::Debug>(mut indicator: impl for<'a> Indicator<&'a Bar, Value = V> + Clone) {
        let mut fresh = indicator.clone();
        given(&mut indicator, &walk(1, 33).iter().collect::<Vec<_>>());
        for broken in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(given(&mut indicator, &[&bar(broken, 0.0, broken)]), ["None"]);
        }
        let after = walk(2, 40);
        let after: Vec<_> = after.iter().collect();
        assert_eq!(given(&mut indicator, &after), given(&mut fresh, &after));
    }
    each_of_values!(values, 5);
    each_of_bars!(bars, 5);
}

#[test]
fn the_first_value_comes_when_the_warm_up_says() {
    fn values<V>(mut indicator: impl Indicator<f64, Value = V>) {
        let warm_up = indicator.warm_up() as usize;
        let first = closes(&walk(4, 60)).iter().position(|&value| indicator.update(value).is_some());
        assert_eq!(first, Some(warm_up - 1));
    }
    fn bars<V>(mut indicator: impl for<'a> Indicator<&'a Bar, Value = V>) {
        let warm_up = indicator.warm_up() as usize;
        let first = walk(4, 60).iter().position(|bar| indicator.update(bar).is_some());
        assert_eq!(first, Some(warm_up - 1));
    }
    for window in [1, 2, 3, 11] {
        each_of_values!(values, window);
        each_of_bars!(bars, window);
    }
}

#[test]
fn no_window_panics() {
    fn values<V: std::fmt::Debug>(mut indicator: impl Indicator<f64, Value = V>) {
        given(&mut indicator, &closes(&walk(5, 9)));
        assert!((1..=3 * MAX_WINDOW).contains(&indicator.warm_up()));
    }
    fn bars<V: std::fmt::Debug>(mut indicator: impl for<'a> Indicator<&'a Bar, Value = V>) {
        given(&mut indicator, &walk(5, 9).iter().collect::<Vec<_>>());
        assert!((1..=3 * MAX_WINDOW).contains(&indicator.warm_up()));
    }
    for window in [0, 1, 2, u32::MAX] {
        each_of_values!(values, window);
        each_of_bars!(bars, window);
    }
    assert_eq!(Sma::new(0).warm_up(), 1);
    assert_eq!(Sma::new(u32::MAX).warm_up(), MAX_WINDOW);
}

#[test]
fn nothing_traded_has_no_average_price() {
    let (mut vwap, mut rolling) = (Vwap::new(), RollingVwap::new(2));
    for volume in [0.0, 0.0] {
        assert_eq!(vwap.update(&bar(5.0, 1.0, volume)), None);
        assert_eq!(rolling.update(&bar(5.0, 1.0, volume)), None);
    }
    assert_eq!(vwap.update(&bar(5.0, 1.0, 2.0)), Some(5.0));
    assert_eq!(rolling.update(&bar(5.0, 1.0, 2.0)), Some(5.0));
}

#[test]
fn macd_takes_its_windows_in_either_order() {
    let values = closes(&walk(6, 60));
    assert_eq!(given(&mut Macd::new(12, 26, 9), &values), given(&mut Macd::new(26, 12, 9), &values));
}

#[test]
fn a_bar_without_directional_movement_leaves_adx_as_it_was() {
    let mut adx = Adx::new(1);
    let values = [10.0, 12.0, 12.0, 11.0].map(|price| adx.update(&bar(price, 1.0, 1.0)));
    let [_, up, still, down] = values.map(|value| value.map(|value| (value.adx, value.plus_di, value.minus_di)));
    assert_eq!(up.map(|(adx, ..)| adx), Some(100.0));
    assert_eq!(still, Some((100.0, 0.0, 0.0)));
    assert_eq!(down, Some((100.0, 0.0, 50.0)));
}
