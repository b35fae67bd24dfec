use super::{Indicator, sliding::Aggregate, sum::Sum, within_bounds};

/// Exponential moving average: `eₜ = eₜ₋₁ + α (xₜ − eₜ₋₁)`, with `α = 2 / (n + 1)`.
///
/// Source: R. G. Brown, *Exponential Smoothing for Predicting Demand*, 1956; P. N. Haurlan brought it to trading in
/// 1968; TA-Lib `EMA`. Warm-up: n. Seeding: the simple average of the first n values is the first value.
#[derive(Debug, Clone)]
pub struct Ema {
    window: u32,
    weight: f64,
    seen: u32,
    seed: Sum,
    average: f64,
}

impl Ema {
    /// Over this many values.
    #[must_use]
    pub fn new(window: u32) -> Self {
        let window = within_bounds(window);
        Self::weighted(window, 2.0 / (f64::from(window) + 1.0))
    }

    /// Wilder's smoothing: the same with `α = 1 / n`. Also known as RMA or SMMA.
    ///
    /// Source: J. W. Wilder, *New Concepts in Technical Trading Systems*, 1978.
    #[must_use]
    pub fn wilder(window: u32) -> Self {
        let window = within_bounds(window);
        Self::weighted(window, 1.0 / f64::from(window))
    }

    fn weighted(window: u32, weight: f64) -> Self {
        Self { window, weight, seen: 0, seed: Sum::default(), average: 0.0 }
    }
}

impl Indicator<f64> for Ema {
    type Value = f64;

    fn update(&mut self, value: f64) -> Option<f64> {
        if !value.is_finite() {
            self.reset();
            return None;
        }
        if self.seen == self.window {
            self.average += (value - self.average) * self.weight;
            return Some(self.average);
        }
        self.seen += 1;
        self.seed = self.seed.followed_by(Sum::of(value));
        self.average = self.seed.mean(self.seen);
        (self.seen == self.window).then_some(self.average)
    }

    fn warm_up(&self) -> u32 {
        self.window
    }

    fn reset(&mut self) {
        *self = Self::weighted(self.window, self.weight);
    }
}
