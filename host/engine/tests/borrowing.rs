//! Spot on margin, worked out by hand: interest is loan × rate of a day ÷ 24 for each full hour.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::{A, HOUR, Stage, bars, dec, entries, executions, lane, order, perpetual, spot};
use tiltyard_engine::venue::Costs;
use tiltyard_engine::{Basis, Books, Event, FundingRate, Lane, MarginMode, MarginTerms, Metrics, PerpetualSeries};
use tiltyard_model::OrderType::Market;
use tiltyard_model::Side::{Buy, Sell};
use tiltyard_model::{
    BorrowRates, Decimal, Desk as _, Instrument, InstrumentIndex, InstrumentKind, MarginRules, MarginTier, Nanos,
    OrderRequest, Side, StopLoss,
};

const FLAT: [f64; 5] = [100.0, 100.0, 100.0, 100.0, 1e6];

/// 2 basis points a day on what is sold short, 4 on money.
fn on_margin(symbol: &str) -> Instrument {
    let borrowing = BorrowRates { base: 0.000_2, quote: 0.000_4 };
    let margin = MarginRules { borrowing, ..MarginRules::default() };
    Instrument { kind: InstrumentKind::SpotMargin, margin, ..perpetual(symbol, 5.0) }
}

fn stage(rows: &[[f64; 5]], interval: Nanos) -> Stage {
    Stage { costs: Costs::none(), ..Stage::new(on_margin("M"), lane(bars(interval, rows), interval)) }
}

/// Held from the open of the second bar on, until the open of the fifth.
fn held(stage: Stage, side: Side, quantity: f64) -> Books {
    stage.play(|desk, step, _| match step {
        0 => _ = desk.submit(order(side, quantity, Market)).unwrap(),
        3 => _ = desk.close(A).unwrap(),
        _ => {}
    })
}

/// When, on how much and how much was paid.
fn interest(books: &Books) -> Vec<(i64, Decimal, Decimal)> {
    let paid = entries(books).iter().filter_map(|entry| match &entry.event {
        Event::Interest { borrowed, amount, .. } => Some((entry.time.0 / HOUR.0, borrowed.0, amount.0)),
        _ => None,
    });
    paid.collect()
}

fn paid(rows: &[(i64, &str, &str)]) -> Vec<(i64, Decimal, Decimal)> {
    rows.iter().map(|(hour, borrowed, amount)| (*hour, dec(borrowed), dec(amount))).collect()
}

#[test]
fn a_purchase_beyond_the_cash_borrows_what_is_missing() {
    // 200,000 are bought with 100,000 less a fee of 200; 100,200 × 0.0004 ÷ 24 = 1.67, which is borrowed too.
    let books = held(stage(&[FLAT; 7], HOUR), Buy, 2_000.0);
    let expected = paid(&[(2, "100200", "1.67"), (3, "100201.67", "1.67002784"), (4, "100203.34002784", "1.67005567")]);
    assert_eq!(interest(&books), expected);
    let ledger = &books.records()[0].ledger;
    let totals = ledger.totals();
    assert_eq!((totals.interest.0, totals.funding.0), (dec("5.01008351"), Decimal::ZERO));
    assert_eq!(ledger.equity().0, dec("100000") - dec("400") - dec("5.01008351"));
    let trip = &ledger.round_trips()[0];
    assert_eq!((trip.funding.0, trip.net.0), (dec("-5.01008351"), dec("-405.01008351")));
    let basis = Basis { begin: Nanos(0), interval: HOUR, sampled: false, days_per_year: 365.0 };
    assert_eq!(Metrics::of(&books.records()[0], &basis).interest, 5.010_083_51);
}

#[test]
fn what_own_cash_pays_for_is_not_lent() {
    assert_eq!(interest(&held(stage(&[FLAT; 7], HOUR), Buy, 900.0)), []);
}

#[test]
fn a_short_sale_borrows_what_it_sells_at_the_mark() {
    // 100 at 100 are 10,000, × 0.0002 ÷ 24 = 0.08333…; at 120 they are 12,000.
    let up = [120.0, 120.0, 120.0, 120.0, 1e6];
    let books = held(stage(&[FLAT, FLAT, FLAT, up, up, up], HOUR), Sell, 100.0);
    let expected = paid(&[(2, "10000", "0.08333334"), (3, "10000", "0.08333334"), (4, "12000", "0.1")]);
    assert_eq!(interest(&books), expected);
}

#[test]
fn an_isolated_position_borrows_what_its_margin_does_not_pay_for() {
    // A fifth of 50,000 is put aside, 40,000 are borrowed × 0.0004 ÷ 24 = 0.66666667, which comes out of the margin.
    let stage = stage(&[FLAT; 7], HOUR);
    let stage = Stage { margin: MarginTerms { mode: MarginMode::Isolated, leverage: None }, ..stage };
    let books = stage.play(|desk, step, _| {
        if step == 0 {
            desk.submit(order(Buy, 500.0, Market)).unwrap();
        }
    });
    assert_eq!(interest(&books)[..2], paid(&[(2, "40000", "0.66666667"), (3, "40000.66666667", "0.66667778")]));
    let margin = books.records()[0].ledger.holding(A).unwrap().margin();
    assert_eq!(margin.0, dec("10000") - interest(&books).iter().map(|(_, _, amount)| amount).sum::<Decimal>());
}

/// What was paid at two o'clock by whoever bought or sold these quantities of two instruments at one.
fn two(quantities: [(Side, f64); 2]) -> Vec<(i64, Decimal, Decimal)> {
    let stage = stage(&[FLAT; 6], HOUR).with(on_margin("N"), lane(bars(HOUR, &[FLAT; 6]), HOUR));
    let books = stage.play(|desk, step, _| {
        for (at, (side, quantity)) in (0..).zip(quantities).filter(|_| step == 0) {
            let request = OrderRequest { instrument: InstrumentIndex(at), ..order(side, quantity, Market) };
            desk.submit(request).unwrap();
        }
    });
    interest(&books).into_iter().filter(|(hour, ..)| *hour == 2).collect()
}

#[test]
fn the_proceeds_of_a_short_sale_pay_for_a_purchase() {
    // 150,000 bought with 100,000 of cash less fees of 210, and with 60,000 of the sale: only the sold coins are borrowed.
    assert_eq!(two([(Sell, 600.0), (Buy, 1_500.0)]), paid(&[(2, "60000", "0.5")]));
}

#[test]
fn purchases_share_a_loan_by_what_they_cost() {
    // 150,000 less 100,000 of cash, and fees of 150: two thirds of 50,150 are lent for the first.
    let expected = paid(&[(2, "33433.33333333", "0.55722223"), (2, "16716.66666667", "0.27861112")]);
    assert_eq!(two([(Buy, 1_000.0), (Buy, 500.0)]), expected);
}

#[test]
fn a_bar_of_many_hours_is_charged_for_all_of_them_at_once() {
    let four = Nanos::from_hours(4);
    let books = held(stage(&[FLAT; 7], four), Sell, 100.0);
    assert_eq!(interest(&books)[0], (8, dec("10000"), dec("0.33333334")));
    assert_eq!(interest(&books).len(), 3);
    // Half hours: what is borrowed when an hour is full is paid for that hour.
    let half = Nanos(HOUR.0 / 2);
    let hours: Vec<_> = interest(&held(stage(&[FLAT; 9], half), Sell, 100.0)).iter().map(|(hour, ..)| *hour).collect();
    assert_eq!(hours, [1, 2]);
}

/// A stop inside the bar of the entry, at its close as far as bars can tell; and what is still held when the bars end.
#[test]
fn what_is_borrowed_inside_a_bar_is_paid_for() {
    let day = Nanos::from_hours(24);
    let rows = [FLAT, [100.0, 100.0, 98.0, 99.0, 1e6], FLAT, FLAT];
    let books = stage(&rows, day).play(|desk, step, _| match step {
        0 => {
            let stop = Some(StopLoss::Fixed(98.5));
            desk.submit(OrderRequest { stop_loss: stop, ..order(Buy, 2_000.0, Market) }).unwrap();
        }
        2 => _ = desk.submit(order(Sell, 100.0, Market)).unwrap(),
        _ => {}
    });
    // 100,200 for a day; then 10,000 of what was sold, for the day until the end.
    assert_eq!(interest(&books), paid(&[(48, "100200", "40.08"), (96, "10000", "2")]));
    let trip = &books.records()[0].ledger.round_trips()[0];
    assert_eq!((trip.exit_reason.as_ref(), trip.funding.0), ("stop_loss", dec("-40.08")));
}

#[test]
fn interest_uses_up_the_margin_until_the_position_is_closed_by_force() {
    // A tenth a day on 80 of 100, with margin of 20 of which 19 must be left: 1 ÷ (80 × 0.1 ÷ 24) is more than three hours.
    let mut instrument = on_margin("M");
    instrument.margin.borrowing.quote = 0.1;
    instrument.margin.tiers = vec![MarginTier { up_to: None, maintenance: 0.19, max_leverage: 5.0 }];
    let stage = Stage { instruments: vec![(instrument, HOUR)], ..stage(&[FLAT; 9], HOUR) };
    let stage = Stage { margin: MarginTerms { mode: MarginMode::Isolated, leverage: None }, ..stage };
    let books = stage.play(|desk, step, _| {
        if step == 0 {
            desk.submit(order(Buy, 1.0, Market)).unwrap();
        }
    });
    let last = executions(&books).last().map(|execution| (execution.reason.to_string(), execution.price.0)).unwrap();
    assert_eq!(last, ("liquidation".to_owned(), dec("100")));
    assert_eq!(interest(&books).len(), 3, "0.33, 0.34 and 0.34 are too much together");
}

#[test]
fn on_spot_that_is_owned_nothing_is_lent_and_spot_on_margin_has_no_funding() {
    let owned = Stage::new(spot("S"), lane(bars(HOUR, &[FLAT; 6]), HOUR));
    let books = owned.play(|desk, step, _| {
        if step == 0 {
            assert_eq!(desk.submit(order(Sell, 1.0, Market)).unwrap_err()[0].rule, "insufficient-funds");
            assert_eq!(desk.submit(order(Buy, 2_000.0, Market)).unwrap_err()[0].rule, "insufficient-funds");
            desk.submit(order(Buy, 500.0, Market)).unwrap();
        }
    });
    assert_eq!(interest(&books), []);
    let rates = [FundingRate { time: Nanos::from_hours(3), rate: dec("0.01") }];
    let series = PerpetualSeries { funding: rates.into(), ..PerpetualSeries::default() };
    let lanes = Lane { perpetual: series, ..lane(bars(HOUR, &[FLAT; 7]), HOUR) };
    let books = held(Stage { lanes: vec![lanes], ..stage(&[FLAT; 7], HOUR) }, Sell, 100.0);
    assert_eq!(books.records()[0].ledger.totals().funding.0, Decimal::ZERO);
}
