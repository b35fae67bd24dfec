use tiltyard_model::{Decimal, HostStop, InstrumentIndex, TimerId, decimal};
use tiltyard_risk::{RiskProfile, StrategyState};

use crate::books::Record;
use crate::clearing::Clearing;
use crate::event::Event;
use crate::execution::StrategyIndex;
use crate::feed::{MarketEvent, Step};
use crate::market::Market;
use crate::requests::Requests;
use crate::timers::Timers;
use crate::venue::Venue;

/// An account that is worth more is halted: 10¹⁸, where amounts still have their 8 decimals.
const MOST_EQUITY: u64 = 1_000_000_000_000_000_000;

/// Everything in the kernel but the strategies.
#[derive(Debug)]
pub(crate) struct Floor<V> {
    pub(crate) market: Market,
    pub(crate) venue: V,
    pub(crate) clearing: Clearing,
    pub(crate) risk: RiskProfile,
    pub(crate) seats: Vec<Seat>,
    /// Whether the run has begun: before, nothing can be ordered.
    pub(crate) open: bool,
    /// Whose turn it is.
    pub(crate) acting: StrategyIndex,
    pub(crate) next_timer: u64,
}

/// A strategy's place: what the kernel keeps for it beside its books.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seat {
    pub(crate) host_stop: Option<HostStop>,
    pub(crate) timers: Timers,
}

impl<V: Venue> Floor<V> {
    pub(crate) fn requests(&mut self, strategy: StrategyIndex) -> Requests<'_, V> {
        Requests {
            strategy,
            host_stop: self.seats.get(strategy.0 as usize).and_then(|seat| seat.host_stop),
            market: &self.market,
            risk: &self.risk,
            venue: &mut self.venue,
            clearing: &mut self.clearing,
        }
    }

    pub(crate) fn seat(&mut self) -> Option<&mut Seat> {
        self.seats.get_mut(self.acting.0 as usize)
    }

    /// The market's part of an instant: fills, then marks, then what is in history.
    pub(crate) fn market_moves(&mut self, step: &Step) {
        // A step from the past happens now: time does not go back.
        self.clearing.now = self.clearing.now.max(step.time);
        for event in &step.events {
            match *event {
                MarketEvent::Bar(instrument, bar) => {
                    let Some(listed) = self.market.get(instrument) else { continue };
                    self.venue.on_bar(instrument, listed, &bar, step.time, &mut self.clearing);
                    let ohlcv = [bar.open, bar.high, bar.low, bar.close, bar.volume];
                    self.clearing.record(Event::Bar { instrument, open_time: bar.open_time, ohlcv });
                    self.market.bar(instrument, &bar);
                }
                MarketEvent::Ended(instrument) => {
                    let Some(listed) = self.market.get(instrument) else { continue };
                    self.venue.on_end(instrument, listed, step.time, "delisted", &mut self.clearing);
                    self.clearing.record(Event::Ended(instrument));
                    self.market.end(instrument);
                }
            }
        }
    }

    /// Takes every order back and closes every position at the last prices, with costs: the run ends flat.
    pub(crate) fn close_out(&mut self) {
        let now = self.clearing.now;
        for (instrument, listed) in self.market.iter().filter(|(_, listed)| !listed.has_ended()) {
            self.venue.on_end(instrument, listed, now, "window_end", &mut self.clearing);
        }
    }

    /// Why a strategy must stop now, if it must.
    pub(crate) fn breach(&self, strategy: StrategyIndex) -> Option<String> {
        if self.is_halted(strategy) {
            return None;
        }
        let record = self.clearing.books.record_of(strategy)?;
        let limit = self.risk.max_drawdown.and_then(decimal);
        if record.ledger.is_flat() && limit.is_none() {
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
        let lost = record.peak - equity;
        (lost.0 >= record.peak.0 * limit? && lost.0 > Decimal::ZERO).then(|| "max-drawdown".to_owned())
    }

    /// Whether a strategy has stopped for good; one that there is not has never begun.
    pub(crate) fn is_halted(&self, strategy: StrategyIndex) -> bool {
        self.clearing.books.record_of(strategy).is_none_or(|record| record.state == StrategyState::Halted)
    }

    /// Whether every strategy has stopped, holds nothing and waits for nothing.
    pub(crate) fn is_over(&self) -> bool {
        let halted = |record: &Record| record.state == StrategyState::Halted && record.ledger.is_flat();
        self.clearing.books.records().iter().all(halted)
            && self.market.iter().all(|(instrument, _)| self.venue.working(instrument).is_empty())
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
    pub(crate) fn wind_down(&mut self, strategy: StrategyIndex) {
        let faulted = self.clearing.books.record_of(strategy).is_some_and(|record| record.fault.is_some());
        let instruments: Vec<InstrumentIndex> = self.market.iter().map(|(instrument, _)| instrument).collect();
        let mut requests = self.requests(strategy);
        for instrument in instruments {
            requests.wind_down(instrument, if faulted { "fault" } else { "halt" });
        }
    }

    /// Takes the next timer that is due out of a strategy's seat.
    pub(crate) fn due(&mut self, at: usize) -> Option<TimerId> {
        self.seats.get_mut(at)?.timers.pop_due(self.clearing.now)
    }
}
