use super::{Ema, Indicator, finite};
use crate::Bar;

/// Average true range: Wilder's average of `max(high, last close) − min(low, last close)`.
///
/// Source: J. W. Wilder, *New Concepts in Technical Trading Systems*, 1978; TA-Lib `ATR`. Warm-up: n + 1, since a range
/// needs the close before it. Seeding: the simple average of the first n true ranges ([`Ema::wilder`]). Uses high, low
/// and close.
#[derive(Debug, Clone)]
pub struct Atr {
    last_close: Option<f64>,
    ranges: Ema,
}

impl Atr {
    /// Over this many bars; 14 is usual.
    #[must_use]
    pub fn new(window: u32) -> Self {
        Self { last_close: None, ranges: Ema::wilder(window) }
    }
}

impl Indicator<&Bar> for Atr {
    type Value = f64;

    fn update(&mut self, bar: &Bar) -> Option<f64> {
        if !finite([bar.high, bar.low, bar.close]) {
            self.reset();
            return None;
        }
        let last_close = self.last_close.replace(bar.close)?;
        self.ranges.update(true_range(bar, last_close))
    }

    fn warm_up(&self) -> u32 {
        self.ranges.warm_up() + 1
    }

    fn reset(&mut self) {
        self.last_close = None;
        self.ranges.reset();
    }
}

/// The range of a bar together with the gap before it.
pub(super) fn true_range(bar: &Bar, last_close: f64) -> f64 {
    bar.high.max(last_close) - bar.low.min(last_close)
}
