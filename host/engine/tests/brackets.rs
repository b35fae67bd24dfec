//! What happens inside one bar when an entry and its protection meet in it, and what is remembered of it.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::{A, HOUR, Stage, bars, dec, executions, lane, order, perpetual, spot, updates};
use tiltyard_engine::Books;
use tiltyard_engine::venue::Costs;
use tiltyard_model::{Desk as _, OrderRequest, OrderType, Side, StopLoss, Trail};

use Side::{Buy, Sell};

const CALM: [f64; 5] = [100.0, 100.0, 100.0, 100.0, 1e6];
/// A tenth of it is 10.
const THIN: f64 = 100.0;

fn stage(rows: &[[f64; 5]]) -> Stage {
    Stage::new(spot("A"), lane(bars(HOUR, rows), HOUR))
}

fn fills(books: &Books) -> Vec<(i64, Side, f64, f64)> {
    let row = |fill: &&tiltyard_engine::Execution| {
        let bar = (fill.time.0 - i64::from(!fill.at_open)) / HOUR.0;
        (bar, fill.side, fill.price.to_f64(), fill.quantity.to_f64())
    };
    executions(books).iter().map(row).collect()
}

fn limit_bracket(quantity: f64, stop: f64, target: f64) -> OrderRequest {
    let request = order(Buy, quantity, OrderType::Limit(99.0));
    OrderRequest { stop_loss: Some(StopLoss::Fixed(stop)), take_profit: Some(target), ..request }
}

/// Half of the entry fills in a thin bar, the rest inside the next: only the first half may meet the target there.
#[test]
fn what_joins_inside_a_bar_does_not_meet_the_target_of_that_bar() {
    let rows = [CALM, [100.0, 100.0, 98.0, 100.0, THIN], [100.0, 106.0, 98.0, 100.0, 1e6], CALM];
    let books = stage(&rows).play(|desk, step, _| {
        if step == 0 {
            desk.submit(limit_bracket(20.0, 90.0, 105.0)).unwrap();
        }
    });
    assert_eq!(fills(&books), [(1, Buy, 99.0, 10.0), (2, Buy, 99.0, 10.0), (2, Sell, 105.0, 10.0)]);
}

/// The same with a target that the strategy sent by itself.
#[test]
fn a_reduce_only_target_closes_what_was_there_before_the_bar() {
    let rows = [CALM, CALM, [100.0, 106.0, 98.0, 100.0, 1e6], CALM];
    let books = stage(&rows).play(|desk, step, _| match step {
        0 => _ = desk.submit(order(Buy, 10.0, OrderType::Market)).unwrap(),
        1 => {
            desk.submit(order(Buy, 10.0, OrderType::Limit(99.0))).unwrap();
            let exit = order(Sell, 20.0, OrderType::TakeProfit(105.0));
            desk.submit(OrderRequest { reduce_only: true, ..exit }).unwrap();
        }
        _ => {}
    });
    let sold: f64 = fills(&books).iter().filter(|fill| fill.1 == Sell).map(|fill| fill.3).sum();
    assert_eq!(sold, 10.0);
}

/// No way leads from 100 to a stop at 90 that does not pass 99: the rest of the entry fills first, and goes down with it.
#[test]
fn the_rest_of_an_entry_fills_on_the_way_to_its_stop() {
    let fall = [100.0, 100.0, 85.0, 86.0, 1e6];
    let run = |volume: f64| {
        let books = stage(&[CALM, [100.0, 100.0, 98.0, 100.0, volume], fall, CALM]).play(|desk, step, _| {
            if step == 0 {
                desk.submit(limit_bracket(20.0, 90.0, 120.0)).unwrap();
            }
        });
        books.equity()
    };
    assert_eq!(run(THIN), run(1e6), "however the entry was cut into pieces");
}

#[test]
fn an_entry_that_funds_cut_short_keeps_its_stop() {
    let jump = [110.0, 110.0, 110.0, 110.0, 1e6];
    let stage = Stage { cash: "1000", ..stage(&[CALM, jump, [110.0, 110.0, 80.0, 80.0, 1e6], CALM]) };
    let books = stage.play(|desk, step, _| {
        if step == 0 {
            desk.target(A, 1.0, Some(StopLoss::Fixed(95.0))).unwrap();
        }
    });
    let fills = fills(&books);
    assert_eq!((fills.len(), fills[1].1), (2, Sell));
    assert_eq!(fills[0].3, fills[1].3);
    assert!(updates(&books).iter().any(|(_, update)| update.reason == "insufficient-funds"));
}

/// Contract: "behind the best price since the entry filled". Entry at 100, high of 120; five percent behind it are 114.
#[test]
fn a_trailing_stop_that_is_tightened_remembers_the_best_price() {
    let rows = [
        CALM,
        CALM,
        [100.0, 120.0, 119.0, 119.5, 1e6],
        [119.5, 119.5, 115.0, 115.5, 1e6],
        [115.5, 115.5, 113.5, 115.0, 1e6],
        [115.0, 115.0, 115.0, 115.0, 1e6],
    ];
    let books = stage(&rows).play(|desk, step, _| {
        let percent = if step < 3 { 10.0 } else { 5.0 };
        if step < 4 {
            desk.target(A, 0.5, Some(StopLoss::Trailing(Trail::Percent(percent)))).unwrap();
        }
    });
    // 114 less 0.1 %.
    assert_eq!(fills(&books).last().map(|fill| (fill.0, fill.2)), Some((4, 113.886)));
}

/// A bar that goes to 80 and to 112: the target is taken to come last, so that the position has seen the 80.
#[test]
fn excursions_count_the_worst_of_a_bar_and_not_its_best() {
    let run = |rows: &[[f64; 5]], request: OrderRequest| {
        let books = stage(rows).play(|desk, step, _| {
            if step == 0 {
                desk.submit(request.clone()).unwrap();
            }
        });
        let trip = books.records()[0].ledger.round_trips()[0].clone();
        (trip.mae, trip.mfe)
    };
    let close_to = |left: f64, right: f64| (left - right).abs() < 1e-12;
    let market = OrderRequest { take_profit: Some(110.0), ..order(Buy, 1.0, OrderType::Market) };
    let (mae, mfe) = run(&[CALM, CALM, [100.0, 112.0, 80.0, 100.0, 1e6]], market);
    assert!(close_to(mae, 20.1 / 100.1) && close_to(mfe, 9.9 / 100.1), "{mae} {mfe}");
    // A limit entry inside its bar saw the low of 95, but perhaps not the high of 104; then it went out at 90.
    let request = OrderRequest { stop_loss: Some(StopLoss::Fixed(90.0)), ..order(Buy, 1.0, OrderType::Limit(99.0)) };
    let (mae, mfe) = run(&[CALM, [100.0, 104.0, 95.0, 100.0, 1e6], [100.0, 100.0, 70.0, 70.0, 1e6]], request);
    // 90 less 0.1 %; the 70 came after it was out.
    assert!(close_to(mae, (99.0 - 89.91) / 99.0) && close_to(mfe, 1.0 / 99.0), "{mae} {mfe}");
}

#[test]
fn a_forced_exit_pays_for_its_impact_too() {
    let mut stage = stage(&[CALM, CALM, [100.0, 100.0, 100.0, 100.0, 10.0]]);
    stage.lanes[0].ends = true;
    stage.costs = Costs { impact: dec("0.1"), ..Costs::none() };
    let books = stage.play(|desk, step, _| {
        if step == 0 {
            desk.submit(order(Buy, 900.0, OrderType::Market)).unwrap();
        }
    });
    assert_eq!(fills(&books).last().map(|fill| fill.2), Some(90.0), "the whole of the last bar and more");
}

#[test]
fn close_takes_orders_back_even_when_nothing_is_held() {
    let books = stage(&[CALM, [100.0, 100.0, 90.0, 90.0, 1e6], CALM]).play(|desk, step, _| {
        if step == 0 {
            desk.submit(order(Buy, 1.0, OrderType::Limit(95.0))).unwrap();
            assert_eq!(desk.close(A), Ok(None));
            assert!(desk.open_orders().is_empty());
        }
    });
    assert!(executions(&books).is_empty());
}

/// What cannot be counted to the last digit any more ends the run.
#[test]
fn an_account_beyond_all_bounds_is_halted() {
    let rows = [[1e-6, 1e-6, 1e-6, 1e-6, 1e14], [1e-6, 1e-6, 1e-6, 1e-6, 1e14], [1e12; 5], [1e12; 5]];
    let market = perpetual("P", 1.0);
    let market = tiltyard_model::Instrument { tick: 1e-6, min_notional: 0.0, ..market };
    let books = Stage::new(market, lane(bars(HOUR, &rows), HOUR)).play(|desk, step, _| {
        if step == 0 {
            desk.target(A, 0.9, None).unwrap();
        }
    });
    assert_eq!(books.records()[0].halted_by(), Some("out-of-range"));
}

/// Whoever buys what a millionth of a cent would buy does not wait for it.
#[test]
fn a_purchase_that_funds_cut_short_takes_no_time() {
    let rows =
        [[1e-6, 1e-6, 1e-6, 1e-6, 1e15], [1.13e-6, 1.13e-6, 1.13e-6, 1.13e-6, 1e15], [1e-6, 1e-6, 1e-6, 1e-6, 1e15]];
    let market = tiltyard_model::Instrument { tick: 1e-8, lot: 1e-12, min_notional: 0.0, ..spot("A") };
    let books = Stage::new(market, lane(bars(HOUR, &rows), HOUR)).play(|desk, step, _| {
        if step == 0 {
            desk.target(A, 1.0, None).unwrap();
        }
    });
    let ledger = &books.records()[0].ledger;
    assert!(ledger.cash().0 >= dec("0") && ledger.cash().0 < dec("0.000001"), "{}", ledger.cash());
}
