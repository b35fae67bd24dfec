use std::fmt;

use tiltyard_model::{Instrument, Money, Nanos, OrderStatus, Price, Ticket};
use tiltyard_risk::{AccountState, Measure, Rung};

use crate::clearing::Clearing;
use crate::event::{Entry, Event};
use crate::execution::StrategyIndex;
use crate::floor::Floor;
use crate::venue::Venue;

/// Somebody outside who is asked before an order that opens or adds goes to the venue, and told of what happened.
///
/// The kernel waits for the answer. Exits are not asked about: whoever fails to answer must not hold them up. In a simulation
/// nobody is asked, so that results depend on nothing outside.
pub trait Overseer: fmt::Debug + Send {
    /// Why the order must not go, one reason each; none if it may.
    fn before(&mut self, order: &Planned<'_>) -> Vec<String>;

    /// Told of every fill, every refusal and rejection, every change of the circuit breaker, and of the kill switch.
    fn after(&mut self, happened: &Happened<'_>);
}

/// An order that passed every rule.
#[derive(Debug, Clone, Copy)]
pub struct Planned<'a> {
    /// The market time.
    pub time: Nanos,
    /// The strategy's name.
    pub strategy: &'a str,
    /// The instrument.
    pub instrument: &'a Instrument,
    /// The order.
    pub ticket: &'a Ticket,
    /// The last price.
    pub mark: Option<Price>,
    /// Quantity × the worst price at which it could trade, in settlement currency; `None` if that cannot be said.
    pub notional: Option<Money>,
    /// The strategy's equity.
    pub equity: Money,
}

/// Something that happened.
#[derive(Debug, Clone, Copy)]
pub struct Happened<'a> {
    /// When.
    pub time: Nanos,
    /// The strategy's name, where it is about one.
    pub strategy: Option<&'a str>,
    /// The instrument, where it is about one.
    pub instrument: Option<&'a Instrument>,
    /// What.
    pub event: &'a Event,
}

/// Whether an event is one that is told.
pub(crate) fn is_told(event: &Event) -> bool {
    match event {
        Event::Executed(_) | Event::Refused { .. } => true,
        Event::Updated(update) => update.status == OrderStatus::Rejected,
        Event::Measure(measure) => matches!(
            measure,
            Measure::BreakerOpened(_)
                | Measure::BreakerClosed
                | Measure::Resumed { .. }
                | Measure::Ordered { state: AccountState::Halted, .. }
                | Measure::Rung { rung: Rung::Kill, .. }
        ),
        _ => false,
    }
}

impl<V: Venue> Floor<V> {
    /// Tells the overseer what has happened since it was told last.
    pub(crate) fn tell(&mut self) {
        let Some(overseer) = self.overseer.as_deref_mut() else { return };
        for Entry { time, event } in self.clearing.untold.drain(..) {
            let (strategy, instrument) = match &event {
                Event::Executed(execution) => (Some(execution.strategy), Some(execution.instrument)),
                Event::Updated(update) => (Some(update.strategy), Some(update.instrument)),
                Event::Refused { strategy, instrument, .. } => (Some(*strategy), *instrument),
                _ => (None, None),
            };
            let name = |StrategyIndex(at)| self.seats.get(at as usize).map(|seat| seat.name.as_str());
            overseer.after(&Happened {
                time,
                strategy: strategy.and_then(name),
                instrument: instrument.and_then(|at| self.market.get(at)).map(|listed| &listed.instrument),
                event: &event,
            });
        }
    }
}

impl Clearing {
    /// Keeps an event until it is told.
    pub(crate) fn keep_untold(&mut self, event: &Event) {
        if self.is_overseen && is_told(event) {
            self.untold.push(Entry { time: self.now, event: event.clone() });
        }
    }
}
