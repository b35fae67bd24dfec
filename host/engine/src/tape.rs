//! Runs on what a venue published, rather than on bars.

use std::iter::Peekable;

use tiltyard_model::tape::Stamped;
use tiltyard_model::{Instrument, InstrumentIndex, Nanos};
use tiltyard_risk::{RiskProfile, Venture};

use crate::desk::TradingDesk;
use crate::event::Log;
use crate::feed::{Feed, MarketEvent, Step};
use crate::kernel::Kernel;
use crate::margin::MarginTerms;
use crate::metrics::Basis;
use crate::setup::{Setup, SetupError};
use crate::strategy::Strategy;
use crate::venue::{Latency, TapeVenue};

/// Tapes, merged by the time of receipt: all events of one time are one step, in the order of instruments, and those of an
/// instrument in the order of its tape.
#[derive(Debug)]
pub struct TapeFeed<I: Iterator<Item = Stamped>> {
    tapes: Vec<Peekable<I>>,
    last: Nanos,
}

impl<I: Iterator<Item = Stamped>> TapeFeed<I> {
    /// One tape for each instrument, in their order.
    #[must_use]
    pub fn new(tapes: impl IntoIterator<Item = I>) -> Self {
        Self { tapes: tapes.into_iter().map(Iterator::peekable).collect(), last: Nanos(i64::MIN) }
    }
}

impl<I: Iterator<Item = Stamped>> Feed for TapeFeed<I> {
    fn next(&mut self, step: &mut Step) -> bool {
        step.events.clear();
        let received = self.tapes.iter_mut().filter_map(|tape| tape.peek().map(|event| event.received));
        let Some(received) = received.min() else { return false };
        // What claims to be from the past was received now.
        let time = received.max(self.last);
        (step.time, self.last) = (time, time);
        for (index, tape) in (0..).map(InstrumentIndex).zip(&mut self.tapes) {
            while let Some(event) = tape.next_if(|event| event.received <= time) {
                step.events.push(MarketEvent::Tape(index, Stamped { received: time, ..event }));
            }
        }
        true
    }
}

/// How tapes are traded: all that the results of a run depend on, but for the tapes and the strategies.
#[derive(Debug, Clone)]
pub struct TapeSimulation {
    /// What is traded.
    pub instruments: Vec<Instrument>,
    /// How long orders take.
    pub latency: Latency,
    /// The limits that every order passes.
    pub risk: RiskProfile,
    /// On what margin perpetuals are held.
    pub margin: MarginTerms,
    /// Where latencies are drawn from, and what strategies draw from.
    pub seed: u64,
    /// When the first event was received.
    pub begin: Nanos,
    /// How often equity is taken down, above 0. It is what returns are taken over, and what strategies are told the length of bars is,
    /// of which there are none.
    pub sampling: Nanos,
    /// Days of trading a year, for metrics: 365, or 252 for equities.
    pub days_per_year: f64,
}

impl TapeSimulation {
    /// The usual time between two samples of equity: a second.
    pub const SAMPLING: Nanos = Nanos(1_000_000_000);

    /// A kernel for these instruments, without strategies yet. It is run with a [`TapeFeed`].
    ///
    /// # Errors
    /// When an instrument or a limit makes no sense.
    pub fn kernel<S: Strategy<TradingDesk<TapeVenue>>>(&self, log: Log) -> Result<Kernel<TapeVenue, S>, SetupError> {
        Kernel::empty(Setup {
            instruments: self.listed(),
            venue: TapeVenue::new(self.latency, self.seed, self.instruments.len()),
            margin: self.margin,
            risk: self.risk.clone(),
            venture: Venture::Simulated,
            guard: None,
            overseer: None,
            log,
            begin: self.begin,
        })
    }

    /// What is traded, and what strategies are told the length of bars is.
    #[must_use]
    pub fn listed(&self) -> Vec<(Instrument, Nanos)> {
        self.instruments.iter().map(|instrument| (instrument.clone(), self.sampling)).collect()
    }

    /// What metrics depend on beside the record of a strategy.
    #[must_use]
    pub fn basis(&self) -> Basis {
        Basis { begin: self.begin, interval: self.sampling, sampled: true, days_per_year: self.days_per_year }
    }
}

#[cfg(test)]
mod tests {
    use super::TapeFeed;
    use crate::feed::{Feed, MarketEvent, Step};
    use tiltyard_model::Nanos;
    use tiltyard_model::tape::{DepthChange, Stamped, TapeEvent};

    #[test]
    fn events_of_one_time_are_one_step_and_time_never_goes_back() {
        let event = |(received, update): (i64, u64)| Stamped {
            received: Nanos(received),
            happened: None,
            update: Some(update),
            event: TapeEvent::Depth(DepthChange::default()),
        };
        let tapes = [vec![(5, 1), (5, 2), (3, 3), (9, 4)], vec![(4, 5), (5, 6), (9, 7)]];
        let mut feed = TapeFeed::new(tapes.map(|tape| tape.into_iter().map(event)));
        let (mut step, mut seen) = (Step::default(), Vec::new());
        while feed.next(&mut step) {
            let events = step.events.iter().map(|event| match event {
                MarketEvent::Tape(index, Stamped { update: Some(update), received, .. }) if *received == step.time => {
                    (index.0, *update)
                }
                other => panic!("{other:?}"),
            });
            seen.push((step.time.0, events.collect::<Vec<_>>()));
        }
        let expected = [(4, vec![(1, 5)]), (5, vec![(0, 1), (0, 2), (0, 3), (1, 6)]), (9, vec![(0, 4), (1, 7)])];
        assert_eq!(seen, expected);
    }
}
