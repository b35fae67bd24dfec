//! `target`: hold this fraction of equity.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::{A, HOUR, Stage, bars, dec, executions, lane, order, perpetual, spot, updates};
use tiltyard_engine::{Books, Kernel, Log, Player, Setup};
use tiltyard_model::{Desk as _, HostStop, Money, Nanos, OrderStatus, OrderType, Side, StopLoss};

/// The price stays at 100 unless a row says otherwise.
fn stage(rows: &[[f64; 5]]) -> Stage {
    Stage::new(perpetual("P", 2.0), lane(bars(HOUR, rows), HOUR))
}

const CALM: [f64; 5] = [100.0, 100.0, 100.0, 100.0, 1e6];

fn quantities(books: &Books) -> Vec<String> {
    executions(books).iter().map(|fill| fill.signed().0.normalize().to_string()).collect()
}

#[test]
fn acts_only_on_a_change() {
    let mut answers = Vec::new();
    let books = stage(&[CALM; 8]).play(|desk, step, _| {
        let fraction = [0.5, 0.5, 0.5, 0.25, 0.25, 0.0, 0.0][step.min(6)];
        answers.push(desk.target(A, fraction, None).unwrap().is_some());
    });
    assert_eq!(answers, [true, false, false, true, false, true, false, false]);
    // 100,000 × 0.5 ÷ (100.1 × 1.001) = 499.0009…, and half of it of what the costs have left.
    let quantities = quantities(&books);
    assert_eq!(quantities.len(), 3);
    assert_eq!(quantities[0], "499.001");
    assert!(books.records()[0].ledger.is_flat());
}

#[test]
fn turns_from_long_to_short_in_one_order() {
    let books = stage(&[CALM; 4]).play(|desk, step, _| match step {
        0 => _ = desk.target(A, 0.5, None).unwrap(),
        1 => _ = desk.target(A, -0.5, None).unwrap(),
        _ => {}
    });
    let ledger = &books.records()[0].ledger;
    assert_eq!(executions(&books).len(), 2);
    assert!(ledger.position(A).0 < dec("-498"), "{}", ledger.position(A));
    assert_eq!(ledger.round_trips().len(), 1);
    assert_eq!(ledger.totals().equity, ledger.equity());
}

/// Contract: "or when the position was closed since by anything else".
#[test]
fn comes_back_after_a_stop() {
    let fall = [100.0, 100.0, 90.0, 95.0, 1e6];
    let books = stage(&[CALM, CALM, fall, CALM, CALM]).play(|desk, _, _| {
        desk.target(A, 0.5, Some(StopLoss::Fixed(92.0))).unwrap();
    });
    let reasons: Vec<_> = executions(&books).iter().map(|fill| (fill.side, fill.reason.to_string())).collect();
    let expected = [(Side::Buy, "target"), (Side::Sell, "stop_loss"), (Side::Buy, "target")];
    assert_eq!(reasons, expected.map(|(side, reason)| (side, reason.to_owned())));
}

#[test]
fn moves_the_stop_without_trading_when_only_the_stop_changes() {
    let books = stage(&[CALM, CALM, CALM, [100.0, 100.0, 96.5, 97.0, 1e6]]).play(|desk, step, _| {
        let stop = if step < 2 { 92.0 } else { 97.0 };
        if step < 3 {
            desk.target(A, 0.5, Some(StopLoss::Fixed(stop))).unwrap();
        }
    });
    let fills = executions(&books);
    assert_eq!(fills.len(), 2);
    // 97 less 0.1 %.
    assert_eq!(fills[1].price.0, dec("96.903"));
    assert!(updates(&books).iter().any(|(_, update)| update.reason == "new-stop"));
}

#[test]
fn what_an_earlier_target_left_unfilled_makes_way() {
    let thin = [100.0, 100.0, 100.0, 100.0, 1_000.0];
    let books = stage(&[CALM, thin, thin, thin, thin]).play(|desk, step, _| {
        desk.target(A, if step < 1 { 0.5 } else { 0.1 }, None).unwrap();
    });
    let cancelled = updates(&books).into_iter().find(|(_, update)| update.status == OrderStatus::Cancelled).unwrap();
    assert_eq!((cancelled.1.reason.as_ref(), cancelled.1.filled.0), ("new-target", dec("100")));
    // A tenth of 1,000 was bought before; a tenth of the equity is a lot less than the 100 that are held.
    let held = books.records()[0].ledger.position(A).0;
    assert!(held > dec("99") && held < dec("100"), "{held}");
}

/// A host-managed stop of 2 × ATR(3), where every bar has a range of 4: 8 below the entry.
#[test]
fn the_host_keeps_the_stop_that_the_manifest_asks_for() {
    let wide = [100.0, 102.0, 98.0, 100.0, 1e6];
    let rows = [vec![wide; 6], vec![[100.0, 100.0, 90.0, 95.0, 1e6]]].concat();
    let stage = stage(&rows);
    let setup = Setup {
        instruments: stage.instruments.clone(),
        venue: tiltyard_engine::venue::SimulatedVenue::new(
            tiltyard_engine::Profile::Conservative.rules(stage.costs),
            stage.latency,
            0,
            1,
        ),
        risk: stage.risk.clone(),
        venture: tiltyard_risk::Venture::Simulated,
        margin: tiltyard_engine::MarginTerms::default(),
        guard: None,
        overseer: None,
        log: Log::keeping(),
        begin: Nanos(0),
    };
    let mut first = None;
    let strategy = common::Script::new(|desk: &mut common::Desk, step, _: &common::News| {
        match desk.target(A, 0.5, None) {
            Ok(Some(_)) => _ = first.get_or_insert(step),
            Ok(None) => {}
            Err(violations) => assert_eq!(violations[0].rule, "missing-stop"),
        }
        if step == 1 {
            let bare = order(Side::Buy, 1.0, OrderType::Market);
            assert_eq!(desk.submit(bare).unwrap_err()[0].rule, "missing-stop");
        }
    });
    let host_stop = Some(HostStop { atr_multiple: 2.0, atr_bars: 3 });
    let player = Player { strategy, terms: tiltyard_engine::Terms::new("test", Money(dec("100000")), host_stop) };
    let books = Kernel::new(setup, vec![player]).unwrap().run(&mut stage.feed()).books;
    // Three true ranges need four bars: the request of the fourth step is the first that passes.
    assert_eq!(first, Some(3));
    let fills = executions(&books);
    assert_eq!((fills[0].price.0, fills[0].time), (dec("100.1"), Nanos::from_hours(4)));
    // 100.1 − 8 = 92.1, less 0.1 %: 92.0079.
    assert_eq!((fills[1].price.0, fills[1].reason.as_ref()), (dec("92.0079"), "stop_loss"));
}

#[test]
fn all_of_the_equity_is_what_the_costs_leave_of_it() {
    let stage = Stage { cash: "10000", ..Stage::new(spot("A"), lane(bars(HOUR, &[CALM; 3]), HOUR)) };
    let books = stage.play(|desk, step, _| {
        if step == 0 {
            desk.target(A, 1.0, None).unwrap();
        }
    });
    // 10,000 ÷ (100.1 × 1.001) = 99.80029…
    assert_eq!(quantities(&books), ["99.8"]);
    let cash = books.records()[0].ledger.cash();
    assert!(cash.0 >= dec("0") && cash.0 < dec("0.11"), "{cash}");
}
