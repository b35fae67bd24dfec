//! What it asks of its desk that no honest strategy would.

use tiltyard_sdk::prelude::*;

/// Numbers that are no prices, no quantities and no fractions, and some that are, but barely.
const UGLY: [f64; 24] = [
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    0.0,
    -0.0,
    -1.0,
    5e-324,
    f64::MIN_POSITIVE,
    1e-300,
    1e-28,
    1e-13,
    1e-12,
    0.000_999_999_999_999_9,
    0.1 + 0.2,
    99.999_999_999_9,
    1e6,
    999_999_999_999.999,
    1e12,
    1e13,
    1e20,
    7.922_816_251_426_433e28,
    1e29,
    1e300,
    f64::MAX,
];

/// Labels that a terminal would obey, that hide, or that are too long.
const TAGS: [&str; 8] = [
    "",
    "\x1b[2J",
    "line\nline",
    "\u{202e}evil",
    "\0",
    "\u{feff}",
    "größe",
    "a label of more than sixty-four bytes, which is what a label may have",
];

/// It asks for the sake of asking.
fn never_mind<T>(_: T) {}

/// An order at market for this much.
fn market(side: Side, quantity: f64) -> OrderRequest {
    OrderRequest::market(0, side, quantity)
}

/// A purchase that rests far below the market; each `at` is another one.
fn resting(bar: &Bar, at: u32) -> OrderRequest {
    let price = bar.close * 0.5 + f64::from(at % 4_000) / 100.0;
    OrderRequest { order_type: OrderType::Limit(price), ..market(Side::Buy, 1.0) }
}

/// Does this on a bar; false if it is not among what can be done.
pub(crate) fn on_bar(act: &str, desk: &mut impl Desk, bar: &Bar) -> bool {
    match act {
        "submits without end" => (0..).for_each(|at| never_mind(desk.submit(&resting(bar, at)))),
        "cancels without end" => (0..).for_each(|order| never_mind(desk.cancel(order))),
        "replaces without end" => {
            let order = desk.submit(&resting(bar, 0)).map_or(1, |acceptance| acceptance.order);
            for at in 0.. {
                let quantity = Some(1.0 + f64::from(at % 10) / 10.0);
                never_mind(desk.replace(order, Replacement { quantity, limit: None, trigger: None, trail: None }));
            }
        }
        "targets without end" => (0..).for_each(|at| never_mind(desk.target(0, f64::from(at % 2) / 2.0, None))),
        "closes without end" => (0..).for_each(|_: u32| never_mind(desk.close(0))),
        "asks for as many orders as it may" => (0..1_000).for_each(|at| never_mind(desk.submit(&resting(bar, at)))),
        "places, changes and takes back" => (0..333).for_each(|at| churn(desk, bar, at)),
        "turns round as often as it may" => {
            for at in 0..250 {
                never_mind(desk.submit(&market(Side::Buy, 0.1 + f64::from(at) / 1_000.0)));
                never_mind(desk.submit(&market(Side::Sell, 0.1 + f64::from(at) / 1_000.0)));
            }
            never_mind(desk.close(0));
        }
        "orders in numbers that are none" => UGLY.iter().for_each(|number| ugly_orders(desk, bar, *number)),
        "changes orders to numbers that are none" => UGLY.iter().for_each(|number| ugly_changes(desk, bar, *number)),
        "targets numbers that are none" => ugly_targets(desk, bar),
        "targets NaN, then infinity" => {
            let odd = bar.open_time / 3_600_000_000_000 % 2 == 1;
            never_mind(desk.target(0, if odd { f64::NAN } else { f64::INFINITY }, None));
        }
        "orders until times that are none" => {
            for until in [i64::MIN, -1, 0, bar.open_time, i64::MAX - 1, i64::MAX] {
                never_mind(desk.submit(&OrderRequest {
                    time_in_force: TimeInForce::GoodTillDate(until),
                    ..resting(bar, until as u32)
                }));
            }
        }
        "labels orders with escapes" => {
            for (at, tag) in (0..).zip(TAGS) {
                never_mind(
                    desk.submit(&OrderRequest { tag: tag.to_owned(), ..market(Side::Buy, 0.1 + f64::from(at) / 1e3) }),
                );
            }
        }
        "takes back what is not its own" => {
            for order in [0, 1, 2, 3, u64::MAX - 1, u64::MAX] {
                never_mind(desk.cancel(order));
                never_mind(
                    desk.replace(order, Replacement { quantity: Some(1.0), limit: None, trigger: None, trail: None }),
                );
                desk.cancel_timer(order);
            }
        }
        "trades instruments that are none" => {
            for instrument in [1, 77, u32::MAX] {
                never_mind(desk.submit(&OrderRequest { instrument, ..market(Side::Buy, 1.0) }));
                never_mind(desk.target(instrument, 1.0, None));
                never_mind(desk.close(instrument));
            }
        }
        "sets timers at all times" => {
            for at in [i64::MIN, -1, 0, 1, bar.open_time, i64::MAX] {
                never_mind(desk.set_timer(at));
            }
            (1..900).for_each(|at| never_mind(desk.set_timer(bar.open_time + 3_600_000_000_000 + at)));
        }
        "sets timers without end" => (0..).for_each(|at: i64| never_mind(desk.set_timer(i64::MAX - at))),
        "takes back timers without end" => {
            (0..99).for_each(|at: i64| never_mind(desk.set_timer(i64::MAX - at)));
            (0..).for_each(|_: u32| never_mind(desk.cancel_timer(u64::MAX)));
        }
        "asks for all of history" => {
            for (instrument, count) in [(0, u32::MAX), (0, 10_001), (u32::MAX, 1), (u32::MAX, u32::MAX), (0, 0)] {
                never_mind(desk.history(instrument, count));
                never_mind(desk.latest_quote(instrument));
            }
        }
        "asks for history without end" => (0..).for_each(|_: u32| never_mind(desk.history(0, 10_000))),
        "asks for open orders without end" => {
            (0..200).for_each(|at| never_mind(desk.submit(&resting(bar, at))));
            (0..).for_each(|_: u32| never_mind(desk.open_orders()));
        }
        "asks what many lots are worth without end" => {
            (0..190).for_each(|at| never_mind(desk.submit(&market(Side::Buy, 0.1 + f64::from(at) / 1e3))));
            if desk.history(0, 10).is_ok_and(|bars| bars.close.len() == 10) {
                (0..).for_each(|_: u32| never_mind(desk.position(0)));
            }
        }
        "talks too much" => (0..20_000).for_each(|_: u32| desk.log(Level::Error, "\x1b]0;owned\x07")),
        "measures too much" => (0..20_000).for_each(|at: usize| desk.metric("\x1b[2J", UGLY[at % UGLY.len()])),
        "annotates too much" => (0..20_000).for_each(|_: u32| desk.annotate("\r", "\u{202e}\n")),
        "orders on every fill" | "orders on every update" => never_mind(desk.submit(&market(Side::Buy, 0.1))),
        "sets a timer on every timer" => never_mind(desk.set_timer(bar.open_time + 3_600_000_000_001)),
        _ => return false,
    }
    true
}

/// Does this on a fill.
pub(crate) fn on_fill(act: &str, desk: &mut impl Desk, fill: &Fill) {
    if act == "orders on every fill" {
        // Two for one, as long as there is anything to trade with.
        for more in [0.001, 0.002] {
            never_mind(desk.submit(&market(Side::Buy, fill.quantity + more)));
            never_mind(desk.submit(&market(Side::Sell, fill.quantity * 0.5 + more)));
        }
    }
}

/// Does this on an update of an order.
pub(crate) fn on_order(act: &str, desk: &mut impl Desk, update: &OrderUpdate) {
    if act == "orders on every update" {
        never_mind(desk.cancel(update.order));
        for at in 0..2 {
            never_mind(desk.submit(&OrderRequest {
                order_type: OrderType::Limit(10.0 + (update.order % 1_000) as f64 / 100.0),
                ..market(Side::Buy, 1.0 + f64::from(at) / 10.0)
            }));
        }
    }
}

/// Does this when a timer is due.
pub(crate) fn on_timer(act: &str, desk: &mut impl Desk, at: Timestamp) {
    if act == "sets a timer on every timer" {
        (1..=100).for_each(|more| never_mind(desk.set_timer(at + more)));
    }
}

fn churn(desk: &mut impl Desk, bar: &Bar, at: u32) {
    let Ok(acceptance) = desk.submit(&resting(bar, at)) else { return };
    let limit = acceptance.limit.map(|limit| limit + 0.01);
    never_mind(desk.replace(acceptance.order, Replacement { quantity: None, limit, trigger: None, trail: None }));
    never_mind(desk.cancel(acceptance.order));
}

fn ugly_orders(desk: &mut impl Desk, bar: &Bar, number: f64) {
    let types = [
        OrderType::Limit(number),
        OrderType::StopMarket(number),
        OrderType::StopLimit(StopLimit { trigger: number, limit: bar.close }),
        OrderType::StopLimit(StopLimit { trigger: bar.close, limit: number }),
        OrderType::TrailingStop(Trailing { trail: Trail::Distance(number), activation: None }),
        OrderType::TrailingStop(Trailing { trail: Trail::Percent(number), activation: None }),
        OrderType::TrailingStop(Trailing { trail: Trail::Percent(1.0), activation: Some(number) }),
        OrderType::TakeProfit(number),
    ];
    for side in [Side::Buy, Side::Sell] {
        never_mind(desk.submit(&market(side, number)));
        for order_type in types {
            never_mind(desk.submit(&OrderRequest { order_type, ..market(side, 0.1) }));
        }
        for stop in [StopLoss::Fixed(number), StopLoss::Trailing(Trail::Distance(number))] {
            never_mind(desk.submit(&OrderRequest { stop_loss: Some(stop), ..market(side, 0.1) }));
        }
        never_mind(desk.submit(&OrderRequest { take_profit: Some(number), ..market(side, 0.1) }));
    }
}

fn ugly_changes(desk: &mut impl Desk, bar: &Bar, number: f64) {
    let stop = OrderRequest {
        order_type: OrderType::StopLimit(StopLimit { trigger: bar.close * 2.0, limit: bar.close * 3.0 }),
        ..market(Side::Buy, 0.1)
    };
    let trailing = OrderRequest {
        order_type: OrderType::TrailingStop(Trailing { trail: Trail::Percent(50.0), activation: None }),
        ..market(Side::Buy, 0.1)
    };
    let none = Replacement { quantity: None, limit: None, trigger: None, trail: None };
    for request in [resting(bar, 1), stop, trailing] {
        let Ok(acceptance) = desk.submit(&request) else { continue };
        for change in [
            Replacement { quantity: Some(number), ..none },
            Replacement { limit: Some(number), ..none },
            Replacement { trigger: Some(number), ..none },
            Replacement { trail: Some(Trail::Distance(number)), ..none },
            Replacement { trail: Some(Trail::Percent(number)), ..none },
            none,
        ] {
            never_mind(desk.replace(acceptance.order, change));
        }
        never_mind(desk.cancel(acceptance.order));
    }
}

fn ugly_targets(desk: &mut impl Desk, bar: &Bar) {
    for number in UGLY {
        for fraction in [number, -number, 0.1] {
            never_mind(desk.target(0, fraction, None));
            never_mind(desk.target(0, fraction, Some(StopLoss::Fixed(number))));
            never_mind(desk.target(0, fraction, Some(StopLoss::Trailing(Trail::Percent(number)))));
        }
    }
    // Leave something to trade with.
    never_mind(desk.target(0, if bar.close > bar.open { 0.5 } else { 0.0 }, None));
}
