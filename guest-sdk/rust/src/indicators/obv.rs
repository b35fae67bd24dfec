use super::{Indicator, finite, sliding::Aggregate, sum::Sum};
use crate::Bar;

/// On-balance volume: the sum of volumes, counted up when the close rose, down when it fell, not at all when it stayed.
///
/// Only its changes mean anything; its level is that of where it began.
///
/// Source: J. Granville, *Granville's New Key to Stock Market Profits*, 1963; TA-Lib `OBV`. Warm-up: 1. Seeding: the
/// volume of the first bar. Uses close and volume.
#[derive(Debug, Clone, Default)]
pub struct Obv {
    last_close: Option<f64>,
    balance: Sum,
}

impl Obv {
    /// From the next bar on.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Indicator<&Bar> for Obv {
    type Value = f64;

    fn update(&mut self, bar: &Bar) -> Option<f64> {
        if !finite([bar.close, bar.volume]) {
            self.reset();
            return None;
        }
        let volume = match self.last_close.replace(bar.close) {
            Some(last) if bar.close < last => -bar.volume,
            Some(last) if bar.close == last => 0.0,
            _ => bar.volume,
        };
        self.balance = self.balance.followed_by(Sum::of(volume));
        Some(self.balance.value())
    }

    fn warm_up(&self) -> u32 {
        1
    }

    fn reset(&mut self) {
        *self = Self::new();
    }
}
