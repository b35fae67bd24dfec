//! Components in the kernel, on markets that need no file.

use std::sync::Arc;

use tiltyard_engine::venue::{Costs, Latency, SimulatedVenue};
use tiltyard_engine::{Log, Metrics, Outcome, Profile, SeatError, Simulation, Terms, Traded, TradingDesk, Window};
use tiltyard_model::{Columns, Decimal, Digest, Instrument, InstrumentKind, Money, Nanos, Start, Value};
use tiltyard_risk::RiskProfile;
use tiltyard_sandbox::{Component, Fault, Limits, StartError};

use crate::ground::bars;

/// The desk of a component in the kernel.
pub type KernelDesk = TradingDesk<SimulatedVenue>;

/// A market of this many of the made-up hours.
#[must_use]
pub fn made_up(kind: InstrumentKind, count: usize) -> Simulation {
    let instrument = Instrument {
        symbol: "MADEUP".to_owned(),
        venue: "test".to_owned(),
        kind,
        base: "MADEUP".to_owned(),
        quote: "USDT".to_owned(),
        tick: 0.01,
        lot: 0.001,
        min_notional: 5.0,
        maker_fee: 0.0005,
        taker_fee: 0.0005,
        max_leverage: if kind == InstrumentKind::Spot { 1.0 } else { 10.0 },
        margin: tiltyard_model::MarginRules::default(),
    };
    simulation(instrument, bars(count))
}

/// Hourly bars of one instrument, traded by the conservative profile and the rules that are always on.
#[must_use]
pub fn simulation(instrument: Instrument, bars: Columns) -> Simulation {
    Simulation {
        market: vec![Traded {
            instrument,
            interval: Nanos::from_hours(1),
            bars: Arc::new(bars),
            ends: false,
            perpetual: tiltyard_engine::PerpetualSeries::default(),
        }],
        window: Window::default(),
        profile: Profile::Conservative,
        costs: Costs::default(),
        latency: Latency::default(),
        risk: RiskProfile::research(),
        seed: 1,
        days_per_year: 365.0,
        margin: tiltyard_engine::MarginTerms::default(),
    }
}

/// Plays a market to a component that has this much cash.
///
/// # Errors
/// When the component does not start.
pub fn play_in_kernel(
    component: &Component<KernelDesk>,
    simulation: &Simulation,
    cash: u64,
    parameters: &[(&str, Value)],
    log: Log,
) -> Result<Outcome<Fault>, SeatError<StartError>> {
    let start = Start {
        instruments: simulation.instruments(),
        parameters: parameters.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
        settlement: "USDT".to_owned(),
        seed: simulation.seed,
    };
    let mut kernel = simulation.kernel(log).map_err(SeatError::Setup)?;
    let manifest = &component.admission().manifest;
    let terms = Terms::new(&manifest.name, Money(Decimal::from(cash)), manifest.host_stop);
    let limits = Limits::default();
    kernel.seat(terms, |desk| component.start(desk, &start, &limits))?;
    Ok(simulation.play(kernel))
}

/// One digest of everything that came of a run: every event, and every figure as it is printed.
///
/// # Panics
/// When nobody played.
#[must_use]
pub fn digest_of(outcome: &Outcome<Fault>, simulation: &Simulation) -> Digest {
    let metrics = Metrics::of(&outcome.books.records()[0], &simulation.basis());
    let metrics = serde_json::to_string(&metrics).expect("numbers and texts");
    Digest::of(format!("{} {metrics}", outcome.books.log().digest()).as_bytes())
}
