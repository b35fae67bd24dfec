//! Twenty-two bars with every kind of order, worked out by hand.
//!
//! Ticks of 0.01, lots of 0.001, fees of 0.05 % for a maker and 0.1 % for a taker, slippage of 0.1 % for a taker, a tenth
//! of a bar's volume of 1,000 at most. A strategy acts at the close of a bar; what it sends meets the next one.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::{A, HOUR, Stage, bars, dec, executions, lane, order, spot, updates};
use tiltyard_engine::{Books, RoundTrip};
use tiltyard_model::{
    Desk as _, Nanos, OrderRequest, OrderStatus, OrderType, Replacement, Side, StopLoss, TimeInForce, Trail,
};

use Side::{Buy, Sell};

const BARS: [[f64; 5]; 22] = [
    [100.0, 101.0, 99.0, 100.0, 1000.0],   //  0: buy 10 at market
    [100.0, 102.0, 99.0, 101.0, 1000.0],   //  1: buy 5 at limit 99.50
    [101.0, 102.0, 99.5, 100.0, 1000.0],   //  2: touched, but not traded through
    [100.0, 101.0, 99.49, 100.0, 1000.0],  //  3: sell 4 at stop 98
    [99.0, 99.5, 97.9, 98.5, 1000.0],      //  4: sell 3 at stop-limit 97 / 96.95
    [98.0, 98.2, 96.0, 97.0, 1000.0],      //  5: sell 2, trailing by 1
    [97.0, 99.0, 96.5, 98.9, 1000.0],      //  6: the trailing trigger rises from 96 to 98
    [98.5, 98.6, 97.5, 98.0, 1000.0],      //  7: sell 1 at take-profit 100
    [99.0, 100.0, 98.5, 99.0, 1000.0],     //  8: touched, but not traded through
    [99.5, 100.01, 99.0, 99.8, 1000.0],    //  9: buy 10 at market, stop-loss 97, take-profit 103
    [100.0, 103.01, 97.0, 100.0, 1000.0],  // 10: buy 10 at limit 99, stop-loss 95, take-profit 102
    [100.0, 102.5, 98.9, 101.0, 1000.0],   // 11
    [101.0, 102.01, 100.0, 101.5, 1000.0], // 12: buy 200 at limit 102, immediate or cancel
    [101.5, 102.0, 101.0, 101.5, 1000.0],  // 13: buy 150 at limit 105, fill or kill
    [101.0, 102.0, 100.5, 101.8, 1000.0],  // 14: buy 1 at limit 103, post-only
    [102.0, 103.0, 101.0, 102.0, 1000.0],  // 15: buy 1 at limit 90
    [102.0, 102.5, 101.2, 102.0, 1000.0],  // 16: make that 2 at 101; sell 1 at limit 120 until the close of bar 18
    [102.0, 102.2, 100.99, 101.0, 1000.0], // 17: sell 7 reduce-only; buy 1 at limit 80 and cancel it
    [101.0, 102.0, 100.0, 101.0, 1000.0],  // 18: close
    [100.5, 101.0, 100.0, 100.5, 600.0],   // 19
    [99.0, 100.0, 98.0, 100.0, 1000.0],    // 20: half of the equity
    [100.0, 105.0, 100.0, 104.0, 10000.0], // 21
];

fn limit(side: Side, quantity: f64, price: f64) -> OrderRequest {
    order(side, quantity, OrderType::Limit(price))
}

fn bracket(request: OrderRequest, stop: f64, target: f64) -> OrderRequest {
    OrderRequest { stop_loss: Some(StopLoss::Fixed(stop)), take_profit: Some(target), ..request }
}

fn run() -> Books {
    let stage = Stage::new(spot("A"), lane(bars(HOUR, &BARS), HOUR));
    let mut changed = None;
    stage.play(|desk, step, _| {
        let mut send = |request| desk.submit(request).unwrap().order;
        match step {
            0 => _ = send(order(Buy, 10.0, OrderType::Market)),
            1 => _ = send(limit(Buy, 5.0, 99.5)),
            3 => _ = send(order(Sell, 4.0, OrderType::StopMarket(98.0))),
            4 => _ = send(order(Sell, 3.0, OrderType::StopLimit { trigger: 97.0, limit: 96.95 })),
            5 => {
                let trail = Trail::Distance(1.0);
                send(order(Sell, 2.0, OrderType::TrailingStop { trail, activation: None }));
            }
            7 => _ = send(order(Sell, 1.0, OrderType::TakeProfit(100.0))),
            9 => _ = send(bracket(order(Buy, 10.0, OrderType::Market), 97.0, 103.0)),
            10 => _ = send(bracket(limit(Buy, 10.0, 99.0), 95.0, 102.0)),
            12 => {
                let time_in_force = TimeInForce::ImmediateOrCancel;
                send(OrderRequest { time_in_force, ..limit(Buy, 200.0, 102.0) });
            }
            13 => _ = send(OrderRequest { time_in_force: TimeInForce::FillOrKill, ..limit(Buy, 150.0, 105.0) }),
            14 => _ = send(OrderRequest { post_only: true, ..limit(Buy, 1.0, 103.0) }),
            15 => changed = Some(send(limit(Buy, 1.0, 90.0))),
            16 => {
                let until = TimeInForce::GoodTillDate(Nanos::from_hours(19));
                send(OrderRequest { time_in_force: until, ..limit(Sell, 1.0, 120.0) });
                let change = Replacement { quantity: Some(2.0), limit: Some(101.0), ..Replacement::default() };
                let acceptance = desk.replace(changed.unwrap(), change).unwrap();
                assert_eq!((acceptance.quantity, acceptance.limit), (2.0, Some(101.0)));
            }
            17 => {
                send(OrderRequest { reduce_only: true, ..order(Sell, 7.0, OrderType::Market) });
                let order = send(limit(Buy, 1.0, 80.0));
                desk.cancel(order).unwrap();
                assert_eq!(desk.cancel(order).unwrap_err()[0].rule, "unknown-order", "it has ended");
            }
            18 => _ = desk.close(A).unwrap().unwrap(),
            20 => _ = desk.target(A, 0.5, None).unwrap().unwrap(),
            _ => {}
        }
    })
}

/// Bar, side, price, quantity, value, fee.
const FILLS: [(i64, Side, &str, &str, &str, &str); 16] = [
    // At the open of 100 plus 0.1 %.
    (1, Buy, "100.1", "10", "1001", "1.001"),
    // Bar 2 only touched the limit; bar 3 traded a tick through. A maker.
    (3, Buy, "99.5", "5", "497.5", "0.24875"),
    // Low of 97.90: at the trigger of 98 less 0.1 %.
    (4, Sell, "97.902", "4", "391.608", "0.391608"),
    // Triggered at 97 inside the bar; 96.903 after slippage, but never beyond the limit.
    (5, Sell, "96.95", "3", "290.85", "0.29085"),
    // Best price 99 in bar 6, so the trigger is 98; bar 7 opened above it.
    (7, Sell, "97.902", "2", "195.804", "0.195804"),
    // Bar 8 only touched 100; bar 9 traded a tick through.
    (9, Sell, "100", "1", "100", "0.05"),
    // Entry of the first bracket, at the open of bar 10.
    (10, Buy, "100.1", "10", "1001", "1.001"),
    // The bar touched stop-loss and take-profit: the stop-loss, at 97 less 0.1 %.
    (10, Sell, "96.903", "10", "969.03", "0.96903"),
    // The second bracket entered inside bar 11, so that its take-profit could not trade there, though the high was 102.50.
    (11, Buy, "99", "10", "990", "0.495"),
    (12, Sell, "102", "10", "1020", "0.51"),
    // 101.50 plus 0.1 %, below the limit; a tenth of the volume, the rest cancelled.
    (13, Buy, "101.6015", "100", "10160.15", "10.16015"),
    // Bar 14 offered 100 of 150: killed. Bar 15 opened below the post-only limit: refused. The replaced order:
    (17, Buy, "101", "2", "202", "0.101"),
    (18, Sell, "100.899", "7", "706.293", "0.706293"),
    // Closing 100: 60 in the thin bar, the rest in the next.
    (19, Sell, "100.3995", "60", "6023.97", "6.02397"),
    (20, Sell, "98.901", "40", "3956.04", "3.95604"),
    // Equity 99,775.844505; half of it ÷ (100 × 1.001 × 1.001) = 497.8829…, down to the lot.
    (21, Buy, "100.1", "497.882", "49837.9882", "49.8379882"),
];

#[test]
fn every_fill_is_as_worked_out() {
    let books = run();
    let fills: Vec<_> = executions(&books)
        .iter()
        .map(|fill| {
            // What trades inside a bar is timed at its close.
            let bar = (fill.time.0 - i64::from(!fill.at_open)) / HOUR.0;
            (bar, fill.side, fill.price.0, fill.quantity.0, fill.value.0, fill.fee.0)
        })
        .collect();
    let expected = FILLS
        .map(|(bar, side, price, quantity, value, fee)| (bar, side, dec(price), dec(quantity), dec(value), dec(fee)));
    assert_eq!(fills, expected);
}

/// Cash after all sixteen flows, fees included, in the order of the fills:
///
/// ```text
/// 100000 − 1002.001 − 497.74875 + 391.216392 + 290.55915 + 195.608196 + 99.95 − 1002.001 + 968.06097 − 990.495 + 1019.49
///        − 10170.31015 − 202.101 + 705.586707 + 6017.94603 + 3952.08396 − 49887.8261882 = 49888.0183168
/// ```
///
/// and 497.882 held at 104 are 51779.728.
#[test]
fn cash_and_equity_are_as_worked_out() {
    let books = run();
    let ledger = &books.records()[0].ledger;
    assert_eq!(ledger.cash().0, dec("49888.0183168"));
    assert_eq!(ledger.equity().0, dec("101667.7463168"));
    let totals = ledger.totals();
    assert_eq!(totals.fees.0, dec("75.9384832"));
    assert_eq!(totals.equity, ledger.equity());
    assert_eq!(totals.unrealised.0, dec("51779.728") - dec("49837.9882"));
}

/// First in, first out: 10 at 100.1 go to the stop (4), the stop-limit (3), the trailing stop (2) and the take-profit (1);
/// the stop-loss of the first bracket finds 5 of 99.5 in front of 5 of its own 100.1, and so on.
#[test]
fn round_trips_are_first_in_first_out() {
    let books = run();
    let trips = books.records()[0].ledger.round_trips();
    let seen = |trip: &RoundTrip| {
        let (entry, exit) = (trip.entry_price.0.normalize(), trip.exit_price.0.normalize());
        (entry.to_string(), exit.to_string(), trip.quantity.0.normalize().to_string(), trip.exit_reason.to_string())
    };
    let expected = [
        ("100.1", "97.902", "4", "stop_loss"),
        ("100.1", "96.95", "3", "stop_loss"),
        ("100.1", "97.902", "2", "trailing_stop"),
        ("100.1", "100", "1", "take_profit"),
        ("99.5", "96.903", "5", "stop_loss"),
        ("100.1", "96.903", "5", "stop_loss"),
        ("100.1", "102", "5", "take_profit"),
        ("99", "102", "5", "take_profit"),
        ("99", "100.899", "5", "signal"),
        ("101.6015", "100.899", "2", "signal"),
        // 60 at 100.3995 and 38 at 98.901 closed the rest of the lot by one order: 9782.208 ÷ 98.
        ("101.6015", "99.818448979592", "98", "close"),
        ("101", "98.901", "2", "close"),
    ];
    let seen: Vec<_> = trips.iter().map(seen).collect();
    let expected = expected.map(|(entry, exit, quantity, reason)| {
        (entry.to_owned(), exit.to_owned(), quantity.to_owned(), reason.to_owned())
    });
    assert_eq!(seen, expected);
    let gross: tiltyard_model::Decimal = trips.iter().map(|trip| trip.gross.0).sum();
    assert_eq!(gross, books.records()[0].ledger.totals().realised.0);
}

#[test]
fn every_order_ends_as_it_should() {
    let books = run();
    let finals: Vec<_> = updates(&books)
        .into_iter()
        .filter(|(_, update)| update.is_final() && update.status != OrderStatus::Filled)
        .map(|(time, update)| (time.0 / HOUR.0 - 1, update.status, update.reason.to_string()))
        .collect();
    let expected = [
        (10, OrderStatus::Cancelled, "one-cancels-other"),
        (12, OrderStatus::Cancelled, "one-cancels-other"),
        (13, OrderStatus::Cancelled, "immediate-or-cancel"),
        (14, OrderStatus::Cancelled, "fill-or-kill"),
        (15, OrderStatus::Rejected, "post-only"),
        (17, OrderStatus::Cancelled, "strategy"),
        (18, OrderStatus::Expired, ""),
    ];
    assert_eq!(finals, expected.map(|(bar, status, reason)| (bar, status, reason.to_owned())));
}
