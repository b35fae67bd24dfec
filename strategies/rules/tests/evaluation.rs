//! What rules come to on bars, against the same worked out directly.
#![allow(clippy::unwrap_used, reason = "a test may")]

use rules::language::{Expression, Program};
use tiltyard_sdk::prelude::*;

/// A walk with gaps, flat bars and bars without volume.
fn bars(count: usize) -> Vec<Bar> {
    let mut state = 7_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let mut price = 100.0;
    (0..count as i64)
        .map(|open_time| {
            let open = price + random() - 0.5;
            let close = if random() < 0.1 { open } else { (open + 4.0 * random() - 2.0).max(1.0) };
            let high = open.max(close) + random();
            let low = open.min(close) - random();
            price = close;
            Bar { open_time, open, high, low, close, volume: (random() * 10.0).floor() }
        })
        .collect()
}

fn close(price: f64) -> Bar {
    Bar { open_time: 0, open: price, high: price, low: price, close: price, volume: 1.0 }
}

/// Whether the rule holds at each bar.
fn answers(text: &str, bars: &[Bar]) -> Vec<bool> {
    let mut program = Program::default();
    let condition = program.add(&Expression::parse(text).unwrap()).unwrap();
    let answer = |bar| {
        program.update(bar);
        program.holds(condition)
    };
    bars.iter().map(answer).collect()
}

fn agree(text: &str, bars: &[Bar], direct: impl Fn(usize) -> bool) {
    let direct: Vec<_> = (0..bars.len()).map(direct).collect();
    assert_eq!(answers(text, bars), direct, "{text}");
    assert!(direct.contains(&true) && direct.contains(&false), "{text} says nothing");
}

/// A number of a program against an SDK indicator of the same bars, through comparisons from both sides.
fn is(number: &str, bars: &[Bar], mut direct: impl FnMut(&Bar) -> Option<f64>) {
    let mut warm = 0;
    for (at, value) in bars.iter().map(&mut direct).enumerate() {
        let Some(value) = value else {
            warm = at + 1;
            continue;
        };
        if at % 50 != 49 && at != warm {
            continue;
        }
        // Printed as a literal, which is not negative.
        let literal = if value < 0.0 { format!("-{:e}", -value) } else { format!("{value:e}") };
        let held = answers(&format!("{number} >= {literal} and {number} <= {literal}"), &bars[..=at]);
        assert!(held[at], "{number} at {at} is not {value}");
    }
    assert!(warm < bars.len(), "{number} says nothing");
    let defined = answers(&format!("{number} == {number}"), bars);
    assert_eq!(defined.iter().position(|defined| *defined), Some(warm), "first value of {number}");
}

#[test]
fn every_function_is_the_indicator_of_its_name() {
    let bars = &bars(400)[..];
    macro_rules! of_close {
        ($text:literal, $indicator:expr, $value:expr) => {{
            let mut indicator = $indicator;
            is($text, bars, |bar| indicator.update(bar.close).map($value));
        }};
    }
    macro_rules! of_bars {
        ($text:literal, $indicator:expr, $value:expr) => {{
            let mut indicator = $indicator;
            is($text, bars, |bar| indicator.update(bar).map($value));
        }};
    }
    of_close!("sma(close, 20)", Sma::new(20), |value| value);
    of_close!("ema(close, 20)", Ema::new(20), |value| value);
    of_close!("wma(close, 20)", Wma::new(20), |value| value);
    of_close!("rsi(14)", Rsi::new(14), |value| value);
    of_close!("stdev(close, 20)", RollingStd::new(20), |value| value);
    of_close!("zscore(close, 20)", ZScore::new(20), |value| value);
    of_close!("highest(close, 20)", RollingMax::new(20), |value| value);
    of_close!("lowest(close, 20)", RollingMin::new(20), |value| value);
    of_close!("macd(12, 26, 9)", Macd::new(12, 26, 9), |value| value.line);
    of_close!("macd_signal(12, 26, 9)", Macd::new(12, 26, 9), |value| value.signal);
    of_close!("macd_hist(12, 26, 9)", Macd::new(12, 26, 9), |value| value.histogram);
    of_close!("bollinger_upper(20, 2)", Bollinger::new(20, 2.0), |value| value.upper);
    of_close!("bollinger_middle(20, 2)", Bollinger::new(20, 2.0), |value| value.middle);
    of_close!("bollinger_lower(20, 2)", Bollinger::new(20, 2.0), |value| value.lower);
    of_bars!("atr(14)", Atr::new(14), |value| value);
    of_bars!("adx(14)", Adx::new(14), |value| value.adx);
    of_bars!("plus_di(14)", DirectionalMovement::new(14), |value| value.plus);
    of_bars!("minus_di(14)", DirectionalMovement::new(14), |value| value.minus);
    of_bars!("stoch_k(14, 3, 5)", Stochastic::slow(14, 3, 5), |value| value.k);
    of_bars!("stoch_d(14, 3, 5)", Stochastic::slow(14, 3, 5), |value| value.d);
    of_bars!("donchian_upper(20)", Donchian::new(20), |value| value.upper);
    of_bars!("donchian_middle(20)", Donchian::new(20), |value| value.middle);
    of_bars!("donchian_lower(20)", Donchian::new(20), |value| value.lower);
    of_bars!("vwap(24)", RollingVwap::new(24), |value| value);
    of_bars!("obv()", Obv::new(), |value| value);
}

#[test]
fn a_breakout_compares_with_the_bars_before() {
    let bars = bars(300);
    let mean = |at: usize| bars[at - 9..=at].iter().map(|bar| bar.volume).sum::<f64>() / 10.0;
    let highest = |at: usize| bars[at - 10..at].iter().map(|bar| bar.high).fold(f64::MIN, f64::max);
    agree("close > highest(high, 10)[1] and volume >= 0.5 * sma(volume, 10)", &bars, |at| {
        at >= 10 && bars[at].close > highest(at) && bars[at].volume >= 0.5 * mean(at)
    });
}

#[test]
fn arithmetic_is_that_of_the_bars() {
    let bars = bars(300);
    agree("(high + low) / 2 - close[2] * 0.5 > -open + 149.5", &bars, |at| {
        at >= 2 && (bars[at].high + bars[at].low) / 2.0 - bars[at - 2].close * 0.5 > -bars[at].open + 149.5
    });
    agree("not (close > open or close == open) or volume != 3 and high[0] > low", &bars, |at| {
        bars[at].close < bars[at].open || (bars[at].volume - 3.0).abs() > 0.1
    });
}

#[test]
fn an_indicator_may_stand_over_any_number() {
    let bars = bars(300);
    let range = |at: usize| bars[at].high - bars[at].low;
    let mean = |at: usize| (range(at) + range(at - 1) + range(at - 2)) / 3.0;
    agree("sma(high - low, 3) > 2.5", &bars, |at| at >= 2 && mean(at) > 2.5);
    agree("highest(sma(high - low, 3), 2) > 2.5", &bars, |at| at >= 3 && mean(at).max(mean(at - 1)) > 2.5);
}

#[test]
fn a_cross_holds_at_one_bar() {
    let bars = [1.0, 3.0, 4.0, 2.0, 2.0, 5.0, 1.0].map(close);
    assert_eq!(answers("crosses_above(close, 2)", &bars), [false, true, false, false, false, true, false]);
    assert_eq!(answers("crosses_below(close, 2)", &bars), [false, false, false, false, false, false, true]);
    // Not at the first value: it was not below before, it was not there.
    assert_eq!(answers("crosses_above(sma(close, 2), 1)", &bars), [false; 7]);
}

#[test]
fn comparisons_with_what_is_undefined_are_false() {
    let bars = [1.0, 2.0].map(close);
    for undefined in
        ["close / (high - low)", "sma(close, 3)", "close[2]", "0 / 0", "1e99 * 1e99", "-(1 / 0)", "1e100 + 1e100"]
    {
        for comparison in ["<", "<=", ">", ">=", "==", "!="] {
            assert_eq!(answers(&format!("{undefined} {comparison} 1"), &bars), [false; 2], "{undefined} {comparison}");
            assert_eq!(answers(&format!("not (1 {comparison} {undefined})"), &bars), [true; 2]);
        }
        assert_eq!(answers(&format!("crosses_above({undefined}, 1)"), &bars), [false; 2]);
    }
}

#[test]
fn an_indicator_starts_anew_after_what_is_undefined() {
    let bars = [1.0, 1.0, 0.0, 1.0, 1.0].map(close);
    assert_eq!(answers("sma(1 / close, 2) == 1", &bars), [false, true, false, false, true]);
}

#[test]
fn equality_forgives_rounding() {
    let bars = [close(0.3)];
    for (text, holds) in [
        ("close == 0.1 + 0.2", true),
        ("close >= 0.1 + 0.2", false),
        ("close != 0.1 + 0.2", false),
        ("100 == 100.00000001", true),
        ("100 == 100.0000001", false),
        ("0 == 0", true),
        ("0 == 1e-300", false),
        ("0.1 == -0.1", false),
    ] {
        assert_eq!(answers(text, &bars), [holds], "{text}");
    }
}

#[test]
fn what_rules_have_in_common_is_worked_out_once() {
    let mut program = Program::default();
    for text in [
        "sma(close, 20) > sma(close, 20)[1] and rsi(14) > rsi(close, 14)[1]",
        "bollinger_upper(20, 2) > close and close > bollinger_lower(close, 20, 2) and sma((close), 20) > 0",
        "crosses_above(macd(12, 26, 9), macd_signal(12, 26, 9)) or macd_hist(close, 12, 26, 9) > 0",
    ] {
        program.add(&Expression::parse(text).unwrap()).unwrap();
    }
    assert_eq!(program.indicators(), 4);
}
