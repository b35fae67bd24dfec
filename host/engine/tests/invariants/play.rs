//! How a scenario is played: against the simulated venue, step by step, with the audit reading along.

use std::sync::Arc;

use tiltyard_engine::venue::{Conservative, SimulatedVenue};
use tiltyard_engine::{BarFeed, Books, Feed, Kernel, Lane, Log, Player, Setup, Step, StrategyIndex, Terms};
use tiltyard_model::{HostStop, Money, Nanos};
use tiltyard_risk::{Fraction, MaxDrawdown, RiskProfile, Venture};

use crate::actor::Actor;
use crate::audit::{Audit, Findings, Law};
use crate::common::dec;
use crate::scenario::{Listing, Scenario, Script};

/// What every strategy begins with.
pub(crate) const CASH: &str = "100000";

impl Scenario {
    /// What is broken of these laws.
    pub(crate) fn broken(&self, laws: &[Law]) -> Vec<(Law, String)> {
        self.audit().broken.into_iter().filter(|(law, _)| laws.contains(law)).collect()
    }

    pub(crate) fn audit(&self) -> Findings {
        let mut audit = Audit::new(self);
        self.play(self.players.clone(), |step, books| audit.step(step, books));
        audit.findings
    }

    pub(crate) fn run(&self) -> Books {
        self.play(self.players.clone(), |_, _| {})
    }

    /// Plays other scripts in its place, and calls after every step and after a halt.
    pub(crate) fn play(&self, scripts: Vec<Script>, mut each: impl FnMut(&Step, &Books)) -> Books {
        let mut kernel = self.kernel(scripts);
        let (mut feed, mut step) = (self.feed(), Step::default());
        for at in 0.. {
            if let Some((_, strategy)) = self.halt.filter(|(when, _)| *when == at) {
                let strategy = StrategyIndex(strategy % self.players.len() as u32);
                kernel.halt(strategy, "test");
                each(&Step { time: step.time, events: Vec::new() }, kernel.books().unwrap());
            }
            if kernel.is_over() || !feed.next(&mut step) {
                break;
            }
            kernel.step(&step);
            each(&step, kernel.books().unwrap());
        }
        kernel.finish().books
    }

    fn kernel(&self, scripts: Vec<Script>) -> Kernel<SimulatedVenue, Actor> {
        let listed = self.listings.iter().enumerate();
        let rules = Box::new(Conservative { costs: self.costs });
        let setup = Setup {
            instruments: listed.map(|(at, listing)| (listing.instrument(at), listing.interval())).collect(),
            venue: SimulatedVenue::new(rules, self.latency, 7, self.listings.len()),
            risk: RiskProfile::research()
                .with_max_drawdown(self.short_of_patience.then_some(MaxDrawdown { most: Fraction::bps(200) })),
            venture: Venture::Simulated,
            margin: self.margin,
            guard: None,
            overseer: None,
            log: Log::keeping(),
            begin: Nanos(0),
        };
        let player = |script: Script| {
            let host_stop = script.host_stop.then_some(HostStop { atr_multiple: 1.5, atr_bars: 3 });
            let terms = Terms::new("test", Money(dec(CASH)), host_stop);
            Player { strategy: Actor::new(script, self.listings.len()), terms }
        };
        Kernel::new(setup, scripts.into_iter().map(player).collect()).unwrap()
    }

    fn feed(&self) -> BarFeed {
        let lane = |(at, listing): (usize, &Listing)| Lane {
            ends: listing.ends,
            perpetual: listing.perpetual(at),
            ..Lane::new(Arc::new(listing.bars(at)), listing.interval())
        };
        BarFeed::new(self.listings.iter().enumerate().map(lane).collect())
    }
}
