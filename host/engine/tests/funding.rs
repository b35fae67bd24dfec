//! Funding, worked out by hand: quantity × mark × rate, longs pay shorts when the rate is above 0.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use std::sync::Arc;

use common::{A, HOUR, Stage, bars, dec, entries, executions, lane, order, perpetual};
use tiltyard_engine::venue::Costs;
use tiltyard_engine::{
    Basis, Books, Event, FundingRate, Lane, MarginMode, MarginTerms, Metrics, PerpetualSeries, TradeRow,
};
use tiltyard_model::OrderType::Market;
use tiltyard_model::Side::{Buy, Sell};
use tiltyard_model::{Decimal, Desk as _, Nanos, Side};

const FLAT: [f64; 5] = [100.0, 100.0, 100.0, 100.0, 1e6];

/// Rates at these hours.
fn paid_at(rates: &[(i64, &str)]) -> Arc<[FundingRate]> {
    rates.iter().map(|(hour, rate)| FundingRate { time: Nanos::from_hours(*hour), rate: dec(rate) }).collect()
}

fn stage(rows: &[[f64; 5]], rates: &[(i64, &str)]) -> Stage {
    let series = PerpetualSeries { funding: paid_at(rates), ..PerpetualSeries::default() };
    let lanes = Lane { perpetual: series, ..lane(bars(HOUR, rows), HOUR) };
    let stage = Stage::new(perpetual("P", 10.0), lanes);
    Stage { costs: Costs::none(), ..stage }
}

/// Held from the open of the second bar on, until the open of the fifth.
fn held(side: Side, quantity: f64, rows: &[[f64; 5]], rates: &[(i64, &str)]) -> Books {
    stage(rows, rates).play(|desk, step, _| match step {
        0 => _ = desk.submit(order(side, quantity, Market)).unwrap(),
        3 => _ = desk.close(A).unwrap(),
        _ => {}
    })
}

fn payments(books: &Books) -> Vec<(i64, Decimal)> {
    let paid = entries(books).iter().filter_map(|entry| match &entry.event {
        Event::Funding { amount, .. } => Some((entry.time.0 / HOUR.0, amount.0)),
        _ => None,
    });
    paid.collect()
}

/// Binance, "Introduction to Binance Futures Funding Rates": funding amount = nominal value of positions × funding rate.
#[test]
fn longs_pay_shorts_when_the_rate_is_above_0_and_the_other_way_round() {
    for (side, rate, amount) in
        [(Buy, "0.0001", "-1"), (Sell, "0.0001", "1"), (Buy, "-0.0001", "1"), (Sell, "-0.0001", "-1")]
    {
        let books = held(side, 100.0, &[FLAT; 6], &[(3, rate)]);
        assert_eq!(payments(&books), [(3, dec(amount))], "{side:?} {rate}");
        let ledger = &books.records()[0].ledger;
        let trip = &ledger.round_trips()[0];
        assert_eq!((trip.funding.0, trip.net.0), (dec(amount), dec(amount) - dec("20")));
        let totals = ledger.totals();
        assert_eq!((totals.funding.0, totals.equity), (dec(amount), ledger.equity()));
        assert_eq!(ledger.equity().0, dec("100000") - dec("20") + dec(amount));
    }
}

#[test]
fn whoever_holds_at_the_instant_pays_and_nobody_else() {
    // Sent at the close of the first hour it trades at once; sent at the close of the fourth it has been held until then.
    let rates = [(1, "0.0001"), (2, "0.0001"), (4, "0.0001"), (5, "0.0001")];
    assert_eq!(payments(&held(Buy, 100.0, &[FLAT; 7], &rates)), [(2, dec("-1")), (4, dec("-1"))]);
}

#[test]
fn funding_is_taken_at_the_mark_and_rounded_against_the_strategy() {
    // 3.333 × 99.99 = 333.26667; × 0.00012345 = 0.0411417704…
    let rows = [FLAT, FLAT, [100.0, 100.0, 99.0, 99.99, 1e6], FLAT, FLAT, FLAT];
    let amounts = |side, rate| payments(&held(side, 3.333, &rows, &[(3, rate)]))[0].1;
    assert_eq!(amounts(Buy, "0.00012345"), dec("-0.04114178"));
    assert_eq!(amounts(Sell, "0.00012345"), dec("0.04114177"));
    assert_eq!(amounts(Buy, "-0.00012345"), dec("0.04114177"));
    assert_eq!(amounts(Sell, "-0.00012345"), dec("-0.04114178"));
}

#[test]
fn a_round_trip_has_the_funding_of_its_own_lots_and_all_of_them_the_whole() {
    let rates = [(2, "0.0003"), (3, "0.00007"), (4, "-0.0001")];
    let books = stage(&[FLAT; 7], &rates).play(|desk, step, _| match step {
        0 => _ = desk.submit(order(Buy, 1.0, Market)).unwrap(),
        1 => _ = desk.submit(order(Buy, 2.0, Market)).unwrap(),
        3 => _ = desk.submit(order(Sell, 2.0, Market)).unwrap(),
        5 => _ = desk.close(A).unwrap(),
        _ => {}
    });
    // The first lot paid 0.03, 0.007 and received 0.01; the second 0.014 and 0.02, for 1 of 2 half of it.
    let trips: Vec<_> = books.records()[0].ledger.round_trips().iter().map(|trip| trip.funding.0.normalize()).collect();
    assert_eq!(trips, ["-0.027", "0.003", "0.003"].map(dec));
    let record = &books.records()[0];
    let basis = Basis { begin: Nanos(0), interval: HOUR, sampled: false, days_per_year: 365.0 };
    assert_eq!(Metrics::of(record, &basis).funding, -0.021);
    assert_eq!(TradeRow::all(record, &["P".to_owned()])[0].funding, -0.027);
}

#[test]
fn an_isolated_position_pays_out_of_its_margin_until_it_is_used_up() {
    // Margin of 10 for 1 at 100, of which 5 must be left: 4.99 are still paid, and 0.02 more are too much.
    for (rates, margin, gone) in [(vec![(3, "0.0499")], "5.01", false), (vec![(3, "0.0499"), (4, "0.0002")], "0", true)]
    {
        let stage = stage(&[FLAT; 6], &rates);
        let stage = Stage { margin: MarginTerms { mode: MarginMode::Isolated, leverage: None }, ..stage };
        let books = stage.play(|desk, step, _| {
            if step == 0 {
                desk.submit(order(Buy, 1.0, Market)).unwrap();
            }
        });
        let holding = books.records()[0].ledger.holding(A).unwrap();
        assert_eq!((holding.margin().0, holding.quantity().is_zero()), (dec(margin), gone), "{rates:?}");
        let last =
            executions(&books).last().map(|execution| (execution.reason.to_string(), execution.price.0)).unwrap();
        assert_eq!(last.0 == "liquidation", gone, "{last:?}");
        assert_eq!(last.1, dec("100"), "at the mark");
    }
}

#[test]
fn payments_inside_a_long_bar_are_made_at_its_close() {
    let series = PerpetualSeries { funding: paid_at(&[(1, "0.0001"), (5, "0.0002"), (8, "0.0003")]), marks: None };
    let four = Nanos::from_hours(4);
    let lanes = Lane { perpetual: series, ..lane(bars(four, &[FLAT; 3]), four) };
    let stage = Stage { costs: Costs::none(), ..Stage::new(perpetual("P", 10.0), lanes) };
    let books = stage.play(|desk, step, _| {
        if step == 0 {
            desk.submit(order(Buy, 100.0, Market)).unwrap();
        }
    });
    assert_eq!(payments(&books), [(8, dec("-2")), (8, dec("-3"))]);
}
