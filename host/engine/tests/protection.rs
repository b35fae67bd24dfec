//! What protects a position and what takes risk away stays, whatever a strategy asks for.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::{A, HOUR, Stage, bars, executions, lane, order, perpetual, spot};
use tiltyard_engine::Books;
use tiltyard_engine::venue::Costs;
use tiltyard_model::OrderType::{Limit, Market, StopMarket};
use tiltyard_model::Side::{Buy, Sell};
use tiltyard_model::{Desk as _, OrderOrigin, OrderRequest, Replacement, StopLoss, Violation};
use tiltyard_risk::{DailyLoss, DrawdownLadder, InvalidStop, Limits, MissingStop, RateLimit, RiskProfile};

/// A perpetual without costs whose bars stand still at these prices, one an hour, under these limits.
fn stage(prices: &[f64], limits: Limits) -> Stage {
    let rows: Vec<[f64; 5]> = prices.iter().map(|price| [*price, *price, *price, *price, 1e6]).collect();
    let stage = Stage::new(perpetual("P", 5.0), lane(bars(HOUR, &rows), HOUR));
    Stage { costs: Costs::none(), risk: RiskProfile { limits, ..RiskProfile::research() }, ..stage }
}

/// Stops are required, and at most 5 % away.
fn stops() -> Limits {
    Limits {
        missing_stop: Some(MissingStop::default()),
        invalid_stop: Some(InvalidStop::default()),
        ..Limits::default()
    }
}

fn with_stop(request: OrderRequest, stop: f64) -> OrderRequest {
    OrderRequest { stop_loss: Some(StopLoss::Fixed(stop)), ..request }
}

fn only_closes(request: OrderRequest) -> OrderRequest {
    OrderRequest { reduce_only: true, ..request }
}

/// The first rule that a request broke, if it did.
fn rule<T>(answer: Result<T, Vec<Violation>>) -> Option<String> {
    answer.err().map(|violations| violations[0].rule.clone())
}

fn held(books: &Books) -> f64 {
    books.records()[0].ledger.position(A).to_f64()
}

#[test]
fn a_stop_may_not_be_taken_away_where_stops_are_required() {
    stage(&[100.0; 5], stops()).play(|desk, step, _| match step {
        0 => _ = desk.submit(with_stop(order(Buy, 10.0, Market), 97.0)).unwrap(),
        1 => {
            let stop = desk.open_orders()[0].order;
            assert_eq!(desk.cancel(stop).unwrap_err()[0].rule, "missing-stop");
            let to = |trigger| Replacement { trigger: Some(trigger), ..Replacement::default() };
            assert_eq!(desk.replace(stop, to(90.0)).unwrap_err()[0].rule, "invalid-stop");
            desk.replace(stop, to(98.0)).unwrap();
            desk.close(A).unwrap();
        }
        2 => assert!(desk.open_orders().is_empty() && desk.position(A).unwrap().quantity == 0.0),
        _ => {}
    });
}

#[test]
fn a_target_moves_its_stop_only_as_far_as_any_order_may() {
    stage(&[100.0; 5], stops()).play(|desk, step, _| match step {
        0 => _ = desk.target(A, 0.2, Some(StopLoss::Fixed(98.0))).unwrap(),
        1 => {
            assert_eq!(rule(desk.target(A, 0.2, Some(StopLoss::Fixed(50.0)))).as_deref(), Some("invalid-stop"));
            assert_eq!(rule(desk.target(A, 0.2, None)).as_deref(), Some("missing-stop"));
            assert_eq!(desk.open_orders()[0].order_type, StopMarket(98.0), "it stands where it stood");
            desk.target(A, 0.2, Some(StopLoss::Fixed(99.0))).unwrap();
        }
        2 => assert_eq!(desk.open_orders()[0].order_type, StopMarket(99.0)),
        _ => {}
    });
}

#[test]
fn an_exit_that_is_under_way_is_not_taken_back_where_stops_are_required() {
    let books = stage(&[100.0; 5], stops()).play(|desk, step, _| match step {
        0 => _ = desk.submit(with_stop(order(Buy, 10.0, Market), 97.0)).unwrap(),
        1 => {
            let exit = desk.close(A).unwrap().unwrap().order;
            assert_eq!(rule(desk.cancel(exit)).as_deref(), Some("missing-stop"));
        }
        _ => {}
    });
    assert_eq!(held(&books), 0.0);
}

#[test]
fn a_stop_far_away_is_no_reason_to_take_the_near_one_back() {
    stage(&[100.0; 5], stops()).play(|desk, step, _| match step {
        0 => _ = desk.submit(with_stop(order(Buy, 10.0, Market), 97.0)).unwrap(),
        1 => {
            let near = desk.open_orders()[0].order;
            desk.submit(only_closes(order(Sell, 10.0, StopMarket(50.0)))).unwrap();
            assert_eq!(rule(desk.cancel(near)).as_deref(), Some("missing-stop"));
            desk.submit(only_closes(order(Sell, 10.0, StopMarket(96.0)))).unwrap();
            desk.cancel(near).unwrap();
        }
        _ => {}
    });
}

#[test]
fn the_hosts_exits_are_not_the_strategys_to_take_back() {
    let daily = Limits { daily_loss: Some(DailyLoss::default()), ..Limits::default() };
    let ladder = Limits { drawdown_ladder: Some(DrawdownLadder::default()), ..Limits::default() };
    // 5.2 % of the equity are lost at 87; 20 % at 50.
    for (limits, price, left) in [(daily, 87.0, 0.0), (ladder, 50.0, 200.0)] {
        let mut refused = 0;
        let books = stage(&[100.0, 100.0, price, price, price], limits).play(|desk, step, _| {
            if step == 0 {
                desk.submit(order(Buy, 400.0, Market)).unwrap();
            }
            for exit in desk.open_orders().iter().filter(|order| order.origin == OrderOrigin::Host) {
                let less = Replacement { quantity: Some(1.0), ..Replacement::default() };
                assert_eq!(rule(desk.cancel(exit.order)).as_deref(), Some("host-order"));
                assert_eq!(rule(desk.replace(exit.order, less)).as_deref(), Some("host-order"));
                refused += 1;
            }
        });
        assert_eq!((held(&books), refused), (left, 1));
    }
}

/// A market order that closes leaves nothing to close: what follows it is an entry.
#[test]
fn a_position_is_turned_round_in_two_orders_where_an_entry_may_be() {
    let turn = |limits: Limits| {
        let mut refused = None;
        let books = stage(&[100.0; 5], limits).play(|desk, step, _| match step {
            0 => _ = desk.submit(with_stop(order(Buy, 10.0, Market), 97.0)).unwrap(),
            1 => {
                desk.close(A).unwrap();
                refused = rule(desk.submit(order(Sell, 10.0, Market)));
            }
            _ => {}
        });
        (held(&books), refused)
    };
    assert_eq!(turn(Limits::default()), (-10.0, None));
    assert_eq!(turn(stops()), (0.0, Some("missing-stop".to_owned())));
}

#[test]
fn what_only_closes_opens_nothing_after_something_else_has_closed() {
    // A limit that waits above is gone when the stop has closed the position, and does not sell short at the rebound.
    let books = stage(&[100.0, 100.0, 96.0, 105.0, 105.0], stops()).play(|desk, step, _| match step {
        0 => _ = desk.submit(with_stop(order(Buy, 10.0, Market), 97.0)).unwrap(),
        1 => _ = desk.submit(order(Sell, 10.0, Limit(104.0))).unwrap(),
        _ => {}
    });
    assert_eq!((held(&books), executions(&books).len()), (0.0, 2));
}

#[test]
fn on_spot_a_sale_stays_what_it_is() {
    let rows = [[100.0, 100.0, 100.0, 100.0, 1e6]; 4];
    let stage = Stage { costs: Costs::none(), ..Stage::new(spot("A"), lane(bars(HOUR, &rows), HOUR)) };
    stage.play(|desk, step, _| match step {
        0 => _ = desk.submit(order(Buy, 10.0, Market)).unwrap(),
        1 => {
            desk.submit(order(Sell, 10.0, Limit(120.0))).unwrap();
            assert_eq!(rule(desk.submit(order(Sell, 1.0, Limit(130.0)))).as_deref(), Some("insufficient-funds"));
        }
        _ => {}
    });
}

#[test]
fn an_order_that_turns_a_position_round_counts_with_what_it_may_open() {
    let mut limits = stops();
    limits.notional_symbol = Some(tiltyard_risk::NotionalSymbol::default());
    let books = stage(&[100.0, 100.0, 96.0, 102.0, 102.0], limits).play(|desk, step, _| match step {
        0 => _ = desk.submit(with_stop(order(Buy, 200.0, Market), 97.0)).unwrap(),
        1 => {
            // A quarter of 100,000 is 250 at 100, or 247 at 101; another 200 close what is held.
            let turn = |quantity| with_stop(order(Sell, quantity, Limit(101.0)), 105.0);
            assert_eq!(rule(desk.submit(turn(450.0))).as_deref(), Some("notional-symbol"));
            desk.submit(turn(447.0)).unwrap();
        }
        _ => {}
    });
    // The stop has come first.
    assert_eq!(held(&books), -247.0);
}

#[test]
fn an_exit_that_comes_first_lets_an_order_that_turns_round_open_no_more() {
    for changed in [None, Some(16.0), Some(12.0), Some(8.0)] {
        let books =
            stage(&[100.0, 100.0, 100.0, 105.0, 112.0, 112.0], Limits::default()).play(|desk, step, _| match step {
                0 => _ = desk.submit(order(Buy, 10.0, Market)).unwrap(),
                1 => {
                    let turn = desk.submit(order(Sell, 15.0, Limit(110.0))).unwrap().order;
                    if changed.is_some() {
                        desk.replace(turn, Replacement { quantity: changed, ..Replacement::default() }).unwrap();
                    }
                    desk.submit(only_closes(order(Sell, 10.0, Limit(104.0)))).unwrap();
                }
                _ => {}
            });
        let opened = (changed.unwrap_or(15.0) - 10.0).max(0.0);
        assert_eq!(held(&books), -opened, "{changed:?}");
    }
}

#[test]
fn changes_count_as_orders() {
    let limits = Limits { rate_limit: Some(RateLimit { strategy: 3, account: 30 }), ..Limits::default() };
    stage(&[100.0; 3], limits).play(|desk, step, _| {
        if step == 0 {
            let waiting = desk.submit(order(Buy, 1.0, Limit(50.0))).unwrap().order;
            let to = |limit| Replacement { limit: Some(limit), ..Replacement::default() };
            desk.replace(waiting, to(51.0)).unwrap();
            desk.replace(waiting, to(52.0)).unwrap();
            assert_eq!(rule(desk.replace(waiting, to(53.0))).as_deref(), Some("rate-limit"));
            desk.cancel(waiting).unwrap();
        }
    });
}

#[test]
fn a_price_of_nothing_is_no_price() {
    let rows = [[100.0, 100.0, 100.0, 100.0, 1e6], [0.0, 0.0, 0.0, 0.0, 1e6], [100.0, 100.0, 100.0, 100.0, 1e6]];
    let stage = Stage::new(perpetual("P", 5.0), lane(bars(HOUR, &rows), HOUR));
    stage.play(|desk, step, _| {
        if step == 1 {
            assert_eq!(rule(desk.submit(order(Buy, 1e6, Market))).as_deref(), Some("stale-data"));
        }
    });
}
