//! Hooks in the order path of a kernel.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use tiltyard_engine::venue::{Conservative, Costs, Latency, SimulatedVenue};
use tiltyard_engine::{BarFeed, Kernel, Lane, Log, Outcome, Player, Setup, Strategy, Terms, TradingDesk};
use tiltyard_hooks::{Answer, Document, Hook, HookFailure, Hooks, Oversight, Stage, WhatHappened};
use tiltyard_model::{
    Bar, Columns, Decimal, Desk as _, Fill, Instrument, InstrumentIndex, InstrumentKind, Money, Nanos, OrderRequest,
    OrderType, OrderUpdate, Side, TimeInForce, TimerId,
};
use tiltyard_risk::{RiskProfile, Venture};

type Desk = TradingDesk<SimulatedVenue>;

/// Refuses what is larger than 5, fails at more than 50, and writes down what it is told.
#[derive(Debug, Clone, Default)]
struct Clerk(Arc<Mutex<Vec<Document>>>);

impl Hook for Clerk {
    fn name(&self) -> &str {
        "clerk"
    }

    fn ask(&self, document: &Document) -> Result<Answer, HookFailure> {
        self.0.lock().unwrap().push(document.clone());
        match document {
            Document::PreTrade(order) if order.quantity.to_f64() > 50.0 => Err(HookFailure::NoAnswer),
            Document::PreTrade(order) if order.quantity.to_f64() > 5.0 => Ok(Answer::refuse("too much for a Friday")),
            _ => Ok(Answer::allow()),
        }
    }
}

/// Buys 60, 6 and 5 at once, then sells what it has.
struct Buyer {
    step: usize,
    refused: Arc<Mutex<Vec<String>>>,
}

fn request(side: Side, quantity: f64) -> OrderRequest {
    OrderRequest {
        instrument: InstrumentIndex(0),
        side,
        order_type: OrderType::Market,
        quantity,
        time_in_force: TimeInForce::GoodTillCancelled,
        reduce_only: false,
        post_only: false,
        stop_loss: None,
        take_profit: None,
        tag: String::new(),
    }
}

impl Strategy<Desk> for Buyer {
    type Fault = Infallible;

    fn warm_up(&mut self, _: &mut Desk, _: InstrumentIndex, _: &Columns) -> Result<(), Infallible> {
        Ok(())
    }

    fn on_bar(&mut self, _: &mut Desk, _: InstrumentIndex, _: &Bar) -> Result<Option<f64>, Infallible> {
        Ok(None)
    }

    fn on_step(&mut self, desk: &mut Desk, _: Nanos) -> Result<(), Infallible> {
        let orders: &[_] = match self.step {
            0 => &[(Side::Buy, 60.0), (Side::Buy, 6.0), (Side::Buy, 5.0), (Side::Buy, 4.0)],
            1 => &[(Side::Sell, 9.0)],
            _ => &[],
        };
        for (side, quantity) in orders {
            if let Err(violations) = desk.submit(request(*side, *quantity)) {
                let said = violations.into_iter().map(|violation| format!("{}: {}", violation.rule, violation.unit));
                self.refused.lock().unwrap().extend(said);
            }
        }
        self.step += 1;
        Ok(())
    }

    fn on_fill(&mut self, _: &mut Desk, _: &Fill) -> Result<(), Infallible> {
        Ok(())
    }

    fn on_order(&mut self, _: &mut Desk, _: &OrderUpdate) -> Result<(), Infallible> {
        Ok(())
    }

    fn on_timer(&mut self, _: &mut Desk, _: TimerId, _: Nanos) -> Result<(), Infallible> {
        Ok(())
    }
}

fn run(hooks: Hooks, refused: &Arc<Mutex<Vec<String>>>) -> Outcome<Infallible> {
    let instrument = Instrument {
        symbol: "AUSD".to_owned(),
        venue: "test".to_owned(),
        kind: InstrumentKind::Spot,
        base: "A".to_owned(),
        quote: "USD".to_owned(),
        tick: 0.01,
        lot: 0.001,
        min_notional: 1.0,
        maker_fee: 0.0,
        taker_fee: 0.0,
        max_leverage: 1.0,
        margin: tiltyard_model::MarginRules::default(),
    };
    let hour = Nanos::from_hours(1);
    let setup = Setup {
        instruments: vec![(instrument, hour)],
        venue: SimulatedVenue::new(Box::new(Conservative { costs: Costs::none() }), Latency::default(), 0, 1),
        risk: RiskProfile::research(),
        venture: Venture::Simulated,
        margin: tiltyard_engine::MarginTerms::default(),
        guard: None,
        overseer: Some(Box::new(Oversight::new(Arc::new(hooks)))),
        log: Log::keeping(),
        begin: Nanos(0),
    };
    let bar =
        |at| Bar { open_time: Nanos::from_hours(at), open: 100.0, high: 100.0, low: 100.0, close: 100.0, volume: 1e6 };
    let bars: Columns = (0..4).map(bar).collect();
    let strategy = Buyer { step: 0, refused: Arc::clone(refused) };
    let player = Player { strategy, terms: Terms::new("buyer", Money(Decimal::from(10_000)), None) };
    Kernel::new(setup, vec![player]).unwrap().run(&mut BarFeed::new(vec![Lane::new(Arc::new(bars), hour)]))
}

#[test]
fn a_hook_refuses_entries_and_is_told_of_fills() {
    let (clerk, refused) = (Clerk::default(), Arc::new(Mutex::new(Vec::new())));
    let mut hooks = Hooks::default();
    hooks.add(Stage::PreTrade, Box::new(clerk.clone()));
    hooks.add(Stage::PostTrade, Box::new(clerk.clone()));
    let outcome = run(hooks, &refused);
    let refused = refused.lock().unwrap().clone();
    assert_eq!(refused.len(), 2);
    assert!(refused[0].starts_with("pre-trade: the hook `clerk` failed, which refuses: "), "{refused:?}");
    assert_eq!(refused[1], "pre-trade: the hook `clerk` refused: too much for a Friday");
    let told = clerk.0.lock().unwrap();
    let asked = told.iter().filter(|document| matches!(document, Document::PreTrade(_))).count();
    assert_eq!(asked, 4, "every entry is asked about, and the exit of 9 is not");
    let filled = told.iter().filter_map(|document| match document {
        Document::PostTrade(told) => Some(told),
        _ => None,
    });
    let filled: Vec<_> =
        filled.map(|told| (told.strategy.as_str(), told.instrument.as_str(), told.side, &told.event)).collect();
    let sides: Vec<_> = filled
        .iter()
        .filter(|(.., event)| matches!(event, WhatHappened::Filled { .. }))
        .map(|(strategy, instrument, side, _)| (*strategy, *instrument, *side))
        .collect();
    let (buy, sell) = (("buyer", "AUSD", Some(Side::Buy)), ("buyer", "AUSD", Some(Side::Sell)));
    assert_eq!(sides, [buy, buy, sell]);
    assert_eq!(filled.len(), 5, "and of what was refused");
    let record = &outcome.books.records()[0];
    assert_eq!((record.broken["pre-trade"], record.accepted), (2, 3));
    assert!(record.ledger.is_flat());
}

#[test]
fn without_hooks_a_kernel_that_is_overseen_is_like_any_other() {
    let refused = Arc::new(Mutex::new(Vec::new()));
    let outcome = run(Hooks::default(), &refused);
    assert!(refused.lock().unwrap().is_empty());
    assert_eq!(outcome.books.records()[0].accepted, 5);
}
