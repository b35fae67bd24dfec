use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use tiltyard_engine::venue::Venue;
use tiltyard_engine::{Strategy, TradingDesk};
use tiltyard_model::{Bar, Columns, Fill, InstrumentIndex, Nanos, OrderUpdate, Quote, TimerId, Trade};
use tiltyard_sdk::Signal;

use crate::convert;
use crate::desk::LentDesk;

/// A strategy without a sandbox around it.
pub(crate) struct NativeStrategy<T>(pub(crate) T);

impl<T: tiltyard_sdk::Strategy, V: Venue> Strategy<TradingDesk<V>> for NativeStrategy<T> {
    type Fault = Infallible;

    fn warm_up(
        &mut self,
        _: &mut TradingDesk<V>,
        instrument: InstrumentIndex,
        bars: &Columns,
    ) -> Result<(), Infallible> {
        self.0.warm_up(instrument.0, &convert::columns(bars));
        Ok(())
    }

    fn on_bar(
        &mut self,
        desk: &mut TradingDesk<V>,
        instrument: InstrumentIndex,
        bar: &Bar,
    ) -> Result<Option<f64>, Infallible> {
        self.0.on_bar(&mut LentDesk(desk), instrument.0, &convert::bar(bar));
        Ok(None)
    }

    fn on_quote(
        &mut self,
        desk: &mut TradingDesk<V>,
        instrument: InstrumentIndex,
        quote: &Quote,
    ) -> Result<(), Infallible> {
        self.0.on_quote(&mut LentDesk(desk), instrument.0, &convert::quote(*quote));
        Ok(())
    }

    fn on_trade(
        &mut self,
        desk: &mut TradingDesk<V>,
        instrument: InstrumentIndex,
        trade: &Trade,
    ) -> Result<(), Infallible> {
        self.0.on_trade(&mut LentDesk(desk), instrument.0, &convert::trade(*trade));
        Ok(())
    }

    fn on_step(&mut self, desk: &mut TradingDesk<V>, time: Nanos) -> Result<(), Infallible> {
        self.0.on_step(&mut LentDesk(desk), time.0);
        Ok(())
    }

    fn on_fill(&mut self, desk: &mut TradingDesk<V>, fill: &Fill) -> Result<(), Infallible> {
        self.0.on_fill(&mut LentDesk(desk), &convert::fill(fill));
        Ok(())
    }

    fn on_order(&mut self, desk: &mut TradingDesk<V>, update: &OrderUpdate) -> Result<(), Infallible> {
        self.0.on_order(&mut LentDesk(desk), &convert::order_update(update));
        Ok(())
    }

    fn on_timer(&mut self, desk: &mut TradingDesk<V>, timer: TimerId, at: Nanos) -> Result<(), Infallible> {
        self.0.on_timer(&mut LentDesk(desk), timer.0, at.0);
        Ok(())
    }
}

/// A signal strategy without a sandbox around it; its answers are written down.
pub(crate) struct NativeSignal<T> {
    pub(crate) signal: T,
    pub(crate) targets: Arc<Mutex<Vec<f64>>>,
}

impl<T: Signal, D> Strategy<D> for NativeSignal<T> {
    type Fault = Infallible;

    fn warm_up(&mut self, _: &mut D, _: InstrumentIndex, bars: &Columns) -> Result<(), Infallible> {
        self.signal.warm_up(&convert::columns(bars));
        Ok(())
    }

    fn on_bar(&mut self, _: &mut D, _: InstrumentIndex, bar: &Bar) -> Result<Option<f64>, Infallible> {
        let target = self.signal.target(&convert::bar(bar));
        if let Ok(mut targets) = self.targets.lock() {
            targets.push(target);
        }
        Ok(Some(target))
    }

    fn on_step(&mut self, _: &mut D, _: Nanos) -> Result<(), Infallible> {
        Ok(())
    }

    fn on_fill(&mut self, _: &mut D, _: &Fill) -> Result<(), Infallible> {
        Ok(())
    }

    fn on_order(&mut self, _: &mut D, _: &OrderUpdate) -> Result<(), Infallible> {
        Ok(())
    }

    fn on_timer(&mut self, _: &mut D, _: TimerId, _: Nanos) -> Result<(), Infallible> {
        Ok(())
    }
}
