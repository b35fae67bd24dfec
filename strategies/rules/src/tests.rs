//! The position, and what is refused.

use super::{Params, Rules};
use tiltyard_sdk::prelude::*;
use tiltyard_sdk_testing::Market;

fn start(params: Params) -> Start<Params> {
    Market::closes(&[]).start(params)
}

/// Rules about the close alone; no filter.
fn rules(entry: &str, exit: &str, short_entry: &str, short_exit: &str) -> Params {
    let [entry, exit, short_entry, short_exit] = [entry, exit, short_entry, short_exit].map(str::to_owned);
    Params { entry, exit, filter: String::new(), short_entry, short_exit, size: 0.5 }
}

fn bar(close: f64) -> Bar {
    Bar { open_time: 0, open: close, high: close, low: close, close, volume: 1.0 }
}

fn targets(params: Params, closes: &[f64]) -> Vec<f64> {
    let mut strategy = Rules::new(&start(params)).unwrap();
    closes.iter().map(|close| strategy.target(&bar(*close))).collect()
}

fn refusal(params: Params) -> InitError {
    Rules::new(&start(params)).unwrap_err()
}

#[test]
fn the_defaults_start() {
    let mut strategy = Rules::new(&start(Params::defaults())).unwrap();
    for _ in 0..199 {
        assert!(strategy.target(&bar(10.0)).is_nan());
    }
    assert_eq!(strategy.target(&bar(10.0)), 0.0);
}

#[test]
fn the_defaults_buy_a_dip_in_a_rise_and_sell_its_recovery() {
    let mut strategy = Rules::new(&start(Params::defaults())).unwrap();
    let mut target = |close: f64, open: f64| strategy.target(&Bar { open, ..bar(close) });
    for close in 0..300 {
        target(f64::from(close), f64::from(close));
    }
    assert_eq!(target(270.0, 299.0), 0.0, "it still falls");
    assert_eq!(target(271.0, 270.0), 1.0);
    assert_eq!(target(280.0, 271.0), 1.0);
    assert_eq!(target(300.0, 280.0), 0.0);
}

#[test]
fn long_from_entry_to_exit() {
    let params = rules("close > 10", "close < 5", "", "");
    assert_eq!(targets(params, &[7.0, 11.0, 7.0, 4.0, 7.0, 12.0]), [0.0, 0.5, 0.5, 0.0, 0.0, 0.5]);
}

#[test]
fn short_from_entry_to_exit() {
    let params = rules("", "", "close < 5", "close > 10");
    assert_eq!(targets(params, &[7.0, 4.0, 7.0, 11.0, 7.0]), [0.0, -0.5, -0.5, 0.0, 0.0]);
}

#[test]
fn the_filter_keeps_out_but_does_not_throw_out() {
    let filter = "volume > 0 and close < 20".to_owned();
    let params = Params { filter, ..rules("close > 10", "close < 5", "", "") };
    assert_eq!(targets(params, &[25.0, 15.0, 25.0]), [0.0, 0.5, 0.5]);
}

#[test]
fn an_empty_exit_never_leaves() {
    assert_eq!(targets(rules("close > 10", " ", "", ""), &[11.0, 1.0, 0.0]), [0.5, 0.5, 0.5]);
}

#[test]
fn what_was_left_is_not_entered_again_at_the_same_bar() {
    assert_eq!(targets(rules("close > 0", "close > 0", "", ""), &[1.0, 1.0, 1.0]), [0.5, 0.0, 0.5]);
}

#[test]
fn the_other_side_may_be_entered_where_one_is_left() {
    let params = rules("close > 10", "close < 5", "close < 5", "close > 10");
    assert_eq!(targets(params, &[11.0, 4.0, 12.0]), [0.5, -0.5, 0.5]);
}

#[test]
fn rules_that_contradict_each_other_enter_nothing() {
    assert_eq!(targets(rules("close > 0", "", "close > 0", ""), &[1.0, 1.0]), [0.0, 0.0]);
}

#[test]
fn nothing_is_said_before_the_rules_have_seen_what_they_need() {
    let params = rules("not (sma(close, 3) > 100)", "", "", "");
    let answers = targets(params, &[1.0, 1.0, 1.0]);
    assert!(answers[0].is_nan() && answers[1].is_nan());
    assert_eq!(answers[2], 0.5);
}

#[test]
fn a_run_begins_flat_however_much_history_there_was() {
    let mut strategy = Rules::new(&start(rules("crosses_above(close, 10)", "close < 5", "", ""))).unwrap();
    let closes = vec![9.0, 11.0, 12.0];
    let columns = Columns {
        open_time: vec![0, 1, 2],
        open: closes.clone(),
        high: closes.clone(),
        low: closes.clone(),
        close: closes,
        volume: vec![1.0; 3],
    };
    strategy.warm_up(&columns);
    assert_eq!(strategy.target(&bar(13.0)), 0.0);
    assert_eq!([9.0, 11.0].map(|close| strategy.target(&bar(close))), [0.0, 0.5]);
}

#[test]
fn a_refusal_names_the_parameter() {
    let params = rules("close > 10", "close < sma(close,)", "", "");
    let problem = "column 19: expected a number for `bars` after `,`, found `)`; write `sma(x, bars)`; at ^ in: \
                   close < sma(close,^)";
    assert_eq!(refusal(params), InitError::Parameter { name: "exit", problem: problem.to_owned() });
}

#[test]
fn rules_that_keep_too_much_are_refused() {
    let long: Vec<_> = (300..360).map(|bars| format!("stoch_k(300, 300, {bars}) > 0")).collect();
    let error = refusal(rules("close > 0", &long.join(" and "), "", ""));
    let problem = "with it, the distinct indicators and `[bars]` of all rules look at 50031 bars or more; at most 50000 \
                   are kept; use fewer or shorter ones";
    assert_eq!(error, InitError::Parameter { name: "exit", problem: problem.to_owned() });
}

#[test]
fn one_instrument_is_traded() {
    let mut two = start(Params::defaults());
    two.instruments.push(two.instruments[0].clone());
    assert!(matches!(Rules::new(&two), Err(InitError::Instruments(_))));
}
