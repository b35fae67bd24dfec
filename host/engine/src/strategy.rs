use std::fmt;

use tiltyard_model::{Bar, Columns, Fill, InstrumentIndex, Nanos, OrderUpdate, Quote, TimerId, Trade};

/// A strategy in its run, component or native. `D` is the desk that is lent to each call.
pub trait Strategy<D> {
    /// Why it stopped.
    type Fault: fmt::Display;

    /// Bars from before the run, consecutive and oldest first.
    ///
    /// # Errors
    /// The fault that stopped it.
    fn warm_up(&mut self, desk: &mut D, instrument: InstrumentIndex, bars: &Columns) -> Result<(), Self::Fault>;

    /// A bar closed. An answer is the fraction of equity to hold from now on, NaN for "as before".
    ///
    /// # Errors
    /// The fault that stopped it.
    fn on_bar(&mut self, desk: &mut D, instrument: InstrumentIndex, bar: &Bar) -> Result<Option<f64>, Self::Fault>;

    /// The best bid or ask changed. Quotes that lack a side are not told.
    ///
    /// # Errors
    /// The fault that stopped it.
    fn on_quote(&mut self, _desk: &mut D, _instrument: InstrumentIndex, _quote: &Quote) -> Result<(), Self::Fault> {
        Ok(())
    }

    /// Others traded.
    ///
    /// # Errors
    /// The fault that stopped it.
    fn on_trade(&mut self, _desk: &mut D, _instrument: InstrumentIndex, _trade: &Trade) -> Result<(), Self::Fault> {
        Ok(())
    }

    /// All bars of this instant were delivered.
    ///
    /// # Errors
    /// The fault that stopped it.
    fn on_step(&mut self, desk: &mut D, time: Nanos) -> Result<(), Self::Fault>;

    /// An order traded.
    ///
    /// # Errors
    /// The fault that stopped it.
    fn on_fill(&mut self, desk: &mut D, fill: &Fill) -> Result<(), Self::Fault>;

    /// An order changed.
    ///
    /// # Errors
    /// The fault that stopped it.
    fn on_order(&mut self, desk: &mut D, update: &OrderUpdate) -> Result<(), Self::Fault>;

    /// A timer is due.
    ///
    /// # Errors
    /// The fault that stopped it.
    fn on_timer(&mut self, desk: &mut D, timer: TimerId, at: Nanos) -> Result<(), Self::Fault>;

    /// Fuel used so far; 0 for what is not metered.
    fn fuel_used(&self) -> u64 {
        0
    }
}
