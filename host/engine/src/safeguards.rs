//! What the host does by itself: measures of the account's guard, halts, and winding down.

use tiltyard_model::{Decimal, InstrumentIndex, Nanos};
use tiltyard_risk::{AccountState, Correlations, Measure, OrderError, Rung, StrategyState, Trouble};

use crate::books::Record;
use crate::event::Event;
use crate::execution::StrategyIndex;
use crate::floor::Floor;
use crate::venue::Venue;

/// An account that is worth more is halted: 10¹⁸, where amounts still have their 8 decimals.
const MOST_EQUITY: u64 = 1_000_000_000_000_000_000;

impl<V: Venue> Floor<V> {
    /// Takes the measures that are due, and goes on with those that take several instants.
    pub(crate) fn safeguard(&mut self) {
        let books = &self.clearing.books;
        for measure in books.guard().watch(&self.risk.limits, self.venture, self.clearing.now, books.equity()) {
            self.take(measure);
        }
        self.follow_guard();
        for strategy in self.clearing.books.strategies() {
            match self.breach(strategy) {
                Some(cause) => {
                    self.halt(strategy, &cause);
                    let guard = self.clearing.books.guard();
                    if let Some(measure) = guard.breached(&self.risk.limits, self.clearing.now, &cause) {
                        self.take(measure);
                    }
                }
                None if self.is_halted(strategy) => self.wind_down(strategy),
                None => {}
            }
        }
    }

    /// Takes a measure: it is an event, and some ask something of the host at once.
    pub(crate) fn take(&mut self, measure: Measure) {
        self.clearing.record(Event::Measure(measure.clone()));
        match measure {
            Measure::Rung { rung: Rung::Tighten, .. } => self.tighten_stops(),
            Measure::Rung { rung: Rung::Halve, .. } => {
                self.tighten_stops();
                self.close_halves();
            }
            _ => {}
        }
        self.follow_guard();
    }

    /// Does what the guard's standing asks for at every instant: orders that were on their way may have filled meanwhile.
    fn follow_guard(&mut self) {
        let guard = self.clearing.books.guard();
        if guard.state() == AccountState::Halted {
            let cause = format!("account: {}", guard.cause().unwrap_or("halted"));
            self.clearing.books.strategies().for_each(|strategy| self.halt(strategy, &cause));
        } else if guard.daily_stop().is_some() {
            self.clearing.books.strategies().for_each(|strategy| self.flatten(strategy, "daily-loss"));
        } else if !guard.takes_risk() {
            self.clearing.books.strategies().for_each(|strategy| self.cancel_entries(strategy));
        }
        for strategy in self.clearing.books.strategies() {
            if self
                .clearing
                .books
                .record_of(strategy)
                .is_some_and(|record| record.guard.state() == StrategyState::Paused)
            {
                self.cancel_entries(strategy);
            }
        }
    }

    /// Puts the account into a state, by order of a person or a kill switch.
    pub(crate) fn order(&mut self, state: AccountState, cause: &str) {
        self.restore();
        self.take(Measure::Ordered { state, cause: cause.to_owned() });
    }

    /// A person resumes the account. Strategies that were halted stay so until each is resumed.
    pub(crate) fn resume(&mut self, reason: &str) -> Result<(), OrderError> {
        self.restore();
        let measure = self.clearing.books.guard().resume(self.clearing.now, reason)?;
        self.take(measure);
        Ok(())
    }

    /// Something went wrong that the circuit breaker counts.
    pub(crate) fn trouble(&mut self, trouble: Trouble) {
        if self.risk.limits.circuit_breaker.is_none() {
            return;
        }
        self.restore();
        let guard = self.clearing.books.guard();
        for measure in guard.trouble(&self.risk.limits, self.clearing.now, trouble) {
            self.take(measure);
        }
    }

    /// Why a strategy must stop now, if it must.
    fn breach(&self, strategy: StrategyIndex) -> Option<String> {
        if self.is_halted(strategy) {
            return None;
        }
        let record = self.clearing.books.record_of(strategy)?;
        let limits = self.limits_of(strategy);
        if record.ledger.is_flat() && limits.max_drawdown.is_none() {
            return None;
        }
        let equity = record.ledger.equity();
        if equity.0 <= Decimal::ZERO && !record.ledger.is_flat() {
            return Some("equity-exhausted".to_owned());
        }
        // Sums of cash flows are exact far beyond this, but not without end.
        if equity.0 > Decimal::from(MOST_EQUITY) {
            return Some("out-of-range".to_owned());
        }
        record.guard.breaches(limits, equity).then(|| "max-drawdown".to_owned())
    }

    /// Whether a strategy has stopped for good; one that there is not has never begun.
    pub(crate) fn is_halted(&self, strategy: StrategyIndex) -> bool {
        self.clearing.books.record_of(strategy).is_none_or(|record| record.guard.state() == StrategyState::Halted)
    }

    /// Whether every strategy has stopped, holds nothing and waits for nothing.
    pub(crate) fn is_over(&self) -> bool {
        let halted = |record: &Record| record.guard.state() == StrategyState::Halted && record.ledger.is_flat();
        self.clearing.books.records().iter().all(halted)
            && self.market.iter().all(|(instrument, _)| self.venue.working(instrument).is_empty())
    }

    /// Changes where a strategy stands.
    pub(crate) fn change(&mut self, strategy: StrategyIndex, state: StrategyState, cause: &str) {
        self.clearing.record(Event::State { strategy, state, cause: cause.to_owned() });
        self.follow_guard();
    }

    /// Takes everything of a strategy back and closes what it holds.
    pub(crate) fn halt(&mut self, strategy: StrategyIndex, cause: &str) {
        if self.is_halted(strategy) {
            return;
        }
        let event = Event::State { strategy, state: StrategyState::Halted, cause: cause.to_owned() };
        self.clearing.record(event);
        self.wind_down(strategy);
    }

    /// Goes on with stopping a strategy that was halted.
    fn wind_down(&mut self, strategy: StrategyIndex) {
        let faulted = self.clearing.books.record_of(strategy).is_some_and(|record| record.fault.is_some());
        self.flatten(strategy, if faulted { "fault" } else { "halt" });
    }

    /// Takes everything of a strategy back and closes what it holds; the strategy may go on.
    pub(crate) fn flatten(&mut self, strategy: StrategyIndex, exit: &'static str) {
        for instrument in self.instruments() {
            self.requests(strategy).wind_down(instrument, exit);
        }
    }

    fn cancel_entries(&mut self, strategy: StrategyIndex) {
        for instrument in self.instruments() {
            self.requests(strategy).cancel_entries(instrument);
        }
    }

    fn tighten_stops(&mut self) {
        for (strategy, instrument) in self.everywhere() {
            self.requests(strategy).tighten_stops(instrument);
        }
    }

    fn close_halves(&mut self) {
        for (strategy, instrument) in self.everywhere() {
            self.requests(strategy).close_half(instrument, "drawdown");
        }
    }

    /// Every strategy with every instrument, in their order.
    fn everywhere(&self) -> Vec<(StrategyIndex, InstrumentIndex)> {
        let instruments = self.instruments();
        let of = |strategy| instruments.iter().map(move |instrument| (strategy, *instrument));
        self.clearing.books.strategies().flat_map(of).collect()
    }

    fn instruments(&self) -> Vec<InstrumentIndex> {
        self.market.iter().map(|(instrument, _)| instrument).collect()
    }

    /// Works out anew how instruments hang together, once a day (UTC) and only where a rule asks.
    pub(crate) fn correlate(&mut self) {
        let Some(rule) = &self.risk.limits.concentration else { return };
        let today = day(self.clearing.now);
        if self.correlated_on == Some(today) {
            return;
        }
        self.correlated_on = Some(today);
        let days = rule.days as usize;
        let closes: Vec<Vec<f64>> =
            self.market.iter().map(|(_, listed)| listed.daily_closes(today, days + 1)).collect();
        self.correlations = Correlations::of_closes(&closes, days);
    }
}

/// Days since 1970-01-01.
fn day(now: Nanos) -> i64 {
    now.0.div_euclid(86_400_000_000_000)
}
