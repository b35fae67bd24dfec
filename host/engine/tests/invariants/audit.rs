//! Reads the log of a run, follows every order and every cent by itself, and files what is broken under a law.
//!
//! It believes the market, which it knows from the scenario, and what the log says; never what the books say of themselves.

mod books;
mod brackets;
mod ends;
mod fills;
mod margin;
mod orders;
mod requests;

use std::collections::BTreeMap;

use tiltyard_engine::{Books, Entry, Event, MarketEvent, Step, StrategyIndex, Update};
use tiltyard_model::{
    Bar, Decimal, Instrument, InstrumentIndex, InstrumentKind, Money, Nanos, OrderId, OrderStatus, Price,
    Specification, decimal,
};

use crate::common::dec;
use crate::play::CASH;
use crate::scenario::Scenario;
use orders::Order;

pub(crate) struct Audit<'a> {
    scenario: &'a Scenario,
    pub(crate) findings: Findings,
    markets: Vec<Market>,
    accounts: Vec<Account>,
    orders: BTreeMap<OrderId, Order>,
    /// How many entries were read.
    read: usize,
    /// When the last one was made.
    now: Nanos,
    /// The instant before.
    before: Nanos,
    /// The bars of this step that the log has not come to yet.
    bars: BTreeMap<InstrumentIndex, Bar>,
    /// Bars of mark prices of this step.
    mark_bars: BTreeMap<InstrumentIndex, Bar>,
    /// Orders that opened something in the bar being read.
    opened: Vec<OrderId>,
    /// How many entries there were since a strategy asked for something.
    asked: Option<usize>,
}

/// What a broken promise is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Law {
    /// Cash, equity, positions, and that they follow from the log.
    Books,
    /// What an order may become.
    Orders,
    /// When, at what price and how much an order may trade.
    Fills,
    /// Stop-loss and take-profit of an entry.
    Brackets,
    /// What a refusal says and leaves alone.
    Refusals,
    /// Halts and the ends of instruments.
    Ends,
    /// Margin, funding, interest and liquidations.
    Margin,
}

/// What came to light.
#[derive(Default)]
pub(crate) struct Findings {
    pub(crate) broken: Vec<(Law, String)>,
    /// How often there was what.
    pub(crate) seen: BTreeMap<String, usize>,
}

impl Findings {
    fn holds(&mut self, law: Law, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.broken.push((law, what()));
        }
    }

    fn count(&mut self, what: impl Into<String>) {
        *self.seen.entry(what.into()).or_default() += 1;
    }
}

/// An instrument, as far as the log has come.
struct Market {
    rules: Specification,
    kind: InstrumentKind,
    close: Option<Price>,
    mark: Option<Price>,
    /// What traded in the bar being read.
    traded: Decimal,
    ended: bool,
}

impl Market {
    fn new(instrument: &Instrument) -> Self {
        Self {
            rules: Specification::new(instrument).unwrap(),
            kind: instrument.kind,
            close: None,
            mark: None,
            traded: Decimal::ZERO,
            ended: false,
        }
    }
}

/// What one strategy owns.
struct Account {
    cash: Decimal,
    positions: Vec<Decimal>,
    /// What was put aside for each position, and what it cost at the average price.
    margins: Vec<Money>,
    bases: Vec<Decimal>,
    halted: Option<Nanos>,
}

impl Account {
    fn new(instruments: usize) -> Self {
        let nothing = vec![Money::ZERO; instruments];
        Self {
            cash: dec(CASH),
            positions: vec![Decimal::ZERO; instruments],
            margins: nothing,
            bases: vec![Decimal::ZERO; instruments],
            halted: None,
        }
    }
}

impl<'a> Audit<'a> {
    pub(crate) fn new(scenario: &'a Scenario) -> Self {
        let listings = &scenario.listings;
        Self {
            scenario,
            findings: Findings::default(),
            markets: (0..).zip(listings).map(|(at, listing)| Market::new(&listing.instrument(at))).collect(),
            accounts: scenario.players.iter().map(|_| Account::new(listings.len())).collect(),
            orders: BTreeMap::new(),
            read: 0,
            now: Nanos(0),
            before: Nanos(0),
            bars: BTreeMap::new(),
            mark_bars: BTreeMap::new(),
            opened: Vec::new(),
            asked: None,
        }
    }

    /// Reads what this step has added to the log, and compares with the books.
    pub(crate) fn step(&mut self, step: &Step, books: &Books) {
        let bars = step.events.iter().filter_map(|event| match event {
            MarketEvent::Bar(instrument, bar) => Some((*instrument, *bar)),
            _ => None,
        });
        self.bars = bars.collect();
        let marks = step.events.iter().filter_map(|event| match event {
            MarketEvent::Mark(instrument, bar) => Some((*instrument, *bar)),
            _ => None,
        });
        self.mark_bars = marks.collect();
        self.markets.iter_mut().for_each(|market| market.traded = Decimal::ZERO);
        let entries = books.log().entries();
        for at in self.read..entries.len() {
            self.entry(&entries[at], entries.get(at + 1));
        }
        self.read = entries.len();
        self.compare(books);
        self.enough_margin(books);
        self.leaving();
    }

    fn entry(&mut self, entry: &Entry, next: Option<&Entry>) {
        if entry.time != self.now {
            self.before = std::mem::replace(&mut self.now, entry.time);
        }
        if let Some(since) = &mut self.asked {
            *since += 1;
        }
        match &entry.event {
            Event::Accepted { strategy, order, ticket, active_from } => {
                self.accepted(*strategy, *order, ticket, *active_from);
            }
            Event::Executed(execution) => self.executed(execution),
            Event::Updated(update) => self.updated(update),
            Event::Replaced { order, ticket, filled } => {
                let asked = next.is_some_and(|next| grants_replacement(&next.event, *order));
                self.replaced(*order, ticket, *filled, asked);
            }
            Event::Bar { instrument, .. } => self.bar(*instrument),
            Event::Mark { instrument, price } => {
                self.markets[instrument.0 as usize].mark = Some(Price(exact(*price)));
            }
            Event::Funding { .. } => self.funded(&entry.event),
            Event::Interest { .. } => self.charged(&entry.event),
            Event::Margin { strategy, instrument, margin } => self.put_aside(*strategy, *instrument, *margin),
            Event::Ended(instrument) => self.ended(*instrument),
            Event::State { strategy, state, .. } => self.state(*strategy, *state),
            Event::Note { strategy, key, value } => self.note(*strategy, key, value),
            Event::Refused { violations, .. } => {
                for violation in violations {
                    self.findings.count(format!("refused {}", violation.rule));
                }
            }
            _ => {}
        }
    }

    /// What a bar leaves behind, once everything in it has traded.
    fn bar(&mut self, instrument: InstrumentIndex) {
        let bar = self.bars.remove(&instrument).unwrap();
        let market = &mut self.markets[instrument.0 as usize];
        market.close = Some(Price(exact(bar.close)));
        market.mark = market.close;
        self.volume(instrument, &bar);
        self.outlived(instrument, &bar);
        self.still_open(instrument, &bar);
        self.still_working(instrument, &bar);
        self.protected();
        self.brackets();
    }

    fn position(&self, strategy: StrategyIndex, instrument: InstrumentIndex) -> Decimal {
        self.accounts[strategy.0 as usize].positions[instrument.0 as usize]
    }

    fn rules(&self, instrument: InstrumentIndex) -> &Specification {
        &self.markets[instrument.0 as usize].rules
    }

    fn most_latency(&self) -> Nanos {
        self.scenario.latency.fixed + self.scenario.latency.jitter
    }
}

/// Whether a strategy asked for the change before this event: then it is told of it right away. Of a change that a bracket
/// brings there is no update, or one with a reason.
fn grants_replacement(event: &Event, id: OrderId) -> bool {
    matches!(event, Event::Updated(Update { order, status: OrderStatus::Replaced, reason, .. })
        if *order == id && reason.is_empty())
}

fn exact(price: f64) -> Decimal {
    decimal(price).unwrap()
}

fn is_whole(number: Decimal, step: Decimal) -> bool {
    (number % step).is_zero()
}
