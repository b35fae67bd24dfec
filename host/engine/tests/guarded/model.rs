//! The test's own account of a run: sums in `f64` from the events of the log, and what should not have passed.

use std::collections::BTreeMap;

use tiltyard_engine::{Books, Event, Execution};
use tiltyard_model::{Nanos, OrderId, OrderKind, OrderOrigin, Qty, Side, Ticket};
use tiltyard_risk::{AccountState, Measure, Rung, StrategyState};

use crate::play::{CASH, SLIPPAGE, SPOT};
use crate::scenario::Scenario;

/// What came to light.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) broken: Vec<String>,
    pub(crate) seen: BTreeMap<String, usize>,
}

pub(crate) struct Model {
    pub(crate) found: Found,
    read: usize,
    marks: [f64; 3],
    players: Vec<Account>,
    orders: BTreeMap<OrderId, Open>,
    ordered: AccountState,
    rung: Rung,
    daily_stop: bool,
    breaker: bool,
    peak: f64,
    last: f64,
    sent: Vec<(Nanos, usize)>,
    /// What a strategy meant to do with its next request.
    meant: Option<String>,
}

struct Account {
    cash: f64,
    held: [f64; 3],
    state: StrategyState,
    peak: f64,
}

struct Open {
    strategy: usize,
    ticket: Ticket,
    remaining: f64,
    opened: f64,
}

impl Open {
    /// How much of it may still open a position.
    fn may_open(&self) -> f64 {
        let opens = if self.ticket.reduce_only { Some(Qty::ZERO) } else { self.ticket.opens };
        opens.map_or(self.remaining, |opens| self.remaining.min(opens.to_f64() - self.opened))
    }
}

/// Rules that may speak against an order which only reduces: none of the account's.
const AGAINST_EXITS: [&str; 7] = [
    "open-orders",
    "duplicate-order",
    "self-cross",
    "reduce-only",
    "below-minimum",
    "stale-data",
    "insufficient-funds",
];

impl Model {
    pub(crate) fn new(scenario: &Scenario) -> Self {
        let player = || Account { cash: CASH, held: [0.0; 3], state: StrategyState::Active, peak: CASH };
        let players: Vec<_> = scenario.players.iter().map(|_| player()).collect();
        let total = CASH * players.len() as f64;
        Self {
            found: Found::default(),
            read: 0,
            marks: [0.0; 3],
            players,
            orders: BTreeMap::new(),
            ordered: AccountState::Active,
            rung: Rung::Clear,
            daily_stop: false,
            breaker: false,
            peak: total,
            last: total,
            sent: Vec::new(),
            meant: None,
        }
    }

    pub(crate) fn holds(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.found.broken.push(what());
        }
    }

    fn count(&mut self, what: impl Into<String>) {
        *self.found.seen.entry(what.into()).or_default() += 1;
    }

    fn equity(&self, player: &Account) -> f64 {
        player.cash + player.held.iter().zip(self.marks).map(|(held, mark)| held * mark).sum::<f64>()
    }

    fn total(&self) -> f64 {
        self.players.iter().map(|player| self.equity(player)).sum()
    }

    fn state(&self) -> AccountState {
        self.ordered.max(self.rung.state())
    }

    /// What a strategy could come to hold of a market on either side, in money, with one order left out: any of its orders may
    /// be the only one to trade, so that no order counts on what another one closes.
    fn at_stake(&self, strategy: usize, market: usize, without: Option<OrderId>) -> (f64, f64) {
        let held = self.players[strategy].held[market] * self.marks[market];
        let opening = |side: Side| {
            let own = self.orders.iter().filter(|(id, open)| {
                Some(**id) != without
                    && open.strategy == strategy
                    && open.ticket.instrument.0 as usize == market
                    && open.ticket.side == side
            });
            own.map(|(_, open)| open.may_open() * self.price(&open.ticket, market)).sum::<f64>()
        };
        let short = if market == SPOT { 0.0 } else { opening(Side::Sell) };
        (held.max(0.0) + opening(Side::Buy), (-held).max(0.0) + short)
    }

    /// For how much of what is held there is an order that closes it at the latest when it has lost so much.
    fn protected(&self, strategy: usize, market: usize, held: f64) -> f64 {
        let side = if held > 0.0 { Side::Sell } else { Side::Buy };
        let protects = |open: &&Open| {
            let ticket = &open.ticket;
            open.strategy == strategy
                && ticket.instrument.0 as usize == market
                && ticket.side == side
                && ticket.reduce_only
                && matches!(ticket.kind, OrderKind::Market | OrderKind::StopMarket(_))
        };
        self.orders.values().filter(protects).map(|open| open.remaining).sum()
    }

    fn gross(&self, strategy: usize, market: usize, without: Option<OrderId>) -> f64 {
        let (long, short) = self.at_stake(strategy, market, without);
        long.max(short)
    }

    fn price(&self, ticket: &Ticket, market: usize) -> f64 {
        let mark = self.marks[market];
        let taken = |price: f64| if ticket.side == Side::Buy { price * (1.0 + SLIPPAGE) } else { price };
        let worst = match ticket.kind {
            OrderKind::Market => taken(mark),
            OrderKind::StopMarket(trigger) => taken(trigger.to_f64().max(mark)),
            kind => kind.limit().unwrap().to_f64(),
        };
        worst.max(mark)
    }

    pub(crate) fn read(&mut self, books: &Books) {
        let entries = &books.log().entries()[self.read..];
        self.read += entries.len();
        for entry in entries {
            self.event(entry.time, &entry.event);
        }
        // The log of events is all that the model knows; the books must not know better.
        let equity = books.equity().to_f64();
        let total = self.total();
        self.holds((equity - total).abs() < 1e-3, || format!("equity {equity}, not {total}"));
        let guard = books.guard();
        let state = self.state();
        self.holds(guard.state() == state, || format!("{:?}, not {state:?}", guard.state()));
    }

    fn event(&mut self, now: Nanos, event: &Event) {
        match event {
            Event::Bar { instrument, ohlcv, .. } => self.marks[instrument.0 as usize] = ohlcv[3],
            Event::Accepted { strategy, order, ticket, .. } => {
                self.accepted(now, strategy.0 as usize, *order, ticket);
                self.meant = None;
            }
            Event::Refused { strategy, request, violations, .. } => {
                for violation in violations {
                    self.count(format!("refused by {}", violation.rule));
                }
                self.refused(strategy.0 as usize, request, violations);
                self.meant = None;
            }
            Event::Note { key, value, .. } => self.meant = Some(format!("{key} {value}")),
            Event::Executed(execution) => {
                self.opened(execution);
                let player = &mut self.players[execution.strategy.0 as usize];
                let sign = if execution.side == Side::Buy { 1.0 } else { -1.0 };
                player.held[execution.instrument.0 as usize] += sign * execution.quantity.to_f64();
                player.cash -= sign * execution.value.to_f64() + execution.fee.to_f64();
                for held in &mut player.held {
                    *held = (*held * 1e6).round() / 1e6;
                }
            }
            Event::Updated(update) => {
                if update.reason == "strategy" {
                    self.count("cancelled");
                }
                if update.is_final() {
                    self.orders.remove(&update.order);
                } else if let Some(open) = self.orders.get_mut(&update.order) {
                    open.remaining = update.remaining.to_f64();
                }
            }
            Event::Replaced { order, ticket, filled } => {
                if let Some(open) = self.orders.get_mut(order) {
                    open.remaining = (ticket.quantity - *filled).to_f64();
                    open.ticket = ticket.clone();
                }
            }
            Event::State { strategy, state, .. } => {
                let at = strategy.0 as usize;
                if *state == StrategyState::Active {
                    self.players[at].peak = self.equity(&self.players[at]);
                }
                self.players[at].state = *state;
                self.count(format!("strategy {state}"));
            }
            Event::Measure(measure) => self.measure(measure),
            Event::Instant => self.instant(),
            _ => {}
        }
    }

    /// A trade opens no more than its order was judged by.
    fn opened(&mut self, execution: &Execution) {
        let sign = if execution.side == Side::Buy { 1.0 } else { -1.0 };
        let held = self.players[execution.strategy.0 as usize].held[execution.instrument.0 as usize];
        let quantity = execution.quantity.to_f64();
        let opened = quantity - quantity.min((-sign * held).max(0.0));
        let Some(open) = self.orders.get_mut(&execution.order) else { return };
        let most = open.may_open();
        open.opened += opened;
        let turns = open.ticket.opens.is_some();
        if turns {
            self.count("traded as an order that turns a position round");
        }
        self.holds(opened <= most + 1e-6, || format!("{execution:?} opens {opened}, more than {most}"));
    }

    fn measure(&mut self, measure: &Measure) {
        let json = serde_json::to_value(measure).unwrap();
        let name =
            json.as_str().map_or_else(|| json.as_object().unwrap().keys().next().unwrap().clone(), str::to_owned);
        match measure {
            Measure::Ordered { state, .. } => self.ordered = self.ordered.max(*state),
            Measure::Rung { rung, .. } => {
                self.rung = *rung;
                let rung = serde_json::to_value(rung).unwrap();
                return self.count(format!("measure rung {}", rung.as_str().unwrap()));
            }
            Measure::DailyStop(_) => self.daily_stop = true,
            Measure::DailyStopEnded => self.daily_stop = false,
            Measure::BreakerOpened(_) => self.breaker = true,
            Measure::BreakerClosed => self.breaker = false,
            Measure::Resumed { .. } => {
                self.ordered = AccountState::Active;
                self.rung = Rung::Clear;
                self.breaker = false;
                self.peak = self.last;
            }
            Measure::Trouble(_) | Measure::Restored(_) => {}
        }
        self.count(format!("measure {name}"));
    }

    fn accepted(&mut self, now: Nanos, strategy: usize, id: OrderId, ticket: &Ticket) {
        let open = Open { strategy, ticket: ticket.clone(), remaining: ticket.quantity.to_f64(), opened: 0.0 };
        self.orders.insert(id, open);
        if !matches!(ticket.origin, OrderOrigin::Submitted | OrderOrigin::Target | OrderOrigin::Close) {
            return;
        }
        let market = ticket.instrument.0 as usize;
        let (before, after) = (self.at_stake(strategy, market, Some(id)), self.at_stake(strategy, market, None));
        let side = |(long, short): (f64, f64)| if ticket.side == Side::Buy { long } else { short };
        // An exit adds nothing, even where it lets an order that turns the position round open more.
        let adds = !ticket.reduce_only && side(after) > side(before) * (1.0 + 1e-12);
        self.count(if adds { "accepted and adds" } else { "accepted and reduces" });
        let (account, own) = (self.state(), self.players[strategy].state);
        let halted = account == AccountState::Halted || own == StrategyState::Halted;
        let free = account == AccountState::Active && own == StrategyState::Active && !self.daily_stop && !self.breaker;
        if !free && !adds {
            self.count("accepted while reducing");
        }
        let what = || format!("{ticket:?} accepted");
        self.holds(!halted, || format!("{} while halted", what()));
        self.holds(free || !adds, || format!("{} while {account} and {own}", what()));
        self.sent.push((now, strategy));
        if !adds {
            return;
        }
        let recent = |sent: &&(Nanos, usize)| now.0 - sent.0.0 < 60_000_000_000;
        let sent = self.sent.iter().filter(recent).count();
        self.holds(sent <= 30, || format!("{}: {sent} orders in a minute", what()));
        self.holds(ticket.stop_loss.is_some(), || format!("{} without a stop", what()));
        self.within_limits(strategy, market, side(after), &what);
    }

    fn within_limits(&mut self, strategy: usize, market: usize, after: f64, what: &dyn Fn() -> String) {
        let strategies = 0..self.players.len();
        let total = self.total();
        let places = strategies.flat_map(|other| (0..3).map(move |market| (other, market)));
        let elsewhere: Vec<(usize, usize, f64)> = places
            .filter(|place| *place != (strategy, market))
            .map(|(other, market)| (other, market, self.gross(other, market, None)))
            .collect();
        let sum = |counts: &dyn Fn(usize, usize) -> bool| {
            let counted = elsewhere.iter().filter(|(other, market, _)| counts(*other, *market));
            after + counted.map(|(_, _, gross)| gross).sum::<f64>()
        };
        let in_market = sum(&|_, other| other == market);
        let own = sum(&|other, _| other == strategy);
        let all = sum(&|_, _| true);
        let halved = if self.rung >= Rung::Alert { 0.5 } else { 1.0 };
        let leverage = if market == 0 { 1.5 } else { 1.2 };
        let limits = [
            ("leverage-symbol", after / self.equity(&self.players[strategy]), leverage * halved),
            ("notional-symbol", in_market / total, 0.25 * halved),
            ("gross", all / total, 1.0),
            ("concentration in one strategy", own / total, 0.4),
            ("deployed", all / total, 0.6),
            // With fewer than 30 days nothing is known of correlations, so that all positions are one bet.
            ("correlated", all / total, if self.players.len() == 1 { 0.3 } else { 0.6 }),
        ];
        for (rule, actual, limit) in limits {
            self.holds(actual <= limit * (1.0 + 1e-9), || format!("{rule} is {actual}, more than {limit}: {}", what()));
        }
    }

    fn refused(&mut self, strategy: usize, request: &str, violations: &[tiltyard_model::Violation]) {
        let Some(meant) = self.meant.clone() else { return };
        let halted = self.state() == AccountState::Halted || self.players[strategy].state == StrategyState::Halted;
        if meant.starts_with("reduce") && request == "submit" {
            let wrong = violations.iter().find(|violation| {
                let rule = violation.rule.as_str();
                !(AGAINST_EXITS.contains(&rule) || rule == "trading-state" && halted || rule == "malformed")
            });
            self.holds(wrong.is_none(), || format!("{meant}: an exit was refused: {violations:?}"));
        }
        if let Some(order) = meant.strip_prefix("cancel ").filter(|_| request == "cancel") {
            let order = OrderId(order.parse().unwrap());
            let protects = self.orders.get(&order).is_some_and(|open| open.ticket.reduce_only);
            let wrong =
                violations.iter().any(|violation| !["missing-stop", "host-order"].contains(&violation.rule.as_str()));
            self.holds(protects && !wrong, || format!("{meant}: a cancel was refused: {violations:?}"));
        }
    }

    /// Everything has happened at this instant: the guard must stand where the losses demand.
    fn instant(&mut self) {
        let total = self.total();
        self.peak = self.peak.max(total);
        self.last = total;
        let drawdown = (self.peak - total) / self.peak;
        for (from, least) in [(0.15, Rung::Tighten), (0.2, Rung::Halve), (0.25, Rung::Kill)] {
            let rung = self.rung;
            self.holds(drawdown < from + 1e-9 || rung >= least, || format!("{rung:?} at a drawdown of {drawdown}"));
        }
        for at in 0..self.players.len() {
            let equity = self.equity(&self.players[at]);
            self.players[at].peak = self.players[at].peak.max(equity);
            let lost = 1.0 - equity / self.players[at].peak;
            let state = self.players[at].state;
            self.holds(lost < 0.1 + 1e-9 || state == StrategyState::Halted, || {
                format!("{state} after a loss of {lost}")
            });
        }
        for (strategy, market) in (0..self.players.len()).flat_map(|at| (0..3).map(move |market| (at, market))) {
            let held = self.players[strategy].held[market];
            let protected = self.protected(strategy, market, held);
            self.holds(protected > held.abs() - 1e-6, || format!("{held} of {market} has stops for {protected}"));
        }
        if self.state() != AccountState::Active || self.daily_stop || self.breaker {
            for (strategy, market) in (0..self.players.len()).flat_map(|at| (0..3).map(move |market| (at, market))) {
                let held = self.players[strategy].held[market] * self.marks[market];
                let (long, short) = self.at_stake(strategy, market, None);
                let opens = long > held.max(0.0) * (1.0 + 1e-9) || short > (-held).max(0.0) * (1.0 + 1e-9);
                self.holds(!opens, || format!("an entry waits in {market} while there is to be no new risk"));
            }
        }
    }
}
