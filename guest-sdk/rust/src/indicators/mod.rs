//! Indicators that take one bar or one value at a time.
//!
//! ```
//! use tiltyard_sdk::prelude::*;
//!
//! let mut average = Sma::new(3);
//! assert_eq!(average.update(1.0), None);
//! assert_eq!(average.update(2.0), None);
//! assert_eq!(average.update(6.0), Some(3.0));
//! assert_eq!(average.update(7.0), Some(5.0));
//! ```
//!
//! With `n` for the window; the warm-up counts inputs up to and including the one that gives the first value:
//!
//! | indicator | takes | gives | warm-up | TA-Lib |
//! |---|---|---|---|---|
//! | [`Sma`] | value | average | n | `SMA` |
//! | [`Ema`] | value | average | n | `EMA` |
//! | [`Wma`] | value | average | n | `WMA` |
//! | [`Macd`] | value | [`MacdValue`] | slow + signal − 1 | `MACD` |
//! | [`Rsi`] | value | 0 to 100 | n + 1 | `RSI` |
//! | [`Bollinger`] | value | [`Bands`] | n | `BBANDS` |
//! | [`RollingMin`], [`RollingMax`] | value | value | n | `MIN`, `MAX` |
//! | [`RollingStd`] | value | standard deviation | n | `STDDEV` |
//! | [`ZScore`] | value | standard deviations | n | |
//! | [`Atr`] | bar | price | n + 1 | `ATR` |
//! | [`DirectionalMovement`] | bar | [`Directional`] | n + 1 | `PLUS_DI`, `MINUS_DI` |
//! | [`Adx`] | bar | [`AdxValue`] | 2 n | `ADX` |
//! | [`Stochastic`] | bar | [`StochasticValue`] | k + smoothing + d − 2 | `STOCH`, `STOCHF` |
//! | [`Donchian`] | bar | [`Channel`] | n | `MAX`, `MIN` |
//! | [`Vwap`] | bar | price | 1 | |
//! | [`RollingVwap`] | bar | price | n | |
//! | [`Obv`] | bar | volume | 1 | `OBV` |
//!
//! Where TA-Lib has an indicator, the first value comes at the same bar and all values agree to 1e-9, with its default
//! settings: unstable periods of 0 and classic compatibility (not Metastock's).
//!
//! **Windows** are counted in inputs and held between 1 and [`MAX_WINDOW`]: no parameter can make a constructor panic.
//!
//! **An input that is not finite restarts** the indicator: it gives nothing at that input and until it is warm again,
//! and then what a new one would. An indicator looks only at those fields of a bar that it needs.
//!
//! **Nothing drifts.** No window is kept by taking away what leaves it, so neither rounding errors nor a huge value
//! outlive the window, however long the run. Averages of a constant are that constant, so on a flat price two averages
//! tie whatever their windows. Memory is allocated once, in `new`; an update takes constant time, averaged over a
//! window. Arithmetic is `+ − × ÷ √` on `f64`, which is the same on every machine.

mod adx;
mod atr;
mod bollinger;
mod deviation;
mod donchian;
mod ema;
mod extremes;
mod macd;
mod obv;
mod rsi;
mod sliding;
mod sma;
mod stochastic;
mod sum;
mod vwap;
mod wma;

pub use adx::{Adx, AdxValue, Directional, DirectionalMovement};
pub use atr::Atr;
pub use bollinger::{Bands, Bollinger};
pub use deviation::{RollingStd, ZScore};
pub use donchian::{Channel, Donchian};
pub use ema::Ema;
pub use extremes::{RollingMax, RollingMin};
pub use macd::{Macd, MacdValue};
pub use obv::Obv;
pub use rsi::Rsi;
pub use sma::Sma;
pub use stochastic::{Stochastic, StochasticValue};
pub use vwap::{RollingVwap, Vwap};
pub use wma::Wma;

/// The longest window, which is TA-Lib's. A longer one is taken for this, and 0 for 1.
pub const MAX_WINDOW: u32 = 100_000;

/// Something that is worked out from a series, one input at a time: `f64` for any series of values, `&Bar` for bars.
pub trait Indicator<Input> {
    /// What it gives.
    type Value;

    /// Takes the next input. `None` until warm, and again after an input that is not finite.
    fn update(&mut self, input: Input) -> Option<Self::Value>;

    /// How many inputs it takes until the first value, counting the one that gives it.
    fn warm_up(&self) -> u32;

    /// Forgets all inputs.
    fn reset(&mut self);
}

fn within_bounds(window: u32) -> u32 {
    window.clamp(1, MAX_WINDOW)
}

fn finite<const N: usize>(values: [f64; N]) -> bool {
    values.iter().all(|value| value.is_finite())
}
