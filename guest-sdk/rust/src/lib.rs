//! Write a trading strategy for Tiltyard.
//!
//! A strategy that looks at one instrument's bars and answers with the fraction of equity to hold is a [`Signal`];
//! one that sends orders is a [`Strategy`]. Both are plain traits: the logic compiles and is tested natively with
//! `cargo test`, and [`register!`] turns it into a component.
//!
//! ```
//! use tiltyard_sdk::prelude::*;
//!
//! params! {
//!     pub struct Params {
//!         /// Bars to look back.
//!         lookback: u32 = 24 in 1..=500 step 1, window;
//!     }
//! }
//!
//! pub struct Momentum {
//!     lookback: usize,
//!     closes: Vec<f64>,
//! }
//!
//! impl Signal for Momentum {
//!     type Params = Params;
//!     const MANIFEST: Manifest = Manifest {
//!         name: "momentum",
//!         version: "0.1.0",
//!         description: "Long while the price is above where it was.",
//!         warm_up_bars: 500,
//!         hypothesis: "Prices that rose go on rising.",
//!         falsified_by: "No edge over holding after costs.",
//!         ..Manifest::DEFAULT
//!     };
//!
//!     fn new(start: &Start<Params>) -> Result<Self, InitError> {
//!         Ok(Self { lookback: start.params.lookback as usize, closes: Vec::new() })
//!     }
//!
//!     fn target(&mut self, bar: &Bar) -> f64 {
//!         self.closes.push(bar.close);
//!         match self.closes.len().checked_sub(self.lookback + 1) {
//!             Some(then) if bar.close > self.closes[then] => 1.0,
//!             Some(_) => 0.0,
//!             None => f64::NAN,
//!         }
//!     }
//! }
//!
//! register!(signal: Momentum);
//! ```

mod bindings;
mod desk;
#[doc(hidden)]
pub mod glue;
pub mod indicators;
mod manifest;
mod params;
pub mod sizing;
mod strategy;

pub use bindings::types::{
    Acceptance, Columns, Fill, Instrument, InstrumentIndex, InstrumentKind, Liquidity, OpenOrder, OrderId, OrderOrigin,
    OrderRequest, OrderStatus, OrderType, OrderUpdate, Position, Quote, Replacement, Side, StopLimit, StopLoss,
    TimeInForce, TimerId, Timestamp, Trail, Trailing, Violation,
};
pub use desk::{Desk, Level, MarketError, TimerError};
pub use manifest::{HostStop, Manifest, MarketEvents, Schedule};
pub use params::{Bounds, Param, ParamKind, ParamType, Params, Role, Value};
pub use strategy::{InitError, Signal, Start, Strategy, Trade};
pub use tiltyard_sdk_bindings::Bar;

/// All that a strategy usually needs.
pub mod prelude {
    pub use crate::indicators::{
        Adx, AdxValue, Atr, Bands, Bollinger, Channel, Directional, DirectionalMovement, Donchian, Ema, Indicator,
        Macd, MacdValue, Obv, RollingMax, RollingMin, RollingStd, RollingVwap, Rsi, Sma, Stochastic, StochasticValue,
        Vwap, Wma, ZScore,
    };
    pub use crate::sizing;
    pub use crate::{
        Acceptance, Bar, Columns, Desk, Fill, HostStop, InitError, Instrument, InstrumentIndex, InstrumentKind, Level,
        Manifest, MarketEvents, OrderId, OrderRequest, OrderStatus, OrderType, OrderUpdate, Params as _, Position,
        Quote, Replacement, Schedule, Side, Signal, Start, StopLimit, StopLoss, Strategy, TimeInForce, TimerId,
        Timestamp, Trade, Trail, Trailing, Violation, params, register,
    };
}
