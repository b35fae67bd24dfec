use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

use anyhow::{Result, bail, ensure};
use serde_json::json;
use tiltyard_engine::venue::{Costs, TapeVenue};
use tiltyard_engine::{Log, Outcome, TapeFeed, TapeSimulation, Window};
use tiltyard_market::{ASSUMED_FEE, format_time};
use tiltyard_model::{Interval, Manifest, MarketEvents, Nanos};
use tiltyard_sandbox::Fault;

use super::Request;
use super::entrant::Entrant;
use super::market::given;
use super::recording::Recording;
use super::request::Data;
use super::result::{Stage, perpetual};

/// A component and tapes, ready to run, any number of times.
pub(crate) struct TapeRun {
    pub(crate) entrant: Entrant<TapeVenue>,
    pub(super) simulation: TapeSimulation,
    recordings: Vec<Recording>,
    /// Where the rules of each instrument come from, in words.
    rules: Vec<String>,
    settlement: String,
    pub(super) request: Request,
}

impl TapeRun {
    /// Reads the component and the tapes that a request names.
    pub(super) fn new(request: &Request, cache: Option<&Path>) -> Result<Self> {
        let Data::Tapes { tapes } = &request.data else { bail!("a run on bars has no tape") };
        let component = Entrant::load(request, None, cache)?;
        let manifest = &component.admission().manifest;
        takes_tapes(manifest)?;
        let (mut recordings, mut instruments, mut rules) = (Vec::new(), Vec::new(), Vec::new());
        for (tape, symbol) in tapes.iter().zip(&request.symbols) {
            let recording = Recording::read(tape, symbol, request.to)?;
            let shown = recording.steps.instrument(symbol, &request.venue, ASSUMED_FEE, ASSUMED_FEE);
            let (instrument, from) = given(request, shown, None)?;
            recordings.push(recording);
            instruments.push(instrument);
            rules.push(from);
        }
        hears_something(manifest, &recordings)?;
        let settlement = super::market::settlement(&instruments)?;
        let simulation = TapeSimulation {
            instruments,
            latency: request.latency,
            risk: request.risk.clone(),
            margin: request.perpetual.terms()?,
            seed: request.seed,
            begin: recordings.iter().map(|recording| recording.played.first).min().unwrap_or_default(),
            sampling: TapeSimulation::SAMPLING,
            days_per_year: request.days_per_year,
        };
        let entrant = Entrant::new(request, component, simulation.listed(), &settlement)?;
        Ok(Self { entrant, simulation, recordings, rules, settlement, request: request.clone() })
    }

    /// Runs it.
    pub(super) fn run(&self, log: Log) -> Result<Outcome<Fault>> {
        let mut kernel = self.simulation.kernel(log)?;
        self.entrant.sit(&mut kernel)?;
        let broken = Rc::new(RefCell::new(None));
        let tapes = self.recordings.iter().map(|recording| recording.events(&broken)).collect::<Result<Vec<_>>>()?;
        let outcome = kernel.run(&mut TapeFeed::new(tapes));
        match broken.take() {
            Some(error) => Err(error),
            None => Ok(outcome),
        }
    }

    /// What it was played on.
    pub(super) fn stage(&self) -> Stage {
        let instruments = self.simulation.instruments.iter().zip(&self.recordings).zip(&self.rules);
        let instruments = instruments.map(|((instrument, recording), rules)| {
            let played = &recording.played;
            let mut said = json!({
                "instrument": instrument,
                "rules": rules,
                "data": {
                    "from": "tape",
                    "digest": recording.digest,
                    "synthetic": false,
                    "played": played.counts,
                    "report": recording.report,
                },
                "first_bar": null,
                "last_bar": null,
                "first_event": format_time(played.first),
                "last_event": format_time(played.last),
            });
            perpetual(&mut said, instrument, json!({}));
            said
        });
        let margined = self.simulation.instruments.iter().any(|instrument| instrument.kind.is_margined());
        Stage {
            instruments: instruments.collect(),
            window: Window { to: self.request.to, ..Window::default() },
            profile: json!({"name": TapeVenue::RULES, "version": TapeVenue::VERSION, "costs": Costs::none()}),
            settlement: self.settlement.clone(),
            margin: margined.then_some(self.simulation.margin),
            basis: self.simulation.basis(),
        }
    }

    /// From when to when it was played.
    pub(super) fn span(&self) -> (Nanos, Nanos) {
        let played = self.recordings.iter().map(|recording| &recording.played);
        let last = played.map(|played| played.last).max();
        (self.simulation.begin, last.unwrap_or_default())
    }
}

/// Whether a tape has anything for a strategy.
fn takes_tapes(manifest: &Manifest) -> Result<()> {
    let name = &manifest.name;
    ensure!(
        !manifest.market_events.is_empty(),
        "{name} trades bars, and a tape has none of them; give its bars with --data FILE --interval LENGTH, or take a strategy \
         that is told of quotes or trades"
    );
    ensure!(
        manifest.interval == Interval::Any,
        "{name} trades bars of {}, and a tape has none of them; its manifest must say that any interval will do",
        manifest.interval
    );
    ensure!(
        manifest.host_stop.is_none(),
        "{name} asks the host for a stop-loss by the average true range of bars, and a tape has none of them; let it send its stops"
    );
    Ok(())
}

/// Whether anything that a strategy is told of is on the tapes.
fn hears_something(manifest: &Manifest, recordings: &[Recording]) -> Result<()> {
    let of = |kind: &MarketEvents| match kind {
        MarketEvents::Quotes => {
            ("quotes", recordings.iter().map(|recording| recording.played.counts.quotes).sum::<u64>())
        }
        MarketEvents::Trades => ("trades", recordings.iter().map(|recording| recording.played.counts.trades).sum()),
    };
    let told: Vec<_> = manifest.market_events.iter().map(of).collect();
    ensure!(
        told.iter().any(|(_, count)| *count > 0),
        "{} is told of {} alone, and there are none; record bookTicker for quotes, trade or aggTrade for trades",
        manifest.name,
        told.iter().map(|(kind, _)| *kind).collect::<Vec<_>>().join(" and ")
    );
    Ok(())
}
