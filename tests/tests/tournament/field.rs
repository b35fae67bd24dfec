//! Data and components for tournaments.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use tempfile::TempDir;
use tiltyard_market::{Catalog, Contradictions, Instruments, Key, Origin, RawBars, Series, SyntheticMarket};
use tiltyard_model::{Bar, Columns, Interval, Nanos};
use tiltyard_sandbox::{CompileLimits, Mode, PoolLimits, Sandbox};
use tiltyard_store::Store;
use tiltyard_tests::{Ground, KernelDesk};
use tiltyard_tournament::{Candidate, Contest, ContestError, Row, Spec, Table, hold};

pub(crate) const HOUR: Interval = Interval::Only(Nanos::from_hours(1));
/// When everything was written.
pub(crate) const NOON: Nanos = Nanos(1_700_000_000_000_000_000);

/// What tournaments are held on: data, components by name, and a sandbox.
pub(crate) struct Field {
    sandbox: Sandbox<KernelDesk>,
    pub(crate) catalog: Catalog,
    pub(crate) instruments: Instruments,
    guests: Vec<(&'static str, Vec<u8>)>,
    pub(crate) folder: TempDir,
}

impl Field {
    /// Without data.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let catalog = Catalog::open(folder.path().join("data")).unwrap();
        Self { folder, ..Self::at(catalog) }
    }

    /// With the data of another, as another process has it.
    pub(crate) fn at(catalog: Catalog) -> Self {
        // Kept from test to test: what was compiled once need not be again.
        let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tournament-cache");
        let worker = env!("CARGO_BIN_EXE_compile-worker");
        let sandbox = Ground::sandbox_at(worker, PoolLimits::default(), CompileLimits::default(), &cache);
        let folder = tempfile::tempdir().unwrap();
        Self { sandbox, catalog, instruments: Instruments::built_in(), guests: Vec::new(), folder }
    }

    /// With so many made-up hours of so many markets: `SYN1-USD` is the first.
    pub(crate) fn made_up(seed: u64, markets: usize, hours: usize) -> Self {
        let field = Self::new();
        let market = SyntheticMarket::new(seed, HOUR);
        for at in 0..markets {
            let origin = Origin { synthetic: Some(market.label()), ..Origin::default() };
            field.keep(&market.key(at).unwrap(), &market.bars(at, hours), &origin);
        }
        field
    }

    /// Keeps a series.
    pub(crate) fn keep(&self, key: &Key, bars: &Columns, origin: &Origin) {
        let bars: Vec<Bar> = bars.iter().collect();
        let series = Series::new(RawBars::of(&key.to_string(), bars), key.length()).unwrap();
        self.catalog.keep(key, &series, origin, Contradictions::Refused).unwrap();
    }

    /// With a component under a name.
    pub(crate) fn with(mut self, name: &'static str, component: &[u8]) -> Self {
        self.guests.push((name, component.to_vec()));
        self
    }

    /// The tournament that a specification asks for.
    pub(crate) fn contest(&self, text: &str) -> Result<Contest, ContestError> {
        let spec = Spec::parse("cup.toml", text)?;
        let candidates = spec.strategies.iter().map(|strategy| {
            let example = tiltyard_examples::example(&strategy.component).map(|example| example.component);
            let guest = || self.guests.iter().find(|(name, _)| *name == strategy.component).unwrap().1.as_slice();
            let bytes = example.unwrap_or_else(guest);
            let component = self.sandbox.load(bytes, Mode::Event).unwrap();
            Candidate { component, bytes: bytes.into(), origin: strategy.component.clone() }
        });
        let candidates = candidates.collect();
        Contest::new(spec, candidates, &self.catalog, &self.instruments)
    }

    /// Holds a tournament in a store of its own.
    pub(crate) fn table(&self, text: &str) -> Table {
        held(&self.contest(text).unwrap(), text, &mut Store::open_in_memory().unwrap(), 2)
    }
}

/// Holds a tournament to its end.
pub(crate) fn held(contest: &Contest, text: &str, store: &mut Store, threads: usize) -> Table {
    let never = AtomicBool::new(false);
    hold(contest, text, store, threads, &|| NOON, &never, &mut |_| {}).unwrap().1
}

/// Who a row is of.
pub(crate) fn name(row: &Row) -> String {
    let params = row.params.iter().map(|(name, value)| format!(" {name}={value}"));
    format!("{}{} on {}", row.strategy, params.collect::<String>(), row.market)
}

/// A specification of the first made-up markets; the rest of it follows.
pub(crate) fn made_up(symbols: usize, windows: &str) -> String {
    let symbols: Vec<_> = (0..symbols).map(|at| format!("{:?}", SyntheticMarket::symbol(at))).collect();
    format!(
        "name = \"cup\"\n[market]\nvenue = \"synthetic\"\ninterval = \"1h\"\nsymbols = [{}]\nholdout_months = 1\n{windows}\n",
        symbols.join(", ")
    )
}

/// A strategy of a specification.
pub(crate) fn strategy(component: &str, params: &str) -> String {
    format!("[[strategy]]\ncomponent = \"{component}\"\n[strategy.params]\n{params}\n")
}
