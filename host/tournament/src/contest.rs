//! A tournament with everything that it needs: components, data, windows, and the list of its runs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value as Json, json};
use tiltyard_config::ConfigError;
use tiltyard_engine::{Simulation, Traded, Window};
use tiltyard_market::{
    Catalog, CatalogError, Instruments, Key, KeyError, format_time, infer_instrument, months_before,
};
use tiltyard_model::{Columns, Digest, Digester, Instrument, Interval, Nanos, Start, Variant, to_f64};
use tiltyard_sandbox::{Component, engine_version};
use tiltyard_store::{DataSpan, RunKey};

use crate::play::Desk;
use crate::space::SpaceError;
use crate::spec::{Markets, Spec};
use crate::window::{Span, Split, SplitError};

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

/// Why a tournament cannot be held.
#[derive(Debug, thiserror::Error)]
pub enum ContestError {
    /// The specification.
    #[error(transparent)]
    Spec(#[from] ConfigError),
    /// The variants.
    #[error(transparent)]
    Space(#[from] SpaceError),
    /// The data.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// A name that no series can have.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The windows.
    #[error("{label}: {error}")]
    Split {
        /// Of which data.
        label: String,
        /// What is wrong with them.
        error: SplitError,
    },
    /// No data where it was asked for.
    #[error("{symbol} has no bars from {from} to {to}; its data goes from {first} to {last}{}", seal(.sealed.as_deref()))]
    NoBars {
        /// The symbol.
        symbol: String,
        /// What was asked for.
        from: String,
        /// What was asked for.
        to: String,
        /// When its first bar opens.
        first: String,
        /// When its last bar closes.
        last: String,
        /// Where the holdout begins, if there is one.
        sealed: Option<String>,
    },
    /// One account has one currency.
    #[error(
        "{symbol} is priced in {quote}, the others in {settlement}; an account has one currency: give it a tournament of its own"
    )]
    Currencies {
        /// The symbol.
        symbol: String,
        /// Its currency.
        quote: String,
        /// That of those before it.
        settlement: String,
    },
    /// A signal strategy trades one instrument.
    #[error("{strategy} is a signal strategy, which trades one instrument at a time; give it `markets = \"each\"`")]
    Signal {
        /// The strategy.
        strategy: String,
    },
    /// Two components with one digest.
    #[error("{strategy} takes part twice with the same component; put its variants under one [[strategy]]")]
    Twice {
        /// The strategy.
        strategy: String,
    },
    /// More than can be run.
    #[error(
        "that makes {count} runs, at most {MOST_RUNS} are taken: {variants} variants on {groups} markets and {windows} windows"
    )]
    TooMany {
        /// Runs.
        count: u128,
        /// Variants of all strategies.
        variants: usize,
        /// Markets.
        groups: usize,
        /// Windows.
        windows: usize,
    },
}

fn seal(from: Option<&str>) -> String {
    from.map(|from| format!(", of which what closes after {from} is the sealed holdout")).unwrap_or_default()
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
        let market = read(&spec, catalog, instruments)?;
        let last = market.iter().map(|(traded, _)| close_of_last(traded)).max().unwrap_or_default();
        let sealed_from = (spec.market.holdout_months > 0).then(|| months_before(last, spec.market.holdout_months));
        let mut contest =
            Self { spec, entrants: Vec::new(), groups: Vec::new(), splits: Vec::new(), runs: Vec::new(), sealed_from };
        let mut seen = BTreeSet::new();
        let mut places: BTreeMap<Vec<usize>, usize> = BTreeMap::new();
        for (strategy, candidate) in contest.spec.strategies.clone().iter().zip(candidates) {
            let Candidate { component, bytes, origin } = candidate;
            let admission = component.admission();
            let name = || admission.manifest.name.clone();
            if !seen.insert(admission.digest) {
                return Err(ContestError::Twice { strategy: name() });
            }
            let variants = strategy.space.variants(admission.digest, &admission.manifest, contest.spec.seed)?;
            let all: Vec<usize> = (0..market.len()).collect();
            let wanted: Vec<Vec<usize>> = match strategy.markets {
                Markets::Each => all.into_iter().map(|at| vec![at]).collect(),
                Markets::Together => vec![all],
            };
            if admission.is_signal() && wanted.iter().any(|group| group.len() > 1) {
                return Err(ContestError::Signal { strategy: name() });
            }
            let mut groups = Vec::with_capacity(wanted.len());
            for members in wanted {
                let at = match places.get(&members) {
                    Some(at) => *at,
                    None => {
                        contest.groups.push(contest.group(&members, &market)?);
                        places.insert(members, contest.groups.len() - 1);
                        contest.groups.len() - 1
                    }
                };
                groups.push(at);
            }
            contest.entrants.push(Entrant { component, bytes, origin, variants, groups });
        }
        contest.divide()?;
        Ok(contest)
    }

    /// The windows are those of the stretch that every market has, so that all are judged on the same time.
    fn divide(&mut self) -> Result<(), ContestError> {
        let from = self.groups.iter().map(|group| group.span.from).max().unwrap_or_default();
        let to = self.groups.iter().map(|group| group.span.to).min().unwrap_or_default();
        let whole = Span { from, to };
        let label = self.groups.iter().map(|group| group.label.as_str()).collect::<Vec<_>>().join(", ");
        self.splits = self.spec.windows.splits(whole).map_err(|error| ContestError::Split { label, error })?;
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

    fn group(&self, members: &[usize], market: &[(Traded, bool)]) -> Result<Group, ContestError> {
        let spec = &self.spec;
        let traded: Vec<Traded> = members.iter().map(|at| market[*at].0.clone()).collect();
        let settlement = traded[0].instrument.quote.clone();
        if let Some(other) = traded.iter().find(|traded| traded.instrument.quote != settlement) {
            let (symbol, quote) = (other.instrument.symbol.clone(), other.instrument.quote.clone());
            return Err(ContestError::Currencies { symbol, quote, settlement });
        }
        let last = traded.iter().map(close_of_last).min().unwrap_or_default();
        let first = traded.iter().map(|traded| open_of_first(&traded.bars)).max().unwrap_or_default();
        let from = spec.market.from.map_or(first, |from| from.max(first));
        let end = self.sealed_from.map_or(last, |sealed| sealed.min(last));
        let to = spec.market.to.map_or(end, |to| to.min(end));
        let label = traded.iter().map(|traded| traded.instrument.symbol.as_str()).collect::<Vec<_>>().join("+");
        let mut digester = Digester::default();
        digester.text("tiltyard market 1");
        for traded in &traded {
            let window = Window { from: None, to: Some(to), ..Window::default() };
            let lane = traded.lane(&window);
            if lane.to == 0 || to <= from {
                return Err(ContestError::NoBars {
                    symbol: traded.instrument.symbol.clone(),
                    from: format_time(from),
                    to: format_time(to),
                    first: format_time(first),
                    last: format_time(last),
                    sealed: self.sealed_from.map(format_time),
                });
            }
            digest_bars(&mut digester, &traded.bars, lane.to);
        }
        let synthetic = members.iter().any(|at| market[*at].1);
        let simulation = Simulation {
            market: traded,
            window: Window { from: Some(from), to: Some(to), ..Window::default() },
            profile: spec.rules.profile,
            costs: spec.rules.costs,
            latency: spec.rules.latency,
            risk: spec.rules.risk.clone(),
            seed: spec.seed,
            days_per_year: spec.rules.days_per_year,
        };
        Ok(Group { label, simulation, settlement, synthetic, span: Span { from, to }, data: digester.finish() })
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
        let simulation = Simulation { window, ..group.simulation.clone() };
        let start = Start {
            instruments: simulation.instruments(),
            parameters: self.variant(run).parameters().clone().into_iter().collect(),
            settlement: group.settlement.clone(),
            seed: simulation.seed,
        };
        (simulation, start)
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
            "data": group.data,
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

    /// What makes it this tournament and no other: the specification as it was given, with the components and the data that
    /// its names stand for.
    #[must_use]
    pub fn identity(&self, text: &str) -> String {
        let components = self.entrants.iter().map(|entrant| entrant.component.admission().digest);
        json!({
            "specification": text,
            "tiltyard": env!("CARGO_PKG_VERSION"),
            "engine": engine_version(),
            "components": components.collect::<Vec<_>>(),
            "data": self.groups.iter().map(|group| group.data).collect::<Vec<_>>(),
        })
        .to_string()
    }

    /// Whether any of the market is made up.
    #[must_use]
    pub fn is_synthetic(&self) -> bool {
        self.groups.iter().any(|group| group.synthetic)
    }
}

/// The series of a specification with the rules of their instruments, and whether they are made up.
fn read(spec: &Spec, catalog: &Catalog, instruments: &Instruments) -> Result<Vec<(Traded, bool)>, ContestError> {
    let Interval::Only(interval) = spec.market.interval else { unreachable!("a specification names a length") };
    let series = spec.market.symbols.iter().map(|symbol| {
        let stored = catalog.series(&Key::new(&spec.market.venue, symbol, spec.market.interval)?)?;
        let bars = stored.bars;
        // The rules that hold when the last bar that may be played closes: dated rules within a run are not played yet.
        let at = spec.market.to.unwrap_or_else(|| Nanos(bars.open_time().last().copied().unwrap_or_default()));
        let mut instrument = match instruments.find(&spec.market.venue, symbol, at) {
            Ok(instrument) => instrument.clone(),
            Err(_) => inferred(symbol, &spec.market.venue, &bars),
        };
        if let Some(fee) = spec.rules.fee {
            (instrument.maker_fee, instrument.taker_fee) = (to_f64(fee), to_f64(fee));
        }
        let synthetic = stored.about.synthetic.is_some();
        Ok((Traded { instrument, interval, bars: Arc::clone(&bars), ends: false }, synthetic))
    });
    series.collect()
}

/// What the data show, with fees of 5 basis points.
fn inferred(symbol: &str, venue: &str, bars: &Columns) -> Instrument {
    infer_instrument(symbol, venue, bars, 0.0005, 0.0005)
}

fn open_of_first(bars: &Columns) -> Nanos {
    Nanos(bars.open_time().first().copied().unwrap_or_default())
}

fn close_of_last(traded: &Traded) -> Nanos {
    Nanos(traded.bars.open_time().last().copied().unwrap_or_default()) + traded.interval
}

/// The first so many bars: what comes later is not read, and must not change the name of what was.
fn digest_bars(digester: &mut Digester, bars: &Columns, count: usize) {
    digester.u64(count as u64);
    for bar in bars.iter().take(count) {
        digester.nanos(bar.open_time).f64(bar.open).f64(bar.high).f64(bar.low).f64(bar.close).f64(bar.volume);
    }
}
