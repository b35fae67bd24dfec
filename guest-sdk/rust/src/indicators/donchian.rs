use super::{Indicator, RollingMax, RollingMin, finite};
use crate::Bar;

/// What [`Donchian`] gives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Channel {
    /// Highest high.
    pub upper: f64,
    /// Half-way between.
    pub middle: f64,
    /// Lowest low.
    pub lower: f64,
}

/// Donchian channel: the highest high and the lowest low of the last n bars, the newest included.
///
/// No close is beyond a channel that includes its own bar. A breakout compares it with the channel before:
///
/// ```
/// # use tiltyard_sdk::prelude::*;
/// struct Breakout {
///     donchian: Donchian,
///     before: Option<Channel>,
/// }
///
/// impl Breakout {
///     fn upwards(&mut self, bar: &Bar) -> bool {
///         let before = std::mem::replace(&mut self.before, self.donchian.update(bar));
///         before.is_some_and(|channel| bar.close > channel.upper)
///     }
/// }
/// ```
///
/// Source: R. Donchian's four-week rule, about 1960; TA-Lib `MAX` of highs and `MIN` of lows. Warm-up: n. Seeding: none,
/// it depends on nothing but its window. Uses high and low.
#[derive(Debug, Clone)]
pub struct Donchian {
    highs: RollingMax,
    lows: RollingMin,
}

impl Donchian {
    /// Over this many bars.
    #[must_use]
    pub fn new(window: u32) -> Self {
        Self { highs: RollingMax::new(window), lows: RollingMin::new(window) }
    }
}

impl Indicator<&Bar> for Donchian {
    type Value = Channel;

    fn update(&mut self, bar: &Bar) -> Option<Channel> {
        if !finite([bar.high, bar.low]) {
            self.reset();
            return None;
        }
        let lower = self.lows.update(bar.low);
        let upper = self.highs.update(bar.high)?;
        let lower = lower?;
        Some(Channel { upper, middle: lower + (upper - lower) / 2.0, lower })
    }

    fn warm_up(&self) -> u32 {
        self.highs.warm_up()
    }

    fn reset(&mut self) {
        self.highs.reset();
        self.lows.reset();
    }
}
