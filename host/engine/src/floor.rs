use tiltyard_model::tape::{Print, TapeEvent};
use tiltyard_model::{HostStop, Nanos, TimerId};
use tiltyard_risk::{AccountGuard, Correlations, Fraction, Limits, Measure, RiskProfile, Venture};

use crate::clearing::Clearing;
use crate::event::Event;
use crate::execution::StrategyIndex;
use crate::feed::{MarketEvent, Step};
use crate::market::{Listed, Market};
use crate::oversight::Overseer;
use crate::requests::Requests;
use crate::timers::Timers;
use crate::venue::Venue;

/// Everything in the kernel but the strategies.
#[derive(Debug)]
pub(crate) struct Floor<V> {
    pub(crate) market: Market,
    pub(crate) venue: V,
    pub(crate) clearing: Clearing,
    pub(crate) risk: RiskProfile,
    /// What money is at stake.
    pub(crate) venture: Venture,
    /// Where the account stood before a restart, until the run begins.
    pub(crate) restored: Option<AccountGuard>,
    /// How instruments hang together, and on which day that was worked out.
    pub(crate) correlations: Correlations,
    pub(crate) correlated_on: Option<i64>,
    /// What the clock says: time itself does not go back.
    pub(crate) clock: Nanos,
    pub(crate) overseer: Option<Box<dyn Overseer>>,
    pub(crate) seats: Vec<Seat>,
    /// Whether the run has begun: before, nothing can be ordered.
    pub(crate) open: bool,
    /// Whose turn it is.
    pub(crate) acting: StrategyIndex,
    pub(crate) next_timer: u64,
    pub(crate) sampling: Sampling,
}

/// When equity is taken down where no bars close: in steps of the shortest bar from the beginning of the run on.
#[derive(Debug)]
pub(crate) struct Sampling {
    /// The next time; `None` before the first event of a tape.
    pub(crate) next: Option<Nanos>,
    /// Whether something has happened since the last time.
    pub(crate) is_due: bool,
}

/// A strategy's place: what the kernel keeps for it beside its books.
#[derive(Debug, Clone)]
pub(crate) struct Seat {
    pub(crate) name: String,
    pub(crate) host_stop: Option<HostStop>,
    /// What part of its equity it may put at stake.
    pub(crate) share: Fraction,
    /// Its limits whatever it trades, and in each instrument.
    pub(crate) overall: Limits,
    pub(crate) limits: Vec<Limits>,
    pub(crate) timers: Timers,
}

impl<V: Venue> Floor<V> {
    pub(crate) fn requests(&mut self, strategy: StrategyIndex) -> Requests<'_, V> {
        Requests {
            strategy,
            seat: self.seats.get(strategy.0 as usize),
            market: &self.market,
            risk: &self.risk,
            correlations: &self.correlations,
            clock: self.clock,
            overseer: self.overseer.as_deref_mut(),
            venue: &mut self.venue,
            clearing: &mut self.clearing,
        }
    }

    pub(crate) fn seat(&mut self) -> Option<&mut Seat> {
        self.seats.get_mut(self.acting.0 as usize)
    }

    /// The run has begun.
    pub(crate) fn begin(&mut self) {
        self.open = true;
        self.restore();
    }

    /// Puts the account's guard where it stood before a restart. All strategies have their seats, so that what was kept of the
    /// account is not added to.
    pub(crate) fn restore(&mut self) {
        if let Some(guard) = self.restored.take() {
            self.take(Measure::Restored(Box::new(guard)));
        }
    }

    /// The market's part of an instant: fills, then marks, then what is in history.
    pub(crate) fn market_moves(&mut self, step: &Step) {
        // A step from the past happens now.
        self.clearing.advance(step.time);
        self.clock = step.time;
        for event in &step.events {
            match *event {
                MarketEvent::Mark(instrument, bar) => self.market.mark(instrument, &bar),
                MarketEvent::Tape(instrument, ref stamped) => {
                    let Some(listed) = self.market.get(instrument) else { continue };
                    self.venue.on_tape(instrument, listed, stamped, step.time, &mut self.clearing);
                    if let TapeEvent::Print(Print { price, quantity, .. }) = stamped.event {
                        self.clearing.record(Event::Print { instrument, price, quantity });
                    }
                    self.market.tape(instrument, stamped);
                }
                MarketEvent::Bar(instrument, bar) => {
                    let Some(listed) = self.market.get(instrument) else { continue };
                    self.venue.on_bar(instrument, listed, &bar, step.time, &mut self.clearing);
                    let ohlcv = [bar.open, bar.high, bar.low, bar.close, bar.volume];
                    self.clearing.record(Event::Bar { instrument, open_time: bar.open_time, ohlcv });
                    let mark = listed.mark_bar(&bar).close;
                    self.market.bar(instrument, &bar);
                    if mark != bar.close {
                        self.clearing.record(Event::Mark { instrument, price: mark });
                    }
                }
                MarketEvent::Funding(instrument, rate) => {
                    if let Some(mark) = self.market.get(instrument).and_then(Listed::mark) {
                        self.clearing.funding(instrument, rate, mark);
                    }
                }
                MarketEvent::Ended(instrument) => {
                    let Some(listed) = self.market.get(instrument) else { continue };
                    self.venue.on_end(instrument, listed, step.time, "delisted", &mut self.clearing);
                    self.clearing.record(Event::Ended(instrument));
                    self.market.end(instrument);
                }
            }
        }
        self.liquidate();
        self.correlate();
    }

    /// Closes by force whose margin is used up at the marks of this instant: funding may have taken it, or another instrument.
    fn liquidate(&mut self) {
        if !self.clearing.is_margined() {
            return;
        }
        // What one liquidation costs may be what another position lacks.
        for strategy in self.clearing.books.strategies() {
            for (instrument, listed) in (0..self.market.len()).flat_map(|_| self.market.iter()) {
                let mark = listed.mark().filter(|mark| self.clearing.is_used_up(strategy, instrument, *mark));
                if let Some(mark) = mark {
                    let now = self.clearing.now;
                    self.venue.liquidate(strategy, instrument, listed, mark, now, &mut self.clearing);
                }
            }
        }
    }

    /// Takes equity down at every point of the grid that a tape has come to. A point stands for all that happened up to it, so that
    /// the returns between two points are of equal time, however many events there were.
    pub(crate) fn sample_before(&mut self, time: Nanos) {
        /// Points without any event of which each is taken down.
        const QUIET: i64 = 1_000_000;
        let interval = self.market.iter().map(|(_, listed)| listed.interval).min().unwrap_or(Nanos(1));
        let mut next = self.sampling.next.unwrap_or(self.clearing.now + interval);
        let quiet = (time - next).0.div_euclid(interval.0) - QUIET;
        if quiet > 0 {
            next = next + Nanos(quiet * interval.0);
        }
        while next < time {
            self.clearing.advance(next);
            self.sample();
            next = next + interval;
        }
        self.sampling = Sampling { next: Some(next), is_due: true };
    }

    pub(crate) fn sample(&mut self) {
        self.clearing.record(Event::Instant);
        self.sampling.is_due = false;
    }

    /// The last instant of a tape, and what the tapes were.
    pub(crate) fn end_of_tapes(&mut self) {
        if self.sampling.is_due {
            self.sample();
        }
        for (instrument, listed) in self.market.iter() {
            if let Some((events, digest)) = listed.tape_so_far() {
                self.clearing.record(Event::Tape { instrument, events, digest });
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

    /// The limits that hold for a strategy as a whole.
    pub(crate) fn limits_of(&self, strategy: StrategyIndex) -> &Limits {
        self.seats.get(strategy.0 as usize).map_or(&self.risk.limits, |seat| &seat.overall)
    }

    /// Takes the next timer that is due out of a strategy's seat.
    pub(crate) fn due(&mut self, at: usize) -> Option<TimerId> {
        self.seats.get_mut(at)?.timers.pop_due(self.clearing.now)
    }
}
