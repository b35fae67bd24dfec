use super::{
    Indicator, finite,
    sliding::{Aggregate, Sliding},
    sum::Sum,
};
use crate::Bar;

/// Volume-weighted average price since the beginning: `Σ pᵢ vᵢ / Σ vᵢ`, with the typical price
/// `p = (high + low + close) / 3` of each bar.
///
/// A session begins with [`reset`](Indicator::reset). Nothing while nothing traded.
///
/// Source: S. Berkowitz, D. Logue and E. Noser, *The Total Cost of Transactions on the NYSE*, 1988. Warm-up: 1. Seeding:
/// none. Uses high, low, close and volume.
#[derive(Debug, Clone, Default)]
pub struct Vwap {
    traded: Traded,
}

impl Vwap {
    /// At the beginning of a session.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Indicator<&Bar> for Vwap {
    type Value = f64;

    fn update(&mut self, bar: &Bar) -> Option<f64> {
        let Some(traded) = Traded::in_bar(bar) else {
            self.reset();
            return None;
        };
        self.traded = self.traded.followed_by(traded);
        self.traded.average_price()
    }

    fn warm_up(&self) -> u32 {
        1
    }

    fn reset(&mut self) {
        *self = Self::new();
    }
}

/// Volume-weighted average price of the last n bars; otherwise as [`Vwap`].
///
/// Nothing while no bar of the window traded. Warm-up: n. Seeding: none, it depends on nothing but its window. Uses
/// high, low, close and volume.
#[derive(Debug, Clone)]
pub struct RollingVwap {
    bars: Sliding<Traded>,
}

impl RollingVwap {
    /// Over this many bars.
    #[must_use]
    pub fn new(window: u32) -> Self {
        Self { bars: Sliding::new(window) }
    }
}

impl Indicator<&Bar> for RollingVwap {
    type Value = f64;

    fn update(&mut self, bar: &Bar) -> Option<f64> {
        let Some(traded) = Traded::in_bar(bar) else {
            self.reset();
            return None;
        };
        self.bars.push(traded)?.average_price()
    }

    fn warm_up(&self) -> u32 {
        self.bars.window()
    }

    fn reset(&mut self) {
        self.bars.reset();
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Traded {
    /// Price times volume.
    notional: Sum,
    volume: Sum,
}

impl Traded {
    /// `None` if the bar is not finite.
    fn in_bar(&Bar { high, low, close, volume, .. }: &Bar) -> Option<Self> {
        let notional = (high + low + close) / 3.0 * volume;
        finite([notional, volume]).then(|| Self { notional: Sum::of(notional), volume: Sum::of(volume) })
    }

    fn average_price(self) -> Option<f64> {
        let volume = self.volume.value();
        (volume > 0.0).then(|| self.notional.value() / volume)
    }
}

impl Aggregate for Traded {
    fn followed_by(self, newer: Self) -> Self {
        Self { notional: self.notional.followed_by(newer.notional), volume: self.volume.followed_by(newer.volume) }
    }
}
