//! A component is a strategy like any other to the kernel.

use tiltyard_engine::{Strategy, TradingDesk, venue::Venue};
use tiltyard_model::{Bar, Columns, Fill, InstrumentIndex, Nanos, OrderUpdate, Quote, TimerId, Trade};

use crate::fault::Fault;
use crate::instance::Instance;

impl<V: Venue> Strategy<TradingDesk<V>> for Instance<TradingDesk<V>> {
    type Fault = Fault;

    fn warm_up(
        &mut self,
        desk: &mut TradingDesk<V>,
        instrument: InstrumentIndex,
        bars: &Columns,
    ) -> Result<(), Self::Fault> {
        Instance::warm_up(self, desk, instrument, bars)
    }

    fn on_bar(
        &mut self,
        desk: &mut TradingDesk<V>,
        instrument: InstrumentIndex,
        bar: &Bar,
    ) -> Result<Option<f64>, Self::Fault> {
        Instance::on_bar(self, desk, instrument, bar)
    }

    fn on_quote(
        &mut self,
        desk: &mut TradingDesk<V>,
        instrument: InstrumentIndex,
        quote: &Quote,
    ) -> Result<(), Self::Fault> {
        Instance::on_quote(self, desk, instrument, quote)
    }

    fn on_trade(
        &mut self,
        desk: &mut TradingDesk<V>,
        instrument: InstrumentIndex,
        trade: &Trade,
    ) -> Result<(), Self::Fault> {
        Instance::on_trade(self, desk, instrument, trade)
    }

    fn on_step(&mut self, desk: &mut TradingDesk<V>, time: Nanos) -> Result<(), Self::Fault> {
        Instance::on_step(self, desk, time)
    }

    fn on_fill(&mut self, desk: &mut TradingDesk<V>, fill: &Fill) -> Result<(), Self::Fault> {
        Instance::on_fill(self, desk, fill)
    }

    fn on_order(&mut self, desk: &mut TradingDesk<V>, update: &OrderUpdate) -> Result<(), Self::Fault> {
        Instance::on_order(self, desk, update)
    }

    fn on_timer(&mut self, desk: &mut TradingDesk<V>, timer: TimerId, at: Nanos) -> Result<(), Self::Fault> {
        Instance::on_timer(self, desk, timer, at)
    }

    fn fuel_used(&self) -> u64 {
        Instance::fuel_used(self)
    }
}
