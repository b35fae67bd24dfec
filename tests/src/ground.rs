//! A sandbox for tests, and runs in it.

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tiltyard_model::{Bar, Columns, Desk, Digest, Instrument, InstrumentKind, Nanos, Start, Value};
use tiltyard_sandbox::{
    AdmissionLimits, Cache, CompileLimits, Compiler, Component, Limits, LoadError, Mode, PoolLimits, Sandbox,
    SandboxConfig,
};

use crate::tape::{Played, Tape};

/// A sandbox with a cache of its own that is gone when it is dropped. Components have a tape for a desk, or the kernel's.
#[derive(Debug)]
pub struct Ground<D: 'static = Tape> {
    /// The sandbox.
    pub sandbox: Sandbox<D>,
    folder: TempDir,
}

impl Ground {
    /// Default limits; `worker` is the path of the `compile-worker` program.
    ///
    /// # Panics
    /// When there is no room for it.
    #[must_use]
    pub fn new(worker: &str) -> Self {
        Self::with_pool(worker, PoolLimits::default())
    }
}

impl<D: Desk + Default + Send + 'static> Ground<D> {
    /// With this pool.
    ///
    /// # Panics
    /// When there is no room for it.
    #[must_use]
    pub fn with_pool(worker: &str, pool: PoolLimits) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let sandbox = Self::sandbox_at(worker, pool, CompileLimits::default(), &folder.path().join("cache"));
        Self { sandbox, folder }
    }

    /// A sandbox whose cache is this folder.
    ///
    /// # Panics
    /// When there is no room for it.
    #[must_use]
    pub fn sandbox_at(worker: &str, pool: PoolLimits, limits: CompileLimits, cache: &Path) -> Sandbox<D> {
        Sandbox::new(SandboxConfig {
            admission: AdmissionLimits::default(),
            pool,
            describe: Limits::default(),
            compiler: Compiler::new(worker.into(), Vec::new(), limits),
            cache: Cache::open(cache).expect("a cache"),
        })
        .expect("a sandbox")
    }

    /// Where its compiled code is kept.
    #[must_use]
    pub fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    /// Loads for event mode.
    ///
    /// # Errors
    /// As [`Sandbox::load`].
    pub fn load(&self, bytes: &[u8]) -> Result<Component<D>, LoadError> {
        self.sandbox.load(bytes, Mode::Event)
    }
}

/// One instrument with hourly bars, and these parameters.
#[must_use]
pub fn start(parameters: &[(&str, Value)]) -> Start {
    let instrument = Instrument {
        symbol: "TEST".to_owned(),
        venue: "test".to_owned(),
        kind: InstrumentKind::Spot,
        base: "T".to_owned(),
        quote: "USD".to_owned(),
        tick: 0.01,
        lot: 0.001,
        min_notional: 0.0,
        maker_fee: 0.0,
        taker_fee: 0.0,
        max_leverage: 1.0,
        margin: tiltyard_model::MarginRules::default(),
    };
    Start {
        instruments: vec![(instrument, Nanos::from_hours(1))],
        parameters: parameters.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
        settlement: "USD".to_owned(),
        seed: 7,
    }
}

/// Hourly bars that go up and down, the same every time.
#[must_use]
pub fn bars(count: usize) -> Columns {
    let price = |at: usize| 100.0 + ((at * 37 % 101) as f64 - 50.0) / 10.0 + (at / 40 % 7) as f64;
    (0..count)
        .map(|at| {
            let (open, close) = (price(at), price(at + 1));
            Bar {
                open_time: Nanos::from_secs(1_700_000_000) + Nanos::from_hours(at as i64),
                open,
                high: open.max(close) + 0.5,
                low: open.min(close) - 0.5,
                close,
                volume: 10.0 + (at % 5) as f64,
            }
        })
        .collect()
}

/// What must be the same when a run is repeated: all that was asked for, said and answered, and the fuel.
#[must_use]
pub fn signature(played: &Played) -> (Digest, u64) {
    (played.tape.digest(), played.fuel)
}

/// The honest strategy that hostile ones must not disturb, and what it does when nobody does.
///
/// # Panics
/// When it does not run: then nothing does.
#[must_use]
pub fn honest(ground: &Ground, component: &[u8]) -> (Component<Tape>, (Digest, u64)) {
    let component = ground.load(component).expect("an example loads");
    let played = Played::run(&component, &start(&[]), &bars(300), &Limits::default()).expect("an example starts");
    assert_eq!(played.fault, None);
    let signature = signature(&played);
    (component, signature)
}
