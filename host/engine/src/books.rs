use std::collections::BTreeMap;

use tiltyard_model::{InstrumentIndex, Money, Nanos, OrderOrigin, OrderStatus};
use tiltyard_risk::{AccountGuard, StrategyGuard, StrategyState};

use crate::event::{Event, Log};
use crate::execution::StrategyIndex;
use crate::ledger::Ledger;

/// All that is known of a run, which follows from its events and from nothing else: the kernel writes events and reads
/// books, and whoever replays the events gets the same books.
#[derive(Debug, Clone, Default)]
pub struct Books {
    records: Vec<Record>,
    guard: AccountGuard,
    log: Log,
}

/// What is known of one strategy in a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// What it owns and has earned.
    pub ledger: Ledger,
    /// Its equity after each instant.
    pub curve: Vec<Sample>,
    /// Bars of the run's instruments.
    pub bars: u64,
    /// Orders that it sent and that passed every rule.
    pub accepted: u64,
    /// Requests that were refused.
    pub refused: u64,
    /// Refused requests that broke a rule of risk; numbers that are none break no rule.
    pub violations: u64,
    /// How often each rule of risk was broken, by its name.
    pub broken: BTreeMap<String, u64>,
    /// Orders that the venue refused after they had been accepted.
    pub rejected: u64,
    /// Where it stands, and why.
    pub guard: StrategyGuard,
    /// How it stopped, if not well.
    pub fault: Option<String>,
    /// Fuel used; known when the run is over.
    pub fuel: u64,
}

/// Equity after an instant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// The instant.
    pub time: Nanos,
    /// Cash plus holdings, in settlement currency.
    pub equity: f64,
    /// Whether anything was held.
    pub exposed: bool,
}

/// Refusals that say nothing about risk.
const NOT_RISK: [&str; 4] = ["malformed", "unknown-instrument", "unknown-order", "host-order"];

impl Books {
    /// Empty books.
    #[must_use]
    pub fn new(log: Log) -> Self {
        Self { log, ..Self::default() }
    }

    /// The books that these events lead to.
    #[must_use]
    pub fn replay<'a>(entries: impl IntoIterator<Item = &'a crate::Entry>) -> Self {
        let mut books = Self::default();
        for entry in entries {
            books.record(entry.time, entry.event.clone());
        }
        books
    }

    /// Books an event.
    pub(crate) fn record(&mut self, time: Nanos, event: Event) {
        self.apply(time, &event);
        self.log.push(time, event);
    }

    fn apply(&mut self, time: Nanos, event: &Event) {
        match event {
            Event::Seated { cash, kinds, .. } => {
                self.records.push(Record::new(Ledger::new(*cash, kinds.iter().copied()), *cash));
                self.guard.fund(*cash);
            }
            Event::Bar { instrument, ohlcv: [_, high, low, close, _], .. } => {
                for record in &mut self.records {
                    record.bars += 1;
                    record.ledger.mark(*instrument, *high, *low, *close);
                }
            }
            Event::Mark { instrument, price } => {
                self.records.iter_mut().for_each(|record| record.ledger.mark_apart(*instrument, *price));
            }
            Event::Funding { strategy, instrument, amount, .. } => {
                self.with(*strategy, |record| record.ledger.fund(*instrument, *amount));
            }
            Event::Interest { strategy, instrument, amount, .. } => {
                self.with(*strategy, |record| record.ledger.charge(*instrument, *amount));
            }
            Event::Margin { strategy, instrument, margin } => {
                self.with(*strategy, |record| record.ledger.put_aside(*instrument, *margin));
            }
            Event::Print { instrument, price, .. } => {
                self.records.iter_mut().for_each(|record| record.ledger.print(*instrument, *price));
            }
            Event::Accepted { strategy, ticket, .. } => {
                let asked = matches!(ticket.origin, OrderOrigin::Submitted | OrderOrigin::Target | OrderOrigin::Close);
                if asked {
                    self.guard.sent(time);
                    self.with(*strategy, |record| {
                        record.accepted += 1;
                        record.guard.sent(time);
                    });
                }
            }
            Event::Refused { strategy, violations, .. } => {
                let rules = violations.iter().map(|violation| violation.rule.as_str());
                let broken: Vec<&str> = rules.filter(|rule| !NOT_RISK.contains(rule)).collect();
                self.with(*strategy, |record| {
                    record.refused += 1;
                    record.violations += u64::from(!broken.is_empty());
                    for rule in broken {
                        record.count_broken(rule);
                    }
                });
            }
            Event::Executed(execution) => self.with(execution.strategy, |record| record.ledger.book(execution)),
            Event::Updated(update) => {
                // A change that was asked for is as good as an order; one that a sibling's fill makes has a reason.
                let changed = update.status == OrderStatus::Replaced && update.reason.is_empty();
                if changed {
                    self.guard.sent(time);
                }
                self.with(update.strategy, |record| {
                    record.rejected += u64::from(update.status == OrderStatus::Rejected);
                    if changed {
                        record.guard.sent(time);
                    }
                });
            }
            Event::Measure(measure) => self.guard.apply(time, measure),
            Event::Kept { strategy, guard } => self.with(*strategy, |record| record.guard = guard.clone()),
            Event::State { strategy, state, cause } => self.with(*strategy, |record| {
                let equity = record.ledger.equity();
                record.guard.change(*state, cause, equity);
            }),
            Event::Fault { strategy, message } => {
                self.with(*strategy, |record| record.fault = Some(message.clone()));
            }
            Event::Instant => {
                self.records.iter_mut().for_each(|record| record.sample(time));
                self.guard.mark(time, self.equity());
            }
            Event::Finished { fuel } => {
                self.records.iter_mut().zip(fuel).for_each(|(record, fuel)| record.fuel = *fuel);
            }
            Event::Ended(_)
            | Event::Tape { .. }
            | Event::Replaced { .. }
            | Event::Warned { .. }
            | Event::Line { .. }
            | Event::Metric { .. }
            | Event::Note { .. } => {}
        }
    }

    fn with(&mut self, strategy: StrategyIndex, change: impl FnOnce(&mut Record)) {
        if let Some(record) = self.records.get_mut(strategy.0 as usize) {
            change(record);
        }
    }

    /// What is known of each strategy.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// What is known of a strategy.
    #[must_use]
    pub fn record_of(&self, strategy: StrategyIndex) -> Option<&Record> {
        self.records.get(strategy.0 as usize)
    }

    /// The strategies.
    pub fn strategies(&self) -> impl Iterator<Item = StrategyIndex> + use<> {
        (0..self.records.len() as u32).map(StrategyIndex)
    }

    /// Where the account stands, and why.
    #[must_use]
    pub fn guard(&self) -> &AccountGuard {
        &self.guard
    }

    /// The account's equity: the sum of its strategies'.
    #[must_use]
    pub fn equity(&self) -> Money {
        self.records.iter().map(|record| record.ledger.equity()).sum()
    }

    /// What all strategies together hold of an instrument.
    #[must_use]
    pub fn position(&self, instrument: InstrumentIndex) -> tiltyard_model::Qty {
        self.records.iter().map(|record| record.ledger.position(instrument)).sum()
    }

    /// The events.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }
}

impl Record {
    fn new(ledger: Ledger, cash: Money) -> Self {
        Self {
            ledger,
            curve: Vec::new(),
            bars: 0,
            accepted: 0,
            refused: 0,
            violations: 0,
            broken: BTreeMap::new(),
            rejected: 0,
            guard: StrategyGuard::new(cash),
            fault: None,
            fuel: 0,
        }
    }

    /// Why it was halted, if it was.
    #[must_use]
    pub fn halted_by(&self) -> Option<&str> {
        self.guard.cause().filter(|_| self.guard.state() == StrategyState::Halted)
    }

    fn count_broken(&mut self, rule: &str) {
        match self.broken.get_mut(rule) {
            Some(count) => *count += 1,
            None => _ = self.broken.insert(rule.to_owned(), 1),
        }
    }

    fn sample(&mut self, time: Nanos) {
        let equity = self.ledger.equity();
        self.guard.mark(equity);
        self.curve.push(Sample { time, equity: equity.to_f64(), exposed: !self.ledger.is_flat() });
    }
}
