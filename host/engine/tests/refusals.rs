//! Orders that are none: refused with a reason, and nothing else happens.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::{A, Desk, HOUR, Stage, bars, entries, lane, order, perpetual, spot};
use tiltyard_engine::Event;
use tiltyard_engine::venue::Latency;
use tiltyard_model::{
    Acceptance, Desk as _, InstrumentIndex, Nanos, OrderId, OrderRequest, OrderType, Replacement, Side, StopLoss,
    TimeInForce, Trail, Violation,
};

use Side::{Buy, Sell};

/// What a request at a price of 100 and with 100,000 of cash is refused for; it must leave no trace.
fn refused(request: impl Fn(&mut Desk) -> Vec<tiltyard_model::Violation>) -> Vec<String> {
    refused_on(&Stage::new(spot("A"), lane(bars(HOUR, &[[100.0, 100.0, 100.0, 100.0, 1e6]; 3]), HOUR)), request)
}

fn refused_on(stage: &Stage, request: impl Fn(&mut Desk) -> Vec<tiltyard_model::Violation>) -> Vec<String> {
    let mut rules = Vec::new();
    let books = stage.play(|desk, step, _| {
        if step == 0 {
            let before = (desk.equity(), desk.cash(), desk.open_orders());
            rules = request(desk).into_iter().map(|violation| violation.rule).collect();
            assert_eq!((desk.equity(), desk.cash(), desk.open_orders()), before);
        }
    });
    let quiet = |event: &Event| {
        matches!(
            event,
            Event::Seated { .. } | Event::Bar { .. } | Event::Refused { .. } | Event::Instant | Event::Finished { .. }
        )
    };
    assert!(entries(&books).iter().all(|entry| quiet(&entry.event)));
    assert_eq!(books.records()[0].refused, 1);
    rules
}

fn submit(request: OrderRequest) -> Vec<String> {
    refused(|desk| desk.submit(request.clone()).unwrap_err())
}

const NO_NUMBERS: [f64; 9] = [0.0, -0.0, -1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 5e-324, 1e-20, 1e300];

#[test]
fn quantities_that_are_none_are_malformed() {
    for quantity in NO_NUMBERS {
        assert_eq!(submit(order(Buy, quantity, OrderType::Market)), ["malformed"], "{quantity}");
    }
    // Below the lot of 0.001 nothing is left after rounding down.
    assert_eq!(submit(order(Buy, 0.000_999, OrderType::Market)), ["malformed"]);
}

#[test]
fn prices_that_are_none_are_malformed_each_by_itself() {
    for price in NO_NUMBERS {
        for order_type in [
            OrderType::Limit(price),
            OrderType::StopMarket(price),
            OrderType::TakeProfit(price),
            OrderType::TrailingStop { trail: Trail::Distance(price), activation: None },
            OrderType::TrailingStop { trail: Trail::Percent(price), activation: None },
            OrderType::TrailingStop { trail: Trail::Percent(5.0), activation: Some(price) },
        ] {
            // As a price the smallest numbers are a tick for who rounds up, so that only buyers' are none.
            let rules = submit(order(Buy, 1.0, order_type));
            assert!(rules.iter().all(|rule| rule == "malformed") && !rules.is_empty(), "{order_type:?}: {rules:?}");
        }
        assert_eq!(
            submit(order(Buy, price, OrderType::StopLimit { trigger: price, limit: price })).len(),
            3,
            "{price}"
        );
    }
    assert_eq!(
        submit(order(Buy, 1.0, OrderType::TrailingStop { trail: Trail::Percent(100.0), activation: None })),
        ["malformed"]
    );
}

#[test]
fn options_that_contradict_each_other_are_malformed() {
    let plain = || order(Buy, 1.0, OrderType::Limit(90.0));
    let at_once = TimeInForce::ImmediateOrCancel;
    for request in [
        OrderRequest { post_only: true, ..order(Buy, 1.0, OrderType::Market) },
        OrderRequest { post_only: true, time_in_force: at_once, ..plain() },
        OrderRequest { time_in_force: at_once, ..order(Buy, 1.0, OrderType::StopMarket(110.0)) },
        OrderRequest { time_in_force: TimeInForce::GoodTillDate(HOUR), ..plain() },
        OrderRequest { time_in_force: TimeInForce::GoodTillDate(Nanos(i64::MIN)), ..plain() },
        OrderRequest { stop_loss: Some(StopLoss::Fixed(90.0)), ..plain() },
        OrderRequest { stop_loss: Some(StopLoss::Fixed(f64::NAN)), ..plain() },
        OrderRequest { take_profit: Some(90.0), ..plain() },
        OrderRequest { take_profit: Some(-1.0), ..plain() },
    ] {
        let rules = submit(request.clone());
        assert!(rules.iter().all(|rule| rule == "malformed") && !rules.is_empty(), "{request:?}: {rules:?}");
    }
}

#[test]
fn instruments_and_orders_that_are_none_are_named() {
    for index in [1, 7, u32::MAX] {
        let instrument = InstrumentIndex(index);
        assert_eq!(submit(OrderRequest { instrument, ..order(Buy, 1.0, OrderType::Market) }), ["unknown-instrument"]);
        assert_eq!(refused(|desk| desk.target(instrument, 0.5, None).unwrap_err()), ["unknown-instrument"]);
        assert_eq!(refused(|desk| desk.close(instrument).unwrap_err()), ["unknown-instrument"]);
    }
    for id in [0, 1, u64::MAX] {
        assert_eq!(refused(|desk| desk.cancel(OrderId(id)).unwrap_err()), ["unknown-order"]);
        assert_eq!(refused(|desk| desk.replace(OrderId(id), Replacement::default()).unwrap_err()), ["unknown-order"]);
    }
}

#[test]
fn fractions_that_are_none_are_malformed_and_what_nobody_can_pay_is_refused() {
    for fraction in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e23, -1e23, f64::MAX, -f64::MAX] {
        assert_eq!(refused(|desk| desk.target(A, fraction, None).unwrap_err()), ["malformed"], "{fraction}");
    }
    assert_eq!(refused(|desk| desk.target(A, 1.5, None).unwrap_err()), ["insufficient-funds"]);
    assert_eq!(refused(|desk| desk.target(A, -0.5, None).unwrap_err()), ["insufficient-funds"], "nothing is lent");
    assert_eq!(submit(order(Buy, 1e12, OrderType::Market)), ["insufficient-funds"]);
    assert_eq!(submit(order(Buy, 1e12, OrderType::Limit(1e12))), ["insufficient-funds"]);
    assert_eq!(submit(order(Sell, 1e12, OrderType::Limit(1e12))), ["insufficient-funds"]);
    let perpetual = Stage::new(perpetual("P", 3.0), lane(bars(HOUR, &[[100.0, 100.0, 100.0, 100.0, 1e6]; 3]), HOUR));
    for request in [order(Buy, 1e12, OrderType::Limit(1e12)), order(Sell, 1e12, OrderType::StopMarket(1e12))] {
        let rules = refused_on(&perpetual, |desk| desk.submit(request.clone()).unwrap_err());
        assert_eq!(rules, ["insufficient-margin"]);
    }
}

/// The first 200 are taken, the rest refused; the kernel neither slows down nor forgets what it has.
#[test]
fn a_million_orders_at_once_get_the_venues_limit() {
    let stage = Stage::new(spot("A"), lane(bars(HOUR, &[[100.0, 100.0, 100.0, 100.0, 1e6]; 3]), HOUR));
    let stage = Stage { cash: "1000000", ..stage };
    let mut answers = (0, 0);
    let books = stage.play(|desk, step, _| {
        if step == 0 {
            for number in 0..1_000_000_u32 {
                let tag = number.to_string();
                match desk.submit(OrderRequest { tag, ..order(Buy, 1.0, OrderType::Limit(50.0)) }) {
                    Ok(_) => answers.0 += 1,
                    Err(violations) => {
                        assert_eq!((violations.len(), violations[0].rule.as_str()), (1, "open-orders"));
                        answers.1 += 1;
                    }
                }
            }
            assert_eq!(desk.open_orders().len(), 200);
        }
    });
    assert_eq!(answers, (200, 999_800));
    assert_eq!((books.records()[0].accepted, books.records()[0].violations), (200, 999_800));
}

/// With latency nothing has arrived at the venue within the call.
#[test]
fn changes_of_one_order_do_not_pile_up_on_their_way() {
    let stage = Stage::new(spot("A"), lane(bars(HOUR, &[[100.0, 100.0, 100.0, 100.0, 1e6]; 3]), HOUR));
    let latency = Latency { fixed: Nanos::from_hours(1_000), jitter: Nanos(0) };
    let stage = Stage { latency, ..stage };
    let mut refused = Vec::new();
    stage.play(|desk, step, _| {
        if step == 0 {
            let resting = desk.submit(order(Buy, 1.0, OrderType::Limit(50.0))).unwrap().order;
            for at in 0..25 {
                let change = Replacement { quantity: Some(0.5 + f64::from(at) / 100.0), ..Replacement::default() };
                refused.extend(desk.replace(resting, change).err().map(|violations| (at, violations[0].rule.clone())));
            }
            desk.cancel(resting).unwrap();
        }
    });
    assert_eq!(refused, (20..25).map(|at| (at, "changes-under-way".to_owned())).collect::<Vec<_>>());
}

#[test]
fn an_order_at_the_last_bar_is_taken_and_never_fills() {
    let stage = Stage::new(spot("A"), lane(bars(HOUR, &[[100.0, 100.0, 100.0, 100.0, 1e6]; 2]), HOUR));
    let books = stage.play(|desk, step, _| {
        if step == 1 {
            desk.submit(order(Buy, 1.0, OrderType::Market)).unwrap();
        }
    });
    assert!(common::executions(&books).is_empty());
    assert_eq!(books.records()[0].accepted, 1);
}

/// A desk without a kernel, as after the end of a run.
#[test]
fn a_desk_that_is_away_takes_nothing() {
    let mut desk = Desk::default();
    assert_eq!(desk.submit(order(Buy, 1.0, OrderType::Market)).unwrap_err()[0].rule, "trading-state");
    assert_eq!(desk.target(A, 1.0, None).unwrap_err()[0].rule, "trading-state");
    assert!(desk.history(A, 1).is_err() && desk.position(A).is_none() && desk.open_orders().is_empty());
    assert!(desk.set_timer(Nanos(5)).is_err());
}

/// What a desk answers that may have nothing to do.
type Answer = Result<Option<Acceptance>, Vec<Violation>>;

/// Within a long bar of `A`, whatever is taken back may still fill and so has not left.
#[test]
fn exits_and_stops_do_not_pile_up_while_a_bar_hides_what_came_first() {
    let flat = [100.0, 100.0, 100.0, 100.0, 1e6];
    let day = Nanos::from_hours(24);
    let stage =
        Stage::new(spot("A"), lane(bars(day, &[flat; 4]), day)).with(spot("B"), lane(bars(HOUR, &[flat; 96]), HOUR));
    let asked = |ask: &dyn Fn(&mut Desk, u8) -> Answer| {
        let (mut refused, mut working) = (Vec::new(), 0);
        stage.play(|desk, step, _| match step {
            24 => _ = desk.target(A, 0.5, Some(StopLoss::Fixed(50.0))).unwrap(),
            72 => {
                assert!(desk.position(A).unwrap().quantity > 0.0);
                let rules = (0..25).filter_map(|at| ask(desk, at).err().map(|violations| violations[0].rule.clone()));
                refused.extend(rules);
                working = desk.open_orders().len();
            }
            _ => {}
        });
        (refused, working)
    };
    // One more is working than came in its place: the stop-loss of the entry.
    let told = |times| vec!["changes-under-way".to_owned(); times];
    assert_eq!(asked(&|desk, _| desk.close(A)), (told(4), 22));
    let moves_stop = |desk: &mut Desk, at| desk.target(A, 0.5, Some(StopLoss::Fixed(51.0 + f64::from(at))));
    assert_eq!(asked(&moves_stop), (told(5), 21));
}
