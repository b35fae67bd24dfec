//! Guests that attack the desk, in the kernel: each ends as it must, and what it owns is exact to the last digit.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::LazyLock;

use tiltyard_engine::{Books, Event, Log, Outcome, Simulation};
use tiltyard_model::{InstrumentKind, Money, is_shown};
use tiltyard_sandbox::{Fault, PoolLimits};
use tiltyard_tests::{Ground, KernelDesk, TRADERS, Trader, made_up, play_in_kernel};

static GROUND: LazyLock<Ground<KernelDesk>> =
    LazyLock::new(|| Ground::with_pool(env!("CARGO_BIN_EXE_compile-worker"), PoolLimits::default()));

const BARS: usize = 20;
const CASH: u64 = 1_000_000;

fn play(trader: &Trader, simulation: &Simulation) -> Outcome<Fault> {
    let component = GROUND.load(&(trader.file)()).unwrap();
    let parameters = (trader.parameters)(trader.name);
    play_in_kernel(&component, simulation, CASH, &parameters, Log::keeping()).unwrap()
}

/// Two books that were kept apart agree, and whoever replays the events comes to the same.
fn assert_exact(name: &str, kind: InstrumentKind, outcome: &Outcome<Fault>) {
    let record = &outcome.books.records()[0];
    assert_eq!(record.ledger.totals().equity, record.ledger.equity(), "{name}");
    assert!(kind != InstrumentKind::Spot || record.ledger.cash() >= Money::ZERO, "{name}: owes cash");
    assert!(record.curve.iter().all(|sample| sample.equity.is_finite()), "{name}");
    let replayed = Books::replay(outcome.books.log().entries());
    assert_eq!(replayed.records()[0], *record, "{name}: replayed");
}

/// Nothing that it said can be obeyed by a terminal.
fn assert_harmless(name: &str, outcome: &Outcome<Fault>) {
    for entry in outcome.books.log().entries() {
        let texts: Vec<&str> = match &entry.event {
            Event::Line { message, .. } => vec![message],
            Event::Metric { name, .. } => vec![name],
            Event::Note { key, value, .. } => vec![key, value],
            Event::Accepted { ticket, .. } => vec![&ticket.tag],
            Event::Fault { message, .. } => vec![message],
            _ => Vec::new(),
        };
        assert!(texts.iter().all(|text| is_shown(text)), "{name}: {:?}", entry.event);
    }
}

/// The rules that its requests broke, and the ways its orders ended.
fn told(outcome: &Outcome<Fault>) -> String {
    let mut rules = BTreeSet::new();
    let mut ends = BTreeSet::new();
    for entry in outcome.books.log().entries() {
        match &entry.event {
            Event::Refused { violations, .. } => rules.extend(violations.iter().map(|broken| broken.rule.clone())),
            Event::Updated(update) if update.is_final() => drop(ends.insert(format!("{:?}", update.status))),
            _ => {}
        }
    }
    // Without frames: the guest is stripped, so that they are numbers which change with every build.
    let stopped = |fault: &Fault| format!("{} (in {})", fault.kind, fault.during);
    let fault = outcome.faults[0].as_ref().map_or_else(|| "came to the end".to_owned(), stopped);
    let mut told = format!("    {fault}");
    for (what, all) in [("refused", rules), ("orders", ends)] {
        if !all.is_empty() {
            write!(told, "\n    {what}: {}", Vec::from_iter(all).join(", ")).unwrap();
        }
    }
    told
}

/// Plays them all to one kind of market, and tells how each ended.
fn all_on(kind: InstrumentKind) -> String {
    let simulation = made_up(kind, BARS);
    let (mut lines, mut wrong) = (Vec::new(), Vec::new());
    for trader in TRADERS {
        let outcome = play(trader, &simulation);
        let fault = outcome.faults[0].as_ref();
        if !(trader.ends)(fault) {
            wrong.push(format!("{trader:?}: {fault:?}"));
        }
        assert_exact(trader.name, kind, &outcome);
        assert_harmless(trader.name, &outcome);
        lines.push(format!("{}\n{}", trader.name, told(&outcome)));
    }
    assert!(wrong.is_empty(), "ended otherwise:\n{}", wrong.join("\n"));
    lines.join("\n")
}

#[test]
fn every_trader_of_a_spot_market_ends_as_it_must_and_its_ledger_is_exact() {
    insta::assert_snapshot!("spot", all_on(InstrumentKind::Spot));
}

#[test]
fn every_trader_of_a_perpetual_ends_as_it_must_and_its_ledger_is_exact() {
    insta::assert_snapshot!("perpetual", all_on(InstrumentKind::Perpetual));
}
