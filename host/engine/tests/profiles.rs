//! The profiles that follow other engines, case by case; whole trade lists are compared in the end-to-end suites.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::{A, Desk, HOUR, News, Script, bars, dec, executions, lane, order, perpetual, updates};
use tiltyard_engine::venue::{Costs, Latency, SimulatedVenue};
use tiltyard_engine::{BarFeed, Books, Kernel, Log, MarginMode, MarginTerms, Player, Profile, Setup, Terms};
use tiltyard_model::OrderType::{Limit, Market, StopMarket};
use tiltyard_model::Side::{Buy, Sell};
use tiltyard_model::{Columns, Desk as _, Money, Nanos, OrderRequest, OrderStatus, StopLoss};
use tiltyard_risk::{RiskProfile, Venture};

const OTHERS: [Profile; 3] = [Profile::BacktestingPy, Profile::Vectorbt, Profile::NautilusBar];

/// Plays hourly bars of a perpetual, whose tick is 0.01 and whose lot is 0.001, to a script.
fn play(profile: Profile, rows: &[[f64; 5]], act: impl FnMut(&mut Desk, usize, &News)) -> Books {
    play_on(MarginTerms::default(), Latency::default(), profile, bars(HOUR, rows), act)
}

fn play_on(
    margin: MarginTerms,
    latency: Latency,
    profile: Profile,
    bars: Columns,
    act: impl FnMut(&mut Desk, usize, &News),
) -> Books {
    let setup = Setup {
        instruments: vec![(perpetual("P", 10.0), HOUR)],
        venue: SimulatedVenue::new(profile.rules(Costs::none()), latency, 0, 1),
        margin,
        risk: RiskProfile::research(),
        venture: Venture::Simulated,
        guard: None,
        overseer: None,
        log: Log::keeping(),
        begin: Nanos(0),
    };
    let terms = Terms::new("test", Money(dec("100000")), None);
    let kernel = Kernel::new(setup, vec![Player { strategy: Script::new(act), terms }]).unwrap();
    kernel.run(&mut BarFeed::new(vec![lane(bars, HOUR)])).books
}

/// At which price each fill was made, and when, in hours.
fn fills(books: &Books) -> Vec<(f64, f64)> {
    executions(books).iter().map(|fill| (fill.price.to_f64(), fill.time.0 as f64 / HOUR.0 as f64)).collect()
}

fn prices(books: &Books) -> Vec<f64> {
    fills(books).into_iter().map(|(price, _)| price).collect()
}

fn bracket(stop: f64, target: f64) -> OrderRequest {
    OrderRequest { stop_loss: Some(StopLoss::Fixed(stop)), take_profit: Some(target), ..order(Buy, 1.0, Market) }
}

/// A bar that opens where the last one closed and stays there, with more volume than is needed.
fn still(price: f64) -> [f64; 5] {
    [price, price, price, price, 1e6]
}

#[test]
fn a_market_order_trades_at_the_next_open_or_at_the_close_of_its_decision() {
    let rows = [[100.0, 103.0, 99.0, 102.0, 1e6], [105.0, 106.0, 104.0, 105.0, 1e6]];
    for (profile, fill) in OTHERS.into_iter().zip([(105.0, 1.0), (102.0, 1.0), (102.0, 1.0)]) {
        let books = play(profile, &rows, |desk, step, _| {
            if step == 0 {
                desk.submit(order(Buy, 1.0, Market)).unwrap();
            }
        });
        assert_eq!(fills(&books), [fill], "{profile:?}");
    }
}

/// Entry at 100, stop-loss at 95, take-profit at 110; then one bar decides.
#[test]
fn a_bar_that_meets_a_bracket_closes_the_position_where_each_engine_does() {
    for (bar, exits) in [
        ([100.0, 111.0, 94.0, 100.0, 1e6], [95.0, 95.0, 110.0]),
        ([90.0, 91.0, 89.0, 90.0, 1e6], [90.0, 90.0, 90.0]),
        ([115.0, 116.0, 114.0, 115.0, 1e6], [115.0, 115.0, 110.0]),
        ([115.0, 116.0, 94.0, 100.0, 1e6], [95.0, 95.0, 110.0]),
        ([99.0, 100.0, 95.0, 98.0, 1e6], [95.0, 95.0, 95.0]),
    ] {
        for (profile, exit) in OTHERS.into_iter().zip(exits) {
            let books = play(profile, &[still(100.0), still(100.0), bar, still(100.0)], |desk, step, _| {
                if step == 0 {
                    desk.submit(bracket(95.0, 110.0)).unwrap();
                }
            });
            assert_eq!(prices(&books), [100.0, exit], "{profile:?} {bar:?}");
        }
    }
}

#[test]
fn the_bar_after_a_decision_tests_the_bracket_and_that_of_a_limit_entry_does_not() {
    let rows = [still(100.0), [100.0, 101.0, 94.0, 96.0, 1e6], [97.0, 99.0, 96.0, 98.0, 1e6]];
    for (profile, expected) in OTHERS.into_iter().zip([&[100.0, 95.0][..], &[100.0, 95.0], &[100.0, 95.0]]) {
        let mut held_in_the_bar = None;
        let books = play(profile, &rows, |desk, step, _| match step {
            0 => _ = desk.submit(bracket(95.0, 110.0)).unwrap(),
            1 => held_in_the_bar = desk.position(A).map(|position| position.quantity),
            _ => {}
        });
        // The other two entered at the close before it, so that it is their first bar after the entry.
        assert_eq!(prices(&books), expected, "{profile:?}");
        assert_eq!(held_in_the_bar, Some(0.0), "{profile:?}");
    }
    let limited = |profile| {
        play(
            profile,
            &[still(100.0), [100.0, 101.0, 94.0, 96.0, 1e6], [97.0, 99.0, 96.0, 98.0, 1e6]],
            |desk, step, _| {
                if step == 0 {
                    let stop_loss = Some(StopLoss::Fixed(95.0));
                    desk.submit(OrderRequest { stop_loss, ..order(Buy, 1.0, Limit(99.0)) }).unwrap();
                }
            },
        )
    };
    assert_eq!(prices(&limited(Profile::BacktestingPy)), [99.0], "of a limit order it is live from the next bar on");
    // The limit and then the stop lie on the way down; what the low leaves behind is tested at the close.
    assert_eq!(prices(&limited(Profile::NautilusBar)), [99.0]);
}

#[test]
fn signals_know_no_limit_and_no_stop_orders_and_one_order_a_bar() {
    let books =
        play(Profile::Vectorbt, &[still(100.0), [100.0, 101.0, 94.0, 96.0, 1e6], still(96.0)], |desk, step, _| {
            match step {
                0 => {
                    desk.submit(bracket(95.0, 110.0)).unwrap();
                    desk.submit(order(Buy, 1.0, Limit(90.0))).unwrap();
                    desk.submit(order(Buy, 1.0, StopMarket(120.0))).unwrap();
                }
                1 => _ = desk.submit(order(Buy, 1.0, Market)).unwrap(),
                _ => {}
            }
        });
    assert_eq!(prices(&books), [100.0, 95.0]);
    let refused: Vec<String> = updates(&books)
        .into_iter()
        .filter(|(_, update)| update.status == OrderStatus::Rejected)
        .map(|(_, update)| update.reason.to_string())
        .collect();
    assert_eq!(refused, ["not-a-signal", "not-a-signal", "one-order-a-bar"]);
}

#[test]
fn nautilus_fills_what_there_is_and_the_rest_a_tick_worse() {
    // A quarter of 2 is there at the open, high and low; the rest, 0.5, at the close.
    let thin = |open: f64, high: f64, low: f64, close: f64| [open, high, low, close, 2.0];
    let rows = [thin(100.0, 101.0, 99.0, 100.0), thin(100.0, 102.0, 98.0, 101.0), thin(101.0, 101.0, 101.0, 101.0)];
    let books = play(Profile::NautilusBar, &rows, |desk, step, _| match step {
        0 => {
            desk.submit(order(Buy, 1.0, Market)).unwrap();
            desk.submit(order(Sell, 1.0, Limit(102.0))).unwrap();
            desk.submit(order(Buy, 1.0, Limit(98.5))).unwrap();
        }
        // The size of the close still stands after a bar that moved nothing.
        2 => _ = desk.submit(order(Buy, 1.0, Market)).unwrap(),
        _ => {}
    });
    let made: Vec<(f64, f64)> =
        executions(&books).iter().map(|fill| (fill.price.to_f64(), fill.quantity.to_f64())).collect();
    // Reached exactly, a limit gets what there is; passed, all of it.
    assert_eq!(
        made,
        [(100.0, 0.5), (100.01, 0.5), (102.0, 0.5), (98.5, 0.5), (98.5, 0.5), (101.0, 0.5), (101.01, 0.5)]
    );
}

#[test]
fn a_limit_that_is_beyond_the_close_takes_and_a_stop_that_is_there_already_is_refused() {
    let books = play(Profile::NautilusBar, &[still(100.0), still(100.0)], |desk, step, _| {
        if step == 0 {
            desk.submit(order(Buy, 1.0, Limit(101.0))).unwrap();
            desk.submit(order(Buy, 1.0, StopMarket(99.0))).unwrap();
            desk.submit(OrderRequest { post_only: true, ..order(Buy, 1.0, Limit(103.0)) }).unwrap();
        }
    });
    assert_eq!(prices(&books), [100.0]);
    let refused: Vec<String> = updates(&books)
        .into_iter()
        .filter(|(_, update)| update.status == OrderStatus::Rejected)
        .map(|(_, update)| update.reason.to_string())
        .collect();
    assert_eq!(refused, ["stop-in-the-market", "post-only"]);
}

#[test]
fn a_trailing_stop_stands_where_the_bars_before_have_put_it() {
    let rows = [still(100.0), [100.0, 110.0, 99.0, 109.0, 1e6], [109.0, 109.5, 104.0, 105.0, 1e6], still(105.0)];
    let exit = |profile| {
        let books = play(profile, &rows, |desk, step, _| {
            if step == 0 {
                let stop_loss = Some(StopLoss::Trailing(tiltyard_model::Trail::Percent(5.0)));
                desk.submit(OrderRequest { stop_loss, ..order(Buy, 1.0, Market) }).unwrap();
            }
        });
        prices(&books)[1]
    };
    // 5 % below 110, reached by the low of 104.
    for profile in OTHERS {
        assert_eq!(exit(profile), 104.5, "{profile:?}");
    }
}

const ISOLATED: MarginTerms = MarginTerms { mode: MarginMode::Isolated, leverage: None };

fn reasons(books: &Books) -> Vec<String> {
    executions(books).iter().skip(1).map(|fill| fill.reason.to_string()).collect()
}

/// Ten times leverage: 10 at 100 are liquidated at 94.74 when long and at 104.76 when short.
#[test]
fn a_nearer_stop_comes_before_a_liquidation_in_every_profile() {
    for profile in OTHERS.into_iter().chain([Profile::Conservative]) {
        for (side, stop, bar) in
            [(Buy, 96.0, [99.0, 100.0, 94.0, 98.0, 1e6]), (Sell, 104.0, [101.0, 106.0, 100.0, 102.0, 1e6])]
        {
            let rows = [still(100.0), still(100.0), bar, still(bar[3])];
            let books = play_on(ISOLATED, Latency::default(), profile, bars(HOUR, &rows), |desk, step, _| {
                if step == 0 {
                    desk.submit(OrderRequest { stop_loss: Some(StopLoss::Fixed(stop)), ..order(side, 10.0, Market) })
                        .unwrap();
                }
            });
            assert_eq!(reasons(&books), ["stop_loss"], "{profile:?} {side:?}");
        }
    }
}

/// After a gap in the bars an order has been there since before the next one, and trades at its close. `first` is sent at the first close,
/// `late` a second after the second one.
fn over_a_gap(first: Option<OrderRequest>, late: OrderRequest, bar: [f64; 5]) -> Books {
    let latency = Latency { fixed: Nanos(1_000_000_000), ..Latency::default() };
    let all = bars(HOUR, &[still(100.0), still(100.0), still(100.0), bar, still(bar[3])]);
    let gappy = (0..).zip(all.iter()).filter(|(at, _)| *at != 2).map(|(_, bar)| bar).collect();
    play_on(ISOLATED, latency, Profile::Vectorbt, gappy, |desk, step, _| match (step, &first) {
        (0, Some(first)) => _ = desk.submit(first.clone()).unwrap(),
        (1, _) => _ = desk.submit(late.clone()).unwrap(),
        _ => {}
    })
}

#[test]
fn a_liquidation_comes_before_a_trade_at_the_close() {
    let books = over_a_gap(Some(order(Buy, 10.0, Market)), order(Sell, 10.0, Market), [99.0, 99.0, 94.0, 98.0, 1e6]);
    assert_eq!(reasons(&books), ["liquidation"]);
}

/// What is entered at a close, or at an extreme that comes last, was not there when the other one was.
#[test]
fn nobody_is_liquidated_for_what_came_before_the_entry() {
    let books = over_a_gap(None, order(Buy, 10.0, Market), [99.0, 99.0, 85.0, 98.0, 1e6]);
    assert_eq!(prices(&books), [98.0]);
    // A short entry on the way down, in a bar that was at its high before.
    let rows = [still(100.0), [100.0, 112.0, 95.0, 98.0, 1e6], still(98.0)];
    let books = play_on(ISOLATED, Latency::default(), Profile::NautilusBar, bars(HOUR, &rows), |desk, step, _| {
        if step == 0 {
            desk.submit(order(Sell, 10.0, StopMarket(97.0))).unwrap();
        }
    });
    assert_eq!(prices(&books), [97.0]);
}
