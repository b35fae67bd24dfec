//! One run: a variant over a window of a market.

use tiltyard_engine::venue::SimulatedVenue;
use tiltyard_engine::{Log, Outcome, SeatError, SetupError, Simulation, Terms, TradingDesk};
use tiltyard_model::{Money, Start};
use tiltyard_sandbox::{Component, Fault, FaultKind, Limits, StartError};

/// What components trade on here.
pub type Desk = TradingDesk<SimulatedVenue>;

/// How a run ended.
#[derive(Debug)]
pub enum Played {
    /// It was played; the strategy may have been stopped on the way.
    Ran(Box<Outcome<Fault>>),
    /// The strategy did not begin, for a reason of its own.
    Refused(StartError),
}

/// Why there is no run, through no fault of the strategy: the same run may be tried again.
#[derive(Debug, thiserror::Error)]
pub enum PlayError {
    /// The market or the rules make no sense.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// The host has no room for it, or failed.
    #[error("{0}")]
    Host(String),
}

/// Gives a component its seat in a market of its own, and plays the window.
///
/// # Errors
/// [`PlayError`]; whatever the strategy itself does wrong is in [`Played`].
pub fn play(
    component: &Component<Desk>,
    simulation: &Simulation,
    start: &Start,
    cash: Money,
    limits: &Limits,
    log: Log,
) -> Result<Played, PlayError> {
    let mut kernel = simulation.kernel(log)?;
    let manifest = &component.admission().manifest;
    match kernel.seat(Terms::new(&manifest.name, cash, manifest.host_stop), |desk| component.start(desk, start, limits))
    {
        Ok(_) => {}
        Err(SeatError::Setup(error)) => return Err(error.into()),
        Err(SeatError::Start(error)) if is_ours(&error) => return Err(PlayError::Host(error.to_string())),
        Err(SeatError::Start(error)) => return Ok(Played::Refused(error)),
    }
    let outcome = simulation.play(kernel);
    match outcome.faults.first().and_then(Option::as_ref) {
        Some(fault) if matches!(fault.kind, FaultKind::Host { .. }) => Err(PlayError::Host(fault.to_string())),
        _ => Ok(Played::Ran(Box::new(outcome))),
    }
}

/// Whether a strategy does not start because of the host.
fn is_ours(error: &StartError) -> bool {
    match error {
        StartError::PoolFull { .. } | StartError::Limits { .. } => true,
        StartError::Fault(fault) => matches!(fault.kind, FaultKind::Host { .. }),
        _ => false,
    }
}
