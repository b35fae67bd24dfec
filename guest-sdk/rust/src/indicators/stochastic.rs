use super::{Donchian, Indicator, Sma, finite};
use crate::Bar;

/// What [`Stochastic`] gives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StochasticValue {
    /// %K: where the close is in the range, 0 at the bottom, 100 at the top.
    pub k: f64,
    /// %D: average of %K.
    pub d: f64,
}

/// Stochastic oscillator: `%K = 100 × (close − lowest low) / (highest high − lowest low)` over k bars, `%D` its simple
/// average.
///
/// The slow one smooths %K with a simple average first. 0 where there is no range, as in TA-Lib.
///
/// Source: G. C. Lane, *Lane's Stochastics*, 1984; TA-Lib `STOCH` and `STOCHF` with simple averages. Warm-up:
/// k + smoothing + d − 2, both values beginning together. Seeding: none, it depends on nothing but its windows. Uses
/// high, low and close.
#[derive(Debug, Clone)]
pub struct Stochastic {
    range: Donchian,
    k: Sma,
    d: Sma,
}

impl Stochastic {
    /// The fast one: %K over `k` bars as it is, %D over `d` values of it; 5 and 3 are usual.
    #[must_use]
    pub fn fast(k: u32, d: u32) -> Self {
        Self::slow(k, 1, d)
    }

    /// The slow one: %K over `k` bars averaged over `smoothing`, %D over `d` values of that; 5 or 14, 3 and 3 are usual.
    #[must_use]
    pub fn slow(k: u32, smoothing: u32, d: u32) -> Self {
        Self { range: Donchian::new(k), k: Sma::new(smoothing), d: Sma::new(d) }
    }
}

impl Indicator<&Bar> for Stochastic {
    type Value = StochasticValue;

    fn update(&mut self, bar: &Bar) -> Option<StochasticValue> {
        if !finite([bar.high, bar.low, bar.close]) {
            self.reset();
            return None;
        }
        let range = self.range.update(bar)?;
        let height = range.upper - range.lower;
        let raw = if height > 0.0 { 100.0 * ((bar.close - range.lower) / height) } else { 0.0 };
        let k = self.k.update(raw)?;
        let d = self.d.update(k)?;
        Some(StochasticValue { k, d })
    }

    fn warm_up(&self) -> u32 {
        self.range.warm_up() + self.k.warm_up() + self.d.warm_up() - 2
    }

    fn reset(&mut self) {
        self.range.reset();
        self.k.reset();
        self.d.reset();
    }
}
