use std::fmt;
use std::sync::Arc;

use tiltyard_model::{Desk, Instruments, Interval, ParameterError, Start};
use wasmtime::component::InstancePre;

use crate::admission::Admission;
use crate::cache::CacheOutcome;
use crate::cell::Cell;
use crate::contract::exports::tiltyard::strategy as exports;
use crate::engine::{Mode, PoolLimits};
use crate::fault::Fault;
use crate::instance::Instance;
use crate::limits::Limits;

/// A strategy that was admitted, compiled and linked, ready to be started any number of times, on any thread.
pub struct Component<D: 'static> {
    admission: Arc<Admission>,
    mode: Mode,
    cache: CacheOutcome,
    pool: PoolLimits,
    pub(crate) linked: InstancePre<Cell<D>>,
    pub(crate) indices: Indices,
}

impl<D: 'static> Clone for Component<D> {
    fn clone(&self) -> Self {
        Self {
            admission: Arc::clone(&self.admission),
            mode: self.mode,
            cache: self.cache.clone(),
            pool: self.pool.clone(),
            linked: self.linked.clone(),
            indices: self.indices.clone(),
        }
    }
}

impl<D> fmt::Debug for Component<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Component").field("digest", &self.admission.digest).field("mode", &self.mode).finish()
    }
}

/// Why a component does not start.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum StartError {
    /// More than the pool that instances come from has room for.
    #[error(
        "{wanted} {what} allowed to the instance, but the pool has room for {limit}; lower the one or raise the other"
    )]
    Limits {
        /// Of what.
        what: &'static str,
        /// What the instance may have.
        wanted: usize,
        /// What the pool has.
        limit: usize,
    },
    /// An instrument that the manifest does not name.
    #[error("the strategy does not trade {symbol}; its manifest names {allowed}")]
    Instrument {
        /// The instrument.
        symbol: String,
        /// What the manifest names.
        allowed: Instruments,
    },
    /// Bars of another length than the manifest asks for.
    #[error("the strategy takes bars of {wanted}, not of {given}")]
    Interval {
        /// What the manifest asks for.
        wanted: Interval,
        /// What there is.
        given: Interval,
    },
    /// Parameters that the manifest does not allow, all of them.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Parameters(Vec<ParameterError>),
    /// The strategy itself refuses a parameter, although the manifest allows it.
    #[error("the strategy refuses parameter `{name}`: {problem}")]
    RefusedParameter {
        /// The parameter.
        name: String,
        /// Why, in the strategy's words.
        problem: String,
    },
    /// The strategy refuses to trade these instruments.
    #[error("the strategy refuses the instruments: {why}")]
    RefusedInstruments {
        /// Why, in the strategy's words.
        why: String,
    },
    /// The strategy refuses for another reason.
    #[error("the strategy refuses: {why}")]
    Refused {
        /// Why, in the strategy's words.
        why: String,
    },
    /// It stopped while starting.
    #[error("it stopped before the first bar: {0}")]
    Fault(Fault),
    /// As many instances as the pool holds are alive.
    #[error("no place for another instance ({places}); end some, or raise the pool's limit")]
    PoolFull {
        /// Which places are taken.
        places: String,
    },
}

/// Where the exports are, looked up once. What a component does not export is not there.
#[derive(Clone)]
pub(crate) struct Indices {
    pub(crate) lifecycle: exports::lifecycle::GuestIndices,
    pub(crate) bar_events: Option<exports::bar_events::GuestIndices>,
    pub(crate) order_events: Option<exports::order_events::GuestIndices>,
    pub(crate) timer_events: Option<exports::timer_events::GuestIndices>,
    pub(crate) signals: Option<exports::signals::GuestIndices>,
    pub(crate) state: Option<exports::state::GuestIndices>,
    pub(crate) quote_events: Option<exports::quote_events::GuestIndices>,
    pub(crate) trade_events: Option<exports::trade_events::GuestIndices>,
}

impl Indices {
    fn new<T>(linked: &InstancePre<T>, admission: &Admission) -> wasmtime::Result<Self> {
        let exported = |interface| admission.exports_interface(interface);
        Ok(Self {
            lifecycle: exports::lifecycle::GuestIndices::new(linked)?,
            bar_events: exported("bar-events").then(|| exports::bar_events::GuestIndices::new(linked)).transpose()?,
            order_events: exported("order-events")
                .then(|| exports::order_events::GuestIndices::new(linked))
                .transpose()?,
            timer_events: exported("timer-events")
                .then(|| exports::timer_events::GuestIndices::new(linked))
                .transpose()?,
            signals: exported("signals").then(|| exports::signals::GuestIndices::new(linked)).transpose()?,
            state: exported("state").then(|| exports::state::GuestIndices::new(linked)).transpose()?,
            quote_events: exported("quote-events")
                .then(|| exports::quote_events::GuestIndices::new(linked))
                .transpose()?,
            trade_events: exported("trade-events")
                .then(|| exports::trade_events::GuestIndices::new(linked))
                .transpose()?,
        })
    }
}

impl<D: Desk + Default + Send + 'static> Component<D> {
    pub(crate) fn new(
        admission: Admission,
        mode: Mode,
        cache: CacheOutcome,
        linked: InstancePre<Cell<D>>,
        pool: PoolLimits,
    ) -> wasmtime::Result<Self> {
        let indices = Indices::new(&linked, &admission)?;
        Ok(Self { admission: Arc::new(admission), mode, cache, pool, linked, indices })
    }

    /// What is known of it.
    #[must_use]
    pub fn admission(&self) -> &Admission {
        &self.admission
    }

    /// How it was compiled.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Whether it was compiled now or before.
    #[must_use]
    pub fn cache_outcome(&self) -> &CacheOutcome {
        &self.cache
    }

    /// Makes an instance and calls its `init`. `start.parameters` holds the values that differ from the defaults.
    ///
    /// The thread that calls the instance needs 1 MiB of stack.
    ///
    /// # Errors
    /// When a parameter is not allowed, the strategy refuses, or it faults: see [`StartError`].
    pub fn start(&self, desk: &mut D, start: &Start, limits: &Limits) -> Result<Instance<D>, StartError> {
        self.check_market(start)?;
        let parameters = self.admission.manifest.resolve(&start.parameters).map_err(StartError::Parameters)?;
        let mut instance = self.instantiate(start.seed, limits)?;
        instance.init(desk, start, &parameters)?;
        Ok(instance)
    }

    /// Whether the run is about what the manifest says the strategy trades.
    fn check_market(&self, start: &Start) -> Result<(), StartError> {
        let manifest = &self.admission.manifest;
        for (instrument, interval) in &start.instruments {
            if matches!(&manifest.instruments, Instruments::Only(symbols) if !symbols.contains(&instrument.symbol)) {
                let (symbol, allowed) = (instrument.symbol.clone(), manifest.instruments.clone());
                return Err(StartError::Instrument { symbol, allowed });
            }
            let given = Interval::Only(*interval);
            if manifest.interval != Interval::Any && manifest.interval != given {
                return Err(StartError::Interval { wanted: manifest.interval, given });
            }
        }
        Ok(())
    }

    /// Makes an instance and calls nothing.
    pub(crate) fn instantiate(&self, seed: u64, limits: &Limits) -> Result<Instance<D>, StartError> {
        for (what, wanted, limit) in [
            ("bytes of memory", limits.memory_bytes, self.pool.memory_bytes),
            ("table elements", limits.table_elements, self.pool.table_elements),
        ] {
            if wanted > limit {
                return Err(StartError::Limits { what, wanted, limit });
            }
        }
        Instance::new(self, seed, limits)
    }
}
