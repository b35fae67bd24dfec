//! A tournament with everything that it needs: components, data, windows, and the list of its runs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value as Json, json};
use tiltyard_engine::{Simulation, Window};
use tiltyard_market::{Catalog, Instruments, format_time};
use tiltyard_model::{Digest, Digester, Instrument, InstrumentKind, Interval, Nanos, Start, Variant};
use tiltyard_sandbox::{Component, engine_version};
use tiltyard_store::{DataSpan, RunKey};

use crate::error::ContestError;
use crate::market::{Known, Market, no_bars, read};
use crate::play::Desk;
use crate::spec::{Markets, Spec};
use crate::window::{Span, Split};

/// Most runs of a tournament.
pub const MOST_RUNS: usize = 200_000;

/// A tournament that can be run.
#[derive(Debug)]
pub struct Contest {
    /// What was asked for.
    pub spec: Spec,
    /// Who takes part, in the order of the specification.
    pub entrants: Vec<Entrant>,
    /// What is traded: a group for each symbol that is traded by itself, and one of all where they are traded together.
    pub groups: Vec<Group>,
    /// The windows.
    pub splits: Vec<Split>,
    /// Every run, in the order of results.
    pub runs: Vec<Run>,
    /// The end of what was read of the data, if a holdout lies behind it.
    pub sealed_from: Option<Nanos>,
}

/// A strategy that takes part.
#[derive(Debug)]
pub struct Entrant {
    /// The component, ready to start.
    pub component: Component<Desk>,
    /// Its bytes, to be kept.
    pub bytes: Arc<[u8]>,
    /// Where it came from.
    pub origin: String,
    /// Its variants.
    pub variants: Vec<Variant>,
    /// The groups that it trades, by index.
    pub groups: Vec<usize>,
}

/// A component that a specification names.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Admitted, compiled and linked, for event mode.
    pub component: Component<Desk>,
    /// Its bytes.
    pub bytes: Arc<[u8]>,
    /// Where it came from: a path, or that it is an example.
    pub origin: String,
}

/// Instruments that are traded in one run.
#[derive(Debug)]
pub struct Group {
    /// The symbols.
    pub label: String,
    /// The market and the rules; its window is all that may be played.
    pub simulation: Simulation,
    /// The currency of the account.
    pub settlement: String,
    /// Whether any of it is made up.
    pub synthetic: bool,
    /// All that may be played.
    pub span: Span,
    /// Digest of the data that may be read, instrument by instrument.
    pub data: Digest,
    /// What is known of the instruments when a window ends.
    known: BTreeMap<Nanos, Knowledge>,
}

/// What is known of the instruments of a group at an instant.
#[derive(Debug)]
struct Knowledge {
    instruments: Vec<Instrument>,
    /// Digest of all bars that have closed.
    data: Digest,
}

/// One run of a tournament, by indices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// Of [`Contest::entrants`].
    pub entrant: usize,
    /// Of [`Entrant::variants`].
    pub variant: usize,
    /// Of [`Contest::groups`].
    pub group: usize,
    /// Of [`Contest::splits`].
    pub split: usize,
    /// Whether it is the window to choose on.
    pub is_train: bool,
}

impl Contest {
    /// Puts a tournament together. `candidates` are the strategies' in the order of the specification.
    ///
    /// # Errors
    /// [`ContestError`]; nothing has been run or written.
    pub fn new(
        spec: Spec,
        candidates: Vec<Candidate>,
        catalog: &Catalog,
        instruments: &Instruments,
    ) -> Result<Self, ContestError> {
        let (market, sealed_from) = read(&spec, catalog)?;
        let all: Vec<usize> = (0..market.len()).collect();
        let mut contest =
            Self { spec, entrants: Vec::new(), groups: Vec::new(), splits: Vec::new(), runs: Vec::new(), sealed_from };
        let mut seen = BTreeSet::new();
        let mut places: Vec<Vec<usize>> = Vec::new();
        for (strategy, candidate) in contest.spec.strategies.iter().zip(candidates) {
            let Candidate { component, bytes, origin } = candidate;
            let admission = component.admission();
            let name = || admission.manifest.name.clone();
            if !seen.insert(admission.digest) {
                return Err(ContestError::Twice { strategy: name() });
            }
            if !admission.manifest.market_events.is_empty() {
                return Err(ContestError::OnTape { strategy: name() });
            }
            let variants = strategy.space.variants(admission.digest, &admission.manifest, contest.spec.seed)?;
            let wanted: Vec<Vec<usize>> = match strategy.markets {
                Markets::Each => all.iter().map(|at| vec![*at]).collect(),
                Markets::Together => vec![all.clone()],
            };
            if admission.is_signal() && wanted.iter().any(|group| group.len() > 1) {
                return Err(ContestError::Signal { strategy: name() });
            }
            let mut groups = Vec::with_capacity(wanted.len());
            for members in wanted {
                let known = places.iter().position(|known| *known == members);
                groups.push(known.unwrap_or(places.len()));
                if known.is_none() {
                    places.push(members);
                }
            }
            contest.entrants.push(Entrant { component, bytes, origin, variants, groups });
        }
        let places: Vec<Vec<&Market>> =
            places.iter().map(|members| members.iter().map(|at| &market[*at]).collect()).collect();
        contest.divide(&places)?;
        for members in &places {
            contest.groups.push(contest.group(members, instruments)?);
        }
        contest.list()?;
        Ok(contest)
    }

    /// The windows are those of the stretch that every market has, so that all are judged on the same time.
    fn divide(&mut self, places: &[Vec<&Market>]) -> Result<(), ContestError> {
        let spans = places.iter().map(|members| self.span_of(members)).collect::<Result<Vec<_>, _>>()?;
        let from = spans.iter().map(|span| span.from).max().unwrap_or_default();
        let whole = Span { from, to: spans.iter().map(|span| span.to).min().unwrap_or_default() };
        let splits = self.spec.windows.splits(whole);
        let label = || places.iter().map(|members| label(members)).collect::<Vec<_>>().join(", ");
        self.splits = splits.map_err(|error| ContestError::Split { label: label(), error })?;
        Ok(())
    }

    /// What may be played of these: what all of them have, and was asked for.
    fn span_of(&self, members: &[&Market]) -> Result<Span, ContestError> {
        let first = members.iter().map(|market| market.first).max().unwrap_or_default();
        let last = members.iter().map(|market| market.last).min().unwrap_or_default();
        let from = self.spec.market.from.map_or(first, |from| from.max(first));
        let to = self.spec.market.to.map_or(last, |to| to.min(last));
        let closes = |market: &Market, time: Nanos| {
            market.bars.open_time().partition_point(|open| Nanos(*open) + market.interval <= time)
        };
        match members.iter().find(|market| closes(market, to) <= closes(market, from)) {
            Some(none) => Err(no_bars(&none.symbol, [from, to], [none.first, none.end], self.sealed_from)),
            None => Ok(Span { from, to }),
        }
    }

    /// Every run, in the order of results: by strategy, market, variant, window.
    fn list(&mut self) -> Result<(), ContestError> {
        let windows: usize = self.splits.iter().map(|split| split.spans().count()).sum();
        let each = self.entrants.iter().map(|entrant| entrant.variants.len() as u128 * entrant.groups.len() as u128);
        let count = each.sum::<u128>() * windows as u128;
        if count > MOST_RUNS as u128 {
            let variants = self.entrants.iter().map(|entrant| entrant.variants.len()).sum();
            return Err(ContestError::TooMany { count, variants, groups: self.groups.len(), windows });
        }
        for (entrant, entrant_of) in self.entrants.iter().enumerate() {
            for &group in &entrant_of.groups {
                for variant in 0..entrant_of.variants.len() {
                    for (split, windows) in self.splits.iter().enumerate() {
                        let run = Run { entrant, variant, group, split, is_train: false };
                        self.runs.extend(windows.train.map(|_| Run { is_train: true, ..run }));
                        self.runs.push(run);
                    }
                }
            }
        }
        Ok(())
    }

    fn group(&self, members: &[&Market], instruments: &Instruments) -> Result<Group, ContestError> {
        let spec = &self.spec;
        let span = self.span_of(members)?;
        let ends: BTreeSet<Nanos> =
            self.splits.iter().flat_map(|split| split.spans().map(|span| span.to)).chain([span.to]).collect();
        let of_each: Vec<BTreeMap<Nanos, Known>> =
            members.iter().map(|market| market.known(&ends, instruments, spec)).collect();
        let knowledge = |end: &Nanos| {
            let mut digester = Digester::default();
            digester.text("tiltyard market 2");
            let known = of_each.iter().filter_map(|known| known.get(end));
            let instruments = known.map(|known| {
                digester.bytes(&known.data.0);
                known.instrument.clone()
            });
            Knowledge { instruments: instruments.collect(), data: digester.finish() }
        };
        let known: BTreeMap<Nanos, Knowledge> = ends.iter().map(|end| (*end, knowledge(end))).collect();
        let (instruments, data) = known
            .get(&span.to)
            .map(|known| (known.instruments.clone(), known.data))
            .expect("the end of all that may be played is one of the ends");
        let settlement = instruments[0].quote.clone();
        if let Some(other) = instruments.iter().find(|instrument| instrument.quote != settlement) {
            let (symbol, quote) = (other.symbol.clone(), other.quote.clone());
            return Err(ContestError::Currencies { symbol, quote, settlement });
        }
        if let Some(perpetual) = instruments.iter().find(|instrument| instrument.kind == InstrumentKind::Perpetual) {
            return Err(ContestError::Perpetual { symbol: perpetual.symbol.clone() });
        }
        let simulation = Simulation {
            market: members.iter().zip(instruments).map(|(market, instrument)| market.traded(instrument)).collect(),
            window: Window { from: Some(span.from), to: Some(span.to), ..Window::default() },
            profile: spec.rules.profile,
            costs: spec.rules.costs,
            latency: spec.rules.latency,
            risk: spec.rules.risk.clone(),
            seed: spec.seed,
            days_per_year: spec.rules.days_per_year,
            margin: tiltyard_engine::MarginTerms::default(),
        };
        let synthetic = members.iter().any(|market| market.is_synthetic);
        Ok(Group { label: label(members), simulation, settlement, synthetic, span, data, known })
    }

    /// The window of a run.
    #[must_use]
    pub fn span(&self, run: &Run) -> Span {
        let split = &self.splits[run.split];
        split.train.filter(|_| run.is_train).unwrap_or(split.test)
    }

    /// The variant of a run.
    #[must_use]
    pub fn variant(&self, run: &Run) -> &Variant {
        &self.entrants[run.entrant].variants[run.variant]
    }

    /// The market of a run with its window, and with what the strategy is told at its start.
    #[must_use]
    pub fn scene(&self, run: &Run) -> (Simulation, Start) {
        let (entrant, group) = (&self.entrants[run.entrant], &self.groups[run.group]);
        let manifest = &entrant.component.admission().manifest;
        let span = self.span(run);
        let window = Window {
            from: Some(span.from),
            to: Some(span.to),
            warm_up_bars: manifest.warm_up_of_run(),
            // Windows of a walk follow each other: whatever is held at a seam is paid for.
            close_at_end: self.splits[run.split].train.is_some(),
        };
        let mut simulation = Simulation { window, ..group.simulation.clone() };
        if let Some(known) = group.known.get(&span.to) {
            for (traded, instrument) in simulation.market.iter_mut().zip(&known.instruments) {
                traded.instrument = instrument.clone();
            }
        }
        let start = Start {
            instruments: simulation.instruments(),
            parameters: self.variant(run).parameters().clone().into_iter().collect(),
            settlement: group.settlement.clone(),
            seed: simulation.seed,
        };
        (simulation, start)
    }

    /// What a run trades.
    #[must_use]
    pub fn symbols(&self, run: &Run) -> Vec<String> {
        let market = self.groups[run.group].simulation.market.iter();
        market.map(|traded| traded.instrument.symbol.clone()).collect()
    }

    /// Everything that a run follows from, and nothing else.
    #[must_use]
    pub fn inputs(&self, run: &Run) -> Json {
        let (simulation, _) = self.scene(run);
        let group = &self.groups[run.group];
        let market = simulation.market.iter();
        let rules = simulation.profile.rules(simulation.costs);
        json!({
            "tiltyard": env!("CARGO_PKG_VERSION"),
            "engine": engine_version(),
            "component": self.variant(run).component(),
            "parameters": self.variant(run).parameters(),
            "instruments": market.map(|traded| &traded.instrument).collect::<Vec<_>>(),
            "interval": self.spec.market.interval,
            "data": group.known.get(&self.span(run).to).map(|known| known.data),
            "window": simulation.window,
            "profile": {"name": rules.name(), "version": rules.version(), "costs": simulation.costs},
            "latency": simulation.latency,
            "risk": simulation.risk,
            "cash": self.spec.rules.cash,
            "settlement": group.settlement,
            "periods_per_year": simulation.days_per_year,
            "seed": simulation.seed,
        })
    }

    /// The name of a run.
    #[must_use]
    pub fn key(&self, run: &Run) -> RunKey {
        RunKey::of(&self.inputs(run))
    }

    /// What a run's window is called in lists: the market, what the window is for, and its time.
    #[must_use]
    pub fn window_name(&self, run: &Run) -> String {
        let span = self.span(run);
        let kind = match (self.splits[run.split].train, run.is_train) {
            (None, _) => "whole",
            (_, true) => "train",
            (_, false) => "test",
        };
        let (from, to) = (format_time(span.from), format_time(span.to));
        format!("{} {kind} {from} {to}", self.groups[run.group].label)
    }

    /// All the data that a group is played on, as the ledger of trials names it.
    #[must_use]
    pub fn data_span(&self, group: usize) -> DataSpan {
        let group = &self.groups[group];
        let Interval::Only(interval) = self.spec.market.interval else {
            unreachable!("a specification names a length")
        };
        let market = group.simulation.market.iter();
        DataSpan {
            venue: self.spec.market.venue.clone(),
            symbols: market.map(|traded| traded.instrument.symbol.clone()).collect(),
            interval,
            from: self
                .splits
                .first()
                .map_or(group.span.from, |split| split.train.map_or(split.test.from, |train| train.from)),
            to: self.splits.last().map_or(group.span.to, |split| split.test.to),
            data: group.data,
        }
    }

    /// What makes it this tournament and no other: the specification as it was given, with all that its runs follow from.
    #[must_use]
    pub fn identity(&self, text: &str) -> String {
        let components = self.entrants.iter().map(|entrant| entrant.component.admission().digest);
        let mut digester = Digester::default();
        for variant in self.entrants.iter().flat_map(|entrant| &entrant.variants) {
            digester.bytes(&variant.digest().0);
        }
        // Runs of one window differ in their variants only.
        for run in self.runs.iter().filter(|run| run.variant == 0) {
            digester.bytes(&self.key(run).0.0);
        }
        json!({
            "specification": text,
            "tiltyard": env!("CARGO_PKG_VERSION"),
            "engine": engine_version(),
            "components": components.collect::<Vec<_>>(),
            "data": self.groups.iter().map(|group| group.data).collect::<Vec<_>>(),
            "runs": digester.finish(),
        })
        .to_string()
    }

    /// Whether any of the market is made up.
    #[must_use]
    pub fn is_synthetic(&self) -> bool {
        self.groups.iter().any(|group| group.synthetic)
    }
}

/// The symbols of a group.
fn label(members: &[&Market]) -> String {
    members.iter().map(|market| market.symbol.as_str()).collect::<Vec<_>>().join("+")
}
