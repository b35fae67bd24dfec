//! Positions whose margin is used up, worked out by hand.
//!
//! Leverage of 10 and so 5 % of maintenance margin, 0.1 % for a taker, 0.5 % for a liquidation, no slippage. What is sent at the
//! close of bar 0 trades at the open of bar 1.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use std::sync::Arc;

use common::{A, B, HOUR, News, Stage, bars, dec, executions, lane, order, perpetual, updates};
use tiltyard_engine::venue::{Costs, SimulatedVenue};
use tiltyard_engine::{Books, Execution, Kernel, Lane, Log, MarginMode, MarginTerms, PerpetualSeries, Profile, Setup};
use tiltyard_model::OrderType::{Limit, Market, StopMarket, TakeProfit};
use tiltyard_model::Side::{Buy, Sell};
use tiltyard_model::{Decimal, Desk as _, Instrument, MarginRules, MarginTier, Nanos, OrderRequest, OrderStatus, Side};

const QUIET: [f64; 5] = [100.0, 100.0, 100.0, 100.0, 1e6];

fn instrument(symbol: &str) -> Instrument {
    let margin = MarginRules { liquidation_fee: 0.005, ..MarginRules::default() };
    Instrument { margin, ..perpetual(symbol, 10.0) }
}

fn stage(mode: MarginMode, cash: &'static str, rows: &[[f64; 5]]) -> Stage {
    let stage = Stage::new(instrument("P"), lane(bars(HOUR, rows), HOUR));
    Stage { costs: Costs::none(), cash, margin: MarginTerms { mode, leverage: None }, ..stage }
}

/// Sends this at the close of the first bar.
fn after_the_first(requests: &[OrderRequest]) -> impl FnMut(&mut common::Desk, usize, &News) {
    move |desk, step, _| {
        if step == 0 {
            requests.iter().for_each(|request| _ = desk.submit(request.clone()).unwrap());
        }
    }
}

/// One isolated position of 10 over one bar, after which nothing happens.
fn isolated(side: Side, row: [f64; 5]) -> Books {
    let rows = [QUIET, QUIET, row, [row[3], row[3], row[3], row[3], 1e6]];
    stage(MarginMode::Isolated, "1000", &rows).play(after_the_first(&[order(side, 10.0, Market)]))
}

fn liquidated(books: &Books) -> Vec<&Execution> {
    executions(books).into_iter().filter(|execution| execution.reason == "liquidation").collect()
}

fn price(books: &Books) -> Option<Decimal> {
    liquidated(books).first().map(|execution| execution.price.0)
}

/// Bought for 1000 with 100 of margin: (1000 − 100) ÷ (10 × 0.95). It brings 947.36842105, of which 0.94736843 and 4.73684211
/// are fees, and the entry cost 1.
#[test]
fn a_long_position_is_closed_at_its_liquidation_price_with_both_fees() {
    let books = isolated(Buy, [99.0, 99.0, 94.0, 98.0, 1e6]);
    let execution = liquidated(&books)[0];
    assert_eq!(execution.price.0, dec("94.736842105264"));
    assert_eq!((execution.fee.0, execution.liquidation_fee.0), (dec("0.94736843"), dec("4.73684211")));
    let record = &books.records()[0];
    assert_eq!(record.ledger.equity().0, dec("940.68421051"));
    assert_eq!(record.ledger.totals().equity, record.ledger.equity());
    let trip = &record.ledger.round_trips()[0];
    assert_eq!((trip.gross.0, trip.fees.0), (dec("-52.63157895"), dec("1.94736843")));
    assert_eq!((trip.net.0, &*trip.exit_reason), (dec("-59.31578949"), "liquidation"));
    assert_eq!(record.halted_by(), None, "the strategy goes on");
}

#[test]
fn a_position_is_liquidated_where_the_mark_reaches_the_price_and_not_before() {
    for (side, row, expected) in [
        (Buy, [99.0, 99.0, 94.736_842_2, 98.0, 1e6], None),
        (Buy, [99.0, 99.0, 94.7, 98.0, 1e6], Some("94.736842105264")),
        // Sold for 1000 with 100 of margin: 1100 ÷ (10 × 1.05).
        (Sell, [101.0, 104.761_904, 101.0, 102.0, 1e6], None),
        (Sell, [101.0, 104.77, 101.0, 102.0, 1e6], Some("104.761904761904")),
        // Opened beyond: at the open. Beyond 90 or 110 nothing is left: there the insurance takes over.
        (Buy, [93.0, 99.0, 93.0, 98.0, 1e6], Some("93")),
        (Buy, [80.0, 99.0, 70.0, 98.0, 1e6], Some("90")),
        (Sell, [107.0, 107.0, 100.0, 100.0, 1e6], Some("107")),
        (Sell, [150.0, 160.0, 100.0, 100.0, 1e6], Some("110")),
    ] {
        let books = isolated(side, row);
        assert_eq!(price(&books), expected.map(dec), "{side:?} {row:?}");
        assert_eq!(books.records()[0].ledger.is_flat(), expected.is_some());
    }
}

#[test]
fn an_isolated_position_loses_its_margin_and_no_more() {
    for (side, row) in [(Buy, [80.0, 99.0, 70.0, 98.0, 1e6]), (Sell, [150.0, 160.0, 100.0, 100.0, 1e6])] {
        let books = isolated(side, row);
        // 100 of margin, and 1 of fee for the entry.
        assert_eq!(books.records()[0].ledger.equity().0, dec("899"), "{side:?}");
        assert_eq!(liquidated(&books)[0].fee.0, dec("0"), "nothing is left for it");
    }
    // 0.5 a piece is left at 90.5: 5 in all, of which 0.905 for the taker's fee; 4.525 of liquidation are more than the rest.
    let books = isolated(Buy, [90.5, 90.5, 90.0, 90.0, 1e6]);
    let execution = liquidated(&books)[0];
    assert_eq!((execution.fee.0, execution.liquidation_fee.0), (dec("0.905"), dec("4.095")));
    assert_eq!(books.records()[0].ledger.equity().0, dec("899"));
}

#[test]
fn a_stop_before_the_liquidation_comes_first_and_one_beyond_never() {
    let row = [99.0, 99.0, 90.0, 98.0, 1e6];
    let play = |trigger: f64| {
        let stop = OrderRequest { reduce_only: true, ..order(Sell, 10.0, StopMarket(trigger)) };
        let rows = [QUIET, QUIET, row, QUIET];
        stage(MarginMode::Isolated, "1000", &rows).play(move |desk, step, _| match step {
            0 => _ = desk.submit(order(Buy, 10.0, Market)).unwrap(),
            1 => _ = desk.submit(stop.clone()).unwrap(),
            _ => {}
        })
    };
    let stopped = play(95.0);
    assert_eq!(liquidated(&stopped).len(), 0);
    assert_eq!(executions(&stopped)[1].price.0, dec("95"));
    let books = play(91.0);
    assert_eq!(price(&books), Some(dec("94.736842105264")));
    let told = updates(&books).into_iter().map(|(_, update)| (update.status, &*update.reason));
    let told: Vec<_> = told.filter(|(_, reason)| !reason.is_empty()).collect();
    let expected = [(OrderStatus::Cancelled, "liquidation"), (OrderStatus::Liquidated, "liquidation")];
    assert_eq!(told, expected, "orders end first");
}

#[test]
fn a_bar_that_touches_target_and_liquidation_liquidates() {
    let target = OrderRequest { reduce_only: true, ..order(Sell, 10.0, TakeProfit(103.0)) };
    let rows = [QUIET, QUIET, [99.0, 105.0, 90.0, 98.0, 1e6], QUIET];
    let books = stage(MarginMode::Isolated, "1000", &rows).play(move |desk, step, _| match step {
        0 => _ = desk.submit(order(Buy, 10.0, Market)).unwrap(),
        1 => _ = desk.submit(target.clone()).unwrap(),
        _ => {}
    });
    assert_eq!(executions(&books).len(), 2);
    assert_eq!(price(&books), Some(dec("94.736842105264")));
}

#[test]
fn what_was_entered_in_a_bar_may_be_liquidated_in_it() {
    let rows = [QUIET, [100.0, 101.0, 90.0, 98.0, 1e6], QUIET];
    let books = stage(MarginMode::Isolated, "1000", &rows).play(after_the_first(&[order(Buy, 10.0, Limit(99.0))]));
    // Bought for 1000 at the open of 100, which is better than nothing: a limit of 99 waits until 98.99.
    let entry = executions(&books)[0].price.0;
    assert_eq!(entry, dec("99"));
    assert_eq!(price(&books).unwrap().round_dp(6), dec("93.789474"), "(990 − 99) ÷ 9.5");
}

#[test]
fn a_strategy_is_told_of_its_liquidation_and_of_all_it_cost() {
    let rows = [QUIET, QUIET, [99.0, 99.0, 94.0, 98.0, 1e6], QUIET];
    let mut told = Vec::new();
    stage(MarginMode::Isolated, "1000", &rows).play(|desk, step, news| {
        if step == 0 {
            desk.submit(order(Buy, 10.0, Market)).unwrap();
        }
        if step == 2 {
            told.extend(news.updates.iter().map(|update| (update.status, update.reason.clone())));
            assert_eq!((news.fills[0].fee, news.fills[0].tag.as_str()), (5.684_210_54, "liquidation"));
        }
    });
    let expected = [(OrderStatus::Accepted, ""), (OrderStatus::Liquidated, "liquidation")];
    assert_eq!(told, expected.map(|(status, reason)| (status, reason.to_owned())));
}

/// 60 of A and 30 of B bought at 100 with 1,000: the fees of 9 leave 991. While B stands at 100 and needs 150, A stands until
/// (6000 − 841) ÷ (60 × 0.95).
#[test]
fn under_cross_margin_all_cash_stands_for_every_position() {
    let play = |low: f64, last: [f64; 5]| {
        let fallen = [99.0, 99.0, low, 98.0, 1e6];
        let other = lane(bars(HOUR, &[QUIET, QUIET, QUIET, last]), HOUR);
        let rows = [QUIET, QUIET, fallen, [98.0, 98.0, 98.0, 98.0, 1e6]];
        let stage = stage(MarginMode::Cross, "1000", &rows).with(instrument("Q"), other);
        stage.play(after_the_first(&[
            order(Buy, 60.0, Market),
            OrderRequest { instrument: B, ..order(Buy, 30.0, Market) },
        ]))
    };
    let safe = play(90.51, QUIET);
    assert_eq!(liquidated(&safe).len(), 0);
    let books = play(90.0, QUIET);
    let gone: Vec<_> = liquidated(&books).iter().map(|execution| (execution.instrument, execution.price.0)).collect();
    assert_eq!(gone, [(A, dec("90.508771929825"))], "what is left carries the other");
    // 991 − 569.47368422 − 5.43052632 − 27.15263158
    let ledger = &books.records()[0].ledger;
    assert_eq!((ledger.equity().0, ledger.position(B).0), (dec("388.94315788"), dec("30")));
    let both = play(90.0, [99.0, 99.0, 91.0, 92.0, 1e6]);
    assert_eq!(liquidated(&both).len(), 2, "until its own price is reached");
}

/// A fall of A by 12 costs 720 of the 991 and leaves less than the 264 + 150 that both need; without A it is enough for B. A fall
/// by 50 leaves nothing, so that B goes at its mark.
#[test]
fn a_gap_under_cross_margin_takes_what_is_not_carried_and_leaves_no_debt() {
    for (open, gone) in [(88.0, 1), (50.0, 2)] {
        let rows = [QUIET, QUIET, [open, open, open, open, 1e6], [open, open, open, open, 1e6]];
        let other = lane(bars(HOUR, &[QUIET; 4]), HOUR);
        let stage = stage(MarginMode::Cross, "1000", &rows).with(instrument("Q"), other);
        let books = stage.play(after_the_first(&[
            order(Buy, 60.0, Market),
            OrderRequest { instrument: B, ..order(Buy, 30.0, Market) },
        ]));
        let ledger = &books.records()[0].ledger;
        assert_eq!(liquidated(&books).len(), gone, "{open}");
        assert!(ledger.cash().0 >= Decimal::ZERO, "{open}");
        assert_eq!(ledger.equity().0.is_zero(), gone == 2, "{open}: {}", ledger.equity());
    }
}

#[test]
fn the_mark_liquidates_and_values_while_fills_go_by_the_last_price() {
    let calm = [[100.0, 100.0, 100.0, 100.0, 0.0]; 4];
    let play = |rows: [[f64; 5]; 4], marks: [[f64; 5]; 4]| {
        let perpetual = PerpetualSeries { marks: Some(Arc::new(bars(HOUR, &marks))), ..PerpetualSeries::default() };
        let lanes = vec![Lane { perpetual, ..lane(bars(HOUR, &rows), HOUR) }];
        let stage = Stage { lanes, ..stage(MarginMode::Isolated, "1000", &rows) };
        stage.play(after_the_first(&[order(Buy, 10.0, Market)]))
    };
    let wild = [QUIET, QUIET, [99.0, 99.0, 60.0, 98.0, 1e6], QUIET];
    let spared = play(wild, calm);
    assert_eq!(liquidated(&spared).len(), 0, "the last price alone does nothing");
    let mut marks = calm;
    marks[2] = [100.0, 100.0, 94.0, 96.0, 0.0];
    assert_eq!(price(&play([QUIET; 4], marks)), Some(dec("94.736842105264")));
    marks[2][2] = 95.0;
    marks[3] = [96.0, 97.0, 96.0, 97.0, 0.0];
    let held = play([QUIET; 4], marks);
    let holding = held.records()[0].ledger.holding(A).unwrap();
    assert_eq!((holding.last_mark().unwrap().0, holding.unrealised().0), (dec("97"), dec("-30")));
    assert_eq!(executions(&held)[0].price.0, dec("100"));
}

/// Margin is 1000 ÷ 10; adding 5 at 100 makes it 150; closing 6 of 15 leaves nine fifteenths; turning to −2 leaves 20.
#[test]
fn margin_is_put_aside_at_the_entry_and_taken_back_at_the_exit() {
    let mut margins = Vec::new();
    let books = stage(MarginMode::Isolated, "1000", &[QUIET; 7]).play(|desk, step, _| match step {
        0 => _ = desk.submit(order(Buy, 10.0, Market)).unwrap(),
        1 => _ = desk.submit(order(Buy, 5.0, Market)).unwrap(),
        2 => _ = desk.submit(order(Sell, 6.0, Market)).unwrap(),
        3 => _ = desk.submit(order(Sell, 11.0, Market)).unwrap(),
        4 => _ = desk.close(A).unwrap(),
        _ => {}
    });
    for entry in common::entries(&books) {
        if let tiltyard_engine::Event::Margin { margin, .. } = &entry.event {
            margins.push(margin.0);
        }
    }
    assert_eq!(margins, ["100", "150", "90", "20", "0"].map(dec));
}

/// 10 bought at 100 and 10 at 120 with 220 of margin; closing 10 leaves 110 for 10 at the average price of 110, whichever lot goes:
/// (1100 − 110) ÷ 9.5.
#[test]
fn an_isolated_position_is_liquidated_by_the_average_price_of_its_entries() {
    let high = [120.0, 120.0, 120.0, 120.0, 1e6];
    let rows = [QUIET, QUIET, high, high, [110.0, 110.0, 104.0, 105.0, 1e6], high];
    let books = stage(MarginMode::Isolated, "1000", &rows).play(|desk, step, _| match step {
        0 => _ = desk.submit(order(Buy, 10.0, Market)).unwrap(),
        1 => _ = desk.submit(order(Buy, 10.0, Market)).unwrap(),
        2 => _ = desk.submit(order(Sell, 10.0, Market)).unwrap(),
        _ => {}
    });
    assert_eq!(price(&books).unwrap().round_dp(6), dec("104.210526"));
    // Of 1,000: 200 earned with the first lot, 157.894737 lost with the second, and fees of 1 + 1.2 + 1.2 + 6.252632.
    assert_eq!(books.records()[0].ledger.equity().0.round_dp(6), dec("1032.452632"));
}

/// 1,000 carry 10,000 less the fee of 0.1 %: 1000 × 10 ÷ (100 × 1.01) is 99.0099.
#[test]
fn free_cash_bounds_what_an_isolated_position_may_become() {
    let books = stage(MarginMode::Isolated, "1000", &[QUIET; 4]).play(|desk, step, _| match step {
        0 => _ = desk.submit(order(Buy, 99.5, Market)).unwrap(),
        1 => {
            let refused = desk.submit(order(Buy, 2.0, Market)).unwrap_err();
            assert_eq!(refused[0].rule, "insufficient-margin");
        }
        _ => {}
    });
    let ledger = &books.records()[0].ledger;
    assert_eq!(ledger.position(A).0, dec("99.009"), "what cash does not pay is cut off");
    assert!(ledger.cash().0 - ledger.holding(A).unwrap().margin().0 >= Decimal::ZERO);
}

#[test]
fn tiers_bound_a_position_by_the_leverage_that_is_used() {
    let tiers = vec![
        MarginTier { up_to: Some(5_000.0), maintenance: 0.02, max_leverage: 10.0 },
        MarginTier { up_to: Some(20_000.0), maintenance: 0.05, max_leverage: 5.0 },
    ];
    let margin = MarginRules { tiers, ..MarginRules::default() };
    let most = |leverage: Option<&str>, quantity: f64| {
        let mut stage = stage(MarginMode::Cross, "100000", &[QUIET; 3]);
        stage.instruments[0].0.margin = margin.clone();
        stage.margin.leverage = leverage.map(dec);
        let mut rules = Vec::new();
        stage.play(|desk, step, _| {
            if step == 0 {
                let answer = desk.submit(order(Buy, quantity, Market)).err().unwrap_or_default();
                rules.extend(answer.into_iter().map(|violation| violation.rule));
            }
        });
        rules
    };
    assert_eq!(most(None, 50.0), [""; 0]);
    assert_eq!(most(None, 50.001), ["position-limit"]);
    assert_eq!(most(Some("5"), 200.0), [""; 0]);
    assert_eq!(most(Some("2"), 200.001), ["position-limit"]);
}

type Act = fn(&mut common::Desk, usize, &News);

#[test]
fn a_leverage_that_the_venue_does_not_allow_is_an_error() {
    let made = |leverage: &str| {
        let stage = stage(MarginMode::Cross, "1000", &[QUIET; 2]);
        let setup = Setup {
            instruments: stage.instruments.clone(),
            venue: SimulatedVenue::new(Profile::Conservative.rules(stage.costs), stage.latency, 7, 1),
            risk: stage.risk.clone(),
            venture: tiltyard_risk::Venture::Simulated,
            margin: MarginTerms { leverage: Some(dec(leverage)), ..MarginTerms::default() },
            guard: None,
            overseer: None,
            log: Log::keeping(),
            begin: Nanos(0),
        };
        let kernel = Kernel::<_, common::Script<Act>>::new(setup, vec![]);
        kernel.map(|_| ()).map_err(|error| error.to_string())
    };
    assert_eq!(made("10"), Ok(()));
    assert_eq!(made("10.5").unwrap_err(), "P: a leverage of 10.5 is not allowed; it takes 1 to 10");
    assert!(made("0.9").is_err());
}
