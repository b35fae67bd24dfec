use std::fmt;

use tiltyard_model::{
    Bar, Columns, Desk, Fill, InstrumentIndex, Nanos, OrderUpdate, Quote, Start, TimerId, Trade, Value, shown,
};
use wasmtime::{PoolConcurrencyLimitError, Store, WasmBacktrace};

use crate::call::{Budget, Call};
use crate::cell::Cell;
use crate::component::{Component, StartError};
use crate::contract::exports::tiltyard::strategy as exports;
use crate::contract::tiltyard::strategy::types;
use crate::convert::order_update;
use crate::fault::{Fault, FaultKind};
use crate::limits::Limits;

/// Ticks that never pass: far enough, and no overflow when added to the current epoch.
const NEVER: u64 = 1 << 62;
/// What is kept of a strategy's reason to refuse, in bytes.
const REASON: usize = 500;

/// A strategy at work: one run, one memory of its own.
///
/// Every call lends it the desk. A call either returns or ends in a [`Fault`]; after that the instance's memory has
/// been given back and every further call returns the same fault.
pub struct Instance<D: 'static> {
    state: State<D>,
    limits: Limits,
    fuel_used: u64,
}

enum State<D: 'static> {
    Alive(Box<Alive<D>>),
    Stopped(Fault),
}

struct Alive<D: 'static> {
    store: Store<Cell<D>>,
    lifecycle: exports::lifecycle::Guest,
    bar_events: Option<exports::bar_events::Guest>,
    order_events: Option<exports::order_events::Guest>,
    timer_events: Option<exports::timer_events::Guest>,
    signals: Option<exports::signals::Guest>,
    state: Option<exports::state::Guest>,
    quote_events: Option<exports::quote_events::Guest>,
    trade_events: Option<exports::trade_events::Guest>,
}

impl<D> fmt::Debug for Instance<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fault = match &self.state {
            State::Alive(_) => None,
            State::Stopped(fault) => Some(fault),
        };
        f.debug_struct("Instance").field("fuel_used", &self.fuel_used).field("fault", &fault).finish_non_exhaustive()
    }
}

impl<D: Desk + Default + Send + 'static> Instance<D> {
    pub(crate) fn new(component: &Component<D>, seed: u64, limits: &Limits) -> Result<Self, StartError> {
        let mut store = Store::new(component.linked.engine(), Cell::new(limits.clone(), seed));
        store.limiter(|cell| cell);
        store.set_hostcall_fuel(limits.host_call_bytes);
        store.set_max_component_handles(limits.handles);
        store.set_epoch_deadline(NEVER);
        let budget = Budget::new(limits, limits.fuel_per_start, 0);
        let instantiated = budget.set(&mut store).and_then(|()| {
            let instance = component.linked.instantiate(&mut store)?;
            let indices = &component.indices;
            Ok((
                indices.lifecycle.load(&mut store, &instance)?,
                indices.bar_events.as_ref().map(|index| index.load(&mut store, &instance)).transpose()?,
                indices.order_events.as_ref().map(|index| index.load(&mut store, &instance)).transpose()?,
                indices.timer_events.as_ref().map(|index| index.load(&mut store, &instance)).transpose()?,
                indices.signals.as_ref().map(|index| index.load(&mut store, &instance)).transpose()?,
                indices.state.as_ref().map(|index| index.load(&mut store, &instance)).transpose()?,
                indices.quote_events.as_ref().map(|index| index.load(&mut store, &instance)).transpose()?,
                indices.trade_events.as_ref().map(|index| index.load(&mut store, &instance)).transpose()?,
            ))
        });
        let fuel_used = budget.used(&store);
        let (lifecycle, bar_events, order_events, timer_events, signals, state, quote_events, trade_events) =
            instantiated.map_err(|error| match error.downcast_ref::<PoolConcurrencyLimitError>() {
                Some(full) => StartError::PoolFull { places: full.to_string() },
                None => {
                    let mut fault = budget.fault(&error, Call::Instantiate, store.data());
                    // Where no code of the guest was running, what is no trap and no limit is a failure of ours.
                    fault.kind = match fault.kind {
                        FaultKind::Contract { detail } if !error.is::<WasmBacktrace>() => FaultKind::Host { detail },
                        kind => kind,
                    };
                    StartError::Fault(fault)
                }
            })?;
        let alive = Alive {
            store,
            lifecycle,
            bar_events,
            order_events,
            timer_events,
            signals,
            state,
            quote_events,
            trade_events,
        };
        Ok(Self { state: State::Alive(Box::new(alive)), limits: limits.clone(), fuel_used })
    }

    /// Fuel used so far, instantiation included. It depends on nothing but the component and what it was told.
    #[must_use]
    pub fn fuel_used(&self) -> u64 {
        self.fuel_used
    }

    /// The fault that stopped it, if one did.
    #[must_use]
    pub fn fault(&self) -> Option<&Fault> {
        match &self.state {
            State::Alive(_) => None,
            State::Stopped(fault) => Some(fault),
        }
    }

    /// Asks for the manifest, with every import refused.
    pub(crate) fn describe(&mut self) -> Result<String, Fault> {
        let fuel = self.limits.fuel_per_start;
        self.call(Call::Describe, fuel, |alive| alive.lifecycle.call_describe(&mut alive.store))
    }

    pub(crate) fn init(
        &mut self,
        desk: &mut D,
        start: &Start,
        parameters: &[(String, Value)],
    ) -> Result<(), StartError> {
        let instruments: Vec<_> = start.instruments.iter().map(|(instrument, _)| instrument.into()).collect();
        let bar_intervals: Vec<_> = start.instruments.iter().map(|(_, interval)| interval.0).collect();
        let parameters: Vec<_> = parameters.iter().map(|(name, value)| (name.as_str(), value.into())).collect();
        let context = exports::lifecycle::Context {
            instruments: &instruments,
            bar_intervals: &bar_intervals,
            parameters: &parameters,
            settlement: &start.settlement,
            seed: start.seed,
        };
        let fuel = self.limits.fuel_per_start;
        self.lend(desk, Call::Init, fuel, |alive| alive.lifecycle.call_init(&mut alive.store, context))
            .map_err(StartError::Fault)?
            .map_err(|error| match error {
                exports::lifecycle::InitError::Parameter(problem) => StartError::RefusedParameter {
                    name: shown(&problem.name, 64),
                    problem: shown(&problem.problem, REASON),
                },
                exports::lifecycle::InitError::Instruments(why) => {
                    StartError::RefusedInstruments { why: shown(&why, REASON) }
                }
                exports::lifecycle::InitError::Other(why) => StartError::Refused { why: shown(&why, REASON) },
            })
    }

    /// Hands over bars from before the run, consecutive and oldest first; a long history in several calls.
    ///
    /// # Errors
    /// The fault that stopped it.
    pub fn warm_up(&mut self, desk: &mut D, instrument: InstrumentIndex, bars: &Columns) -> Result<(), Fault> {
        let fuel = self.limits.fuel_per_start.max(self.fuel_for(bars.len()));
        self.lend(desk, Call::WarmUp, fuel, |alive| {
            alive.lifecycle.call_warm_up(&mut alive.store, instrument.0, bars.into())
        })
    }

    /// A bar closed. A signal strategy answers with its target, NaN for "as before"; others act through the desk and
    /// answer nothing.
    ///
    /// # Errors
    /// The fault that stopped it.
    pub fn on_bar(&mut self, desk: &mut D, instrument: InstrumentIndex, bar: &Bar) -> Result<Option<f64>, Fault> {
        let fuel = self.limits.fuel_per_call;
        let Bar { open_time: Nanos(time), open, high, low, close, volume } = *bar;
        self.lend(desk, Call::OnBar, fuel, |alive| {
            if let Some(signals) = &alive.signals {
                return signals.call_on_bar(&mut alive.store, time, open, high, low, close, volume).map(Some);
            }
            if let Some(events) = &alive.bar_events {
                events.call_on_bar(&mut alive.store, instrument.0, time, open, high, low, close, volume)?;
            }
            Ok(None)
        })
    }

    /// Consecutive bars closed, in one call: a signal strategy answers with a target each. Others answer nothing.
    ///
    /// # Errors
    /// The fault that stopped it; an answer of another length is one.
    pub fn on_columns(&mut self, desk: &mut D, bars: &Columns) -> Result<Vec<f64>, Fault> {
        let fuel = self.fuel_for(bars.len());
        let targets = self.lend(desk, Call::OnColumns, fuel, |alive| match &alive.signals {
            Some(signals) => signals.call_on_columns(&mut alive.store, bars.into()),
            None => Ok(vec![f64::NAN; bars.len()]),
        })?;
        if targets.len() == bars.len() {
            return Ok(targets);
        }
        let detail = format!("{} targets for {} bars", targets.len(), bars.len());
        Err(self.stop(Fault {
            kind: FaultKind::Contract { detail },
            during: Call::OnColumns.name(),
            frames: Vec::new(),
        }))
    }

    /// All bars that closed at this instant were delivered.
    ///
    /// # Errors
    /// The fault that stopped it.
    pub fn on_step(&mut self, desk: &mut D, time: Nanos) -> Result<(), Fault> {
        let fuel = self.limits.fuel_per_call;
        self.lend(desk, Call::OnStep, fuel, |alive| match &alive.bar_events {
            Some(events) => events.call_on_step(&mut alive.store, time.0),
            None => Ok(()),
        })
    }

    /// The best bid or ask changed.
    ///
    /// # Errors
    /// The fault that stopped it.
    pub fn on_quote(&mut self, desk: &mut D, instrument: InstrumentIndex, quote: &Quote) -> Result<(), Fault> {
        if !self.is_told(|alive| alive.quote_events.is_some()) {
            return Ok(());
        }
        let fuel = self.limits.fuel_per_call;
        let Quote { time: Nanos(time), bid, bid_quantity, ask, ask_quantity } = *quote;
        self.lend(desk, Call::OnQuote, fuel, |alive| match &alive.quote_events {
            Some(events) => {
                events.call_on_quote(&mut alive.store, instrument.0, time, bid, bid_quantity, ask, ask_quantity)
            }
            None => Ok(()),
        })
    }

    /// Others traded.
    ///
    /// # Errors
    /// The fault that stopped it.
    pub fn on_trade(&mut self, desk: &mut D, instrument: InstrumentIndex, trade: &Trade) -> Result<(), Fault> {
        if !self.is_told(|alive| alive.trade_events.is_some()) {
            return Ok(());
        }
        let fuel = self.limits.fuel_per_call;
        let Trade { time: Nanos(time), price, quantity, aggressor } = *trade;
        self.lend(desk, Call::OnTrade, fuel, |alive| match &alive.trade_events {
            Some(events) => {
                events.call_on_trade(&mut alive.store, instrument.0, time, price, quantity, aggressor.into())
            }
            None => Ok(()),
        })
    }

    /// Whether a call would come to anything, or to the fault that stopped it: a tape has many events.
    fn is_told(&self, exports: impl FnOnce(&Alive<D>) -> bool) -> bool {
        match &self.state {
            State::Alive(alive) => exports(alive),
            State::Stopped(_) => true,
        }
    }

    /// An order traded.
    ///
    /// # Errors
    /// The fault that stopped it.
    pub fn on_fill(&mut self, desk: &mut D, fill: &Fill) -> Result<(), Fault> {
        let fuel = self.limits.fuel_per_call;
        self.lend(desk, Call::OnFill, fuel, |alive| match &alive.order_events {
            Some(events) => events.call_on_fill(&mut alive.store, fill.into()),
            None => Ok(()),
        })
    }

    /// An order changed.
    ///
    /// # Errors
    /// The fault that stopped it.
    pub fn on_order(&mut self, desk: &mut D, update: &OrderUpdate) -> Result<(), Fault> {
        let fuel = self.limits.fuel_per_call;
        let violations: Vec<types::ViolationParam<'_>> = update.violations.iter().map(Into::into).collect();
        self.lend(desk, Call::OnOrder, fuel, |alive| match &alive.order_events {
            Some(events) => events.call_on_order(&mut alive.store, order_update(update, &violations)),
            None => Ok(()),
        })
    }

    /// A timer is due.
    ///
    /// # Errors
    /// The fault that stopped it.
    pub fn on_timer(&mut self, desk: &mut D, timer: TimerId, at: Nanos) -> Result<(), Fault> {
        let fuel = self.limits.fuel_per_call;
        if let State::Alive(alive) = &mut self.state {
            alive.store.data_mut().timer_gone();
        }
        self.lend(desk, Call::OnTimer, fuel, |alive| match &alive.timer_events {
            Some(events) => events.call_on_timer(&mut alive.store, timer.0, at.0),
            None => Ok(()),
        })
    }

    /// What the strategy needs to go on after a restart; `None` if it keeps no state of its own.
    ///
    /// # Errors
    /// The fault that stopped it.
    pub fn save(&mut self, desk: &mut D) -> Result<Option<Vec<u8>>, Fault> {
        let fuel = self.limits.fuel_per_start;
        self.lend(desk, Call::Save, fuel, |alive| {
            alive.state.as_ref().map(|state| state.call_save(&mut alive.store)).transpose()
        })
    }

    /// Takes back what [`Instance::save`] returned. False if the strategy does not want it, and has to be warmed up.
    ///
    /// # Errors
    /// The fault that stopped it.
    pub fn restore(&mut self, desk: &mut D, saved: &[u8]) -> Result<bool, Fault> {
        let fuel = self.limits.fuel_per_start;
        self.lend(desk, Call::Restore, fuel, |alive| match &alive.state {
            Some(state) => Ok(state.call_restore(&mut alive.store, saved)?.is_ok()),
            None => Ok(false),
        })
    }

    fn fuel_for(&self, bars: usize) -> u64 {
        self.limits.fuel_per_call.saturating_mul(bars as u64)
    }

    /// Calls with the desk lent.
    fn lend<R>(
        &mut self,
        desk: &mut D,
        during: Call,
        fuel: u64,
        call: impl FnOnce(&mut Alive<D>) -> wasmtime::Result<R>,
    ) -> Result<R, Fault> {
        if let State::Alive(alive) = &mut self.state {
            alive.store.data_mut().desk = Some(std::mem::take(desk));
        }
        let mut returned = None;
        let answer = self.call_then(during, fuel, call, |cell| returned = cell.desk.take());
        if let Some(lent) = returned {
            *desk = lent;
        }
        answer
    }

    /// Calls with no desk, so that every import is refused.
    fn call<R>(
        &mut self,
        during: Call,
        fuel: u64,
        call: impl FnOnce(&mut Alive<D>) -> wasmtime::Result<R>,
    ) -> Result<R, Fault> {
        self.call_then(during, fuel, call, |_| ())
    }

    fn call_then<R>(
        &mut self,
        during: Call,
        fuel: u64,
        call: impl FnOnce(&mut Alive<D>) -> wasmtime::Result<R>,
        then: impl FnOnce(&mut Cell<D>),
    ) -> Result<R, Fault> {
        let alive = match &mut self.state {
            State::Alive(alive) => alive,
            State::Stopped(fault) => return Err(fault.clone()),
        };
        let budget = Budget::new(&self.limits, fuel, self.fuel_used);
        alive.store.data_mut().begin(during.may_order());
        let mut answer = budget.set(&mut alive.store).and_then(|()| call(alive));
        self.fuel_used += budget.used(&alive.store);
        let cell = alive.store.data_mut();
        if let (Err(raised), true) = (cell.end(), answer.is_ok()) {
            answer = Err(raised.into());
        }
        then(cell);
        match answer {
            Ok(answer) => Ok(answer),
            Err(error) => {
                let fault = budget.fault(&error, during, cell);
                Err(self.stop(fault))
            }
        }
    }

    /// Gives the memory back and keeps the fault.
    fn stop(&mut self, fault: Fault) -> Fault {
        self.state = State::Stopped(fault.clone());
        fault
    }
}
