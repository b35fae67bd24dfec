//! An instrument and its market, candle by candle.

use std::fmt;

use proptest::collection::vec;
use proptest::prelude::*;
use tiltyard_model::{Bar, Columns, Instrument, Nanos};

use crate::common::{perpetual, spot};

/// The second listing of a scenario has coarser steps and a rebate for makers.
#[derive(Debug, Clone)]
pub(crate) struct Listing {
    /// Spot if there is none.
    leverage: Option<u8>,
    /// Of one bar.
    hours: i64,
    pub(crate) candles: Vec<Candle>,
    /// Whether the instrument ends with its last bar.
    pub(crate) ends: bool,
}

/// A bar in ticks from the one before.
#[derive(Clone, Copy)]
pub(crate) struct Candle {
    gap: i32,
    body: i32,
    up: i32,
    down: i32,
    /// In tenths.
    pub(crate) volume: u32,
    missing: bool,
}

impl Listing {
    pub(crate) fn instrument(&self, at: usize) -> Instrument {
        let symbol = if at == 0 { "A" } else { "B" };
        let plain = self.leverage.map_or_else(|| spot(symbol), |leverage| perpetual(symbol, f64::from(leverage)));
        if at == 0 { plain } else { Instrument { tick: 0.05, lot: 0.1, maker_fee: -0.000_2, ..plain } }
    }

    pub(crate) fn interval(&self) -> Nanos {
        Nanos::from_hours(self.hours)
    }

    /// Prices on the tick and never below 4.
    pub(crate) fn bars(&self, at: usize) -> Columns {
        let tick = if at == 0 { 1 } else { 5 };
        let price = |ticks: i32| f64::from(ticks * tick) / 100.0;
        let mut last = 10_000 / tick;
        let mut bars = Columns::default();
        for (at, candle) in (0..).zip(&self.candles) {
            let open = (last + candle.gap).max(500 / tick);
            let close = (open + candle.body).max(500 / tick);
            last = close;
            if !candle.missing {
                bars.push(&Bar {
                    open_time: Nanos(at * self.interval().0),
                    open: price(open),
                    high: price(open.max(close) + candle.up),
                    low: price((open.min(close) - candle.down).max(400 / tick)),
                    close: price(close),
                    volume: f64::from(candle.volume) / 10.0,
                });
            }
        }
        bars
    }
}

/// One line a bar, so that a failing scenario can be read.
impl fmt::Debug for Candle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { gap, body, up, down, volume, missing } = self;
        write!(f, "gap {gap}, body {body}, wicks +{up} -{down}, volume {volume}/10, missing {missing}")
    }
}

pub(crate) fn listing() -> impl Strategy<Value = Listing> {
    let leverage = prop_oneof![2 => Just(None), 1 => (1_u8..=5).prop_map(Some)];
    let hours = prop_oneof![3 => Just(1_i64), 1 => Just(4)];
    let candles = prop_oneof![9 => vec(candle(), 5..=16), 1 => vec(candle(), 17..=40)];
    let one = (leverage, hours, candles, prop::bool::weighted(0.15));
    one.prop_map(|(leverage, hours, candles, ends)| Listing { leverage, hours, candles, ends })
}

fn candle() -> impl Strategy<Value = Candle> {
    let gap = prop_oneof![6 => Just(0), 6 => -30..30, 1 => -2_000..2_000];
    let volume = prop_oneof![1 => Just(0_u32), 4 => 1_u32..3_000, 4 => 3_000_u32..60_000, 2 => Just(10_000_000)];
    let one = (gap, -120..120, 0..120, 0..120, volume, prop::bool::weighted(0.05));
    one.prop_map(|(gap, body, up, down, volume, missing)| Candle { gap, body, up, down, volume, missing })
}
