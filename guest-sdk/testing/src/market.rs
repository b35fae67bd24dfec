use std::sync::Arc;

use tiltyard_engine::Traded;
use tiltyard_model::{Bar, Columns, Instrument, InstrumentKind, Nanos};
use tiltyard_sdk::Start;

use crate::convert;

/// An instrument and its bars, made for a test.
///
/// Ticks of 0.01, lots of 0.001, no least notional, and volume that no order of a test exhausts, unless said otherwise.
#[derive(Debug, Clone)]
pub struct Market {
    instrument: Instrument,
    interval: Nanos,
    bars: Vec<[f64; 5]>,
}

impl Market {
    /// Hourly bars with these closes. Each opens where the one before closed, and reaches no further.
    #[must_use]
    pub fn closes(closes: &[f64]) -> Self {
        let mut open = closes.first().copied().unwrap_or_default();
        let bars = closes.iter().map(|close| {
            let bar = [open, open.max(*close), open.min(*close), *close, 1e9];
            open = *close;
            bar
        });
        Self::bars(&bars.collect::<Vec<_>>())
    }

    /// Hourly bars with these first, highest, lowest and last prices and volumes.
    #[must_use]
    pub fn bars(bars: &[[f64; 5]]) -> Self {
        let instrument = Instrument {
            symbol: "TEST".to_owned(),
            venue: "test".to_owned(),
            kind: InstrumentKind::Spot,
            base: "TEST".to_owned(),
            quote: "USD".to_owned(),
            tick: 0.01,
            lot: 0.001,
            min_notional: 0.0,
            maker_fee: 0.0005,
            taker_fee: 0.0005,
            max_leverage: 1.0,
            margin: tiltyard_model::MarginRules::default(),
        };
        Self { instrument, interval: Nanos::from_hours(1), bars: bars.to_vec() }
    }

    /// Another symbol.
    #[must_use]
    pub fn symbol(mut self, symbol: &str) -> Self {
        symbol.clone_into(&mut self.instrument.symbol);
        self
    }

    /// Bars of so many minutes.
    #[must_use]
    pub fn minutes(mut self, minutes: i64) -> Self {
        self.interval = Nanos::from_secs(minutes * 60);
        self
    }

    /// Another smallest step of prices.
    #[must_use]
    pub fn tick(mut self, tick: f64) -> Self {
        self.instrument.tick = tick;
        self
    }

    /// Another smallest step of quantities.
    #[must_use]
    pub fn lot(mut self, lot: f64) -> Self {
        self.instrument.lot = lot;
        self
    }

    /// The same fee for makers and takers, as a fraction of notional.
    #[must_use]
    pub fn fee(mut self, fee: f64) -> Self {
        (self.instrument.maker_fee, self.instrument.taker_fee) = (fee, fee);
        self
    }

    /// A perpetual that may be sold short.
    #[must_use]
    pub fn perpetual(mut self, max_leverage: f64) -> Self {
        (self.instrument.kind, self.instrument.max_leverage) = (InstrumentKind::Perpetual, max_leverage);
        self
    }

    /// What a strategy is told that trades this market alone, for tests that call it without a kernel.
    #[must_use]
    pub fn start<P>(&self, params: P) -> Start<P> {
        Start {
            instruments: vec![convert::instrument(&self.instrument)],
            bar_intervals: vec![self.interval.0],
            settlement: self.instrument.quote.clone(),
            params,
            seed: 0,
        }
    }

    pub(crate) fn traded(&self) -> Traded {
        let bar = |(at, [open, high, low, close, volume]): (i64, &[f64; 5])| Bar {
            open_time: Nanos(at * self.interval.0),
            open: *open,
            high: *high,
            low: *low,
            close: *close,
            volume: *volume,
        };
        let bars: Columns = (0..).zip(&self.bars).map(bar).collect();
        Traded {
            instrument: self.instrument.clone(),
            interval: self.interval,
            bars: Arc::new(bars),
            ends: false,
            perpetual: tiltyard_engine::PerpetualSeries::default(),
        }
    }
}
