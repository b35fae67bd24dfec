use super::{Indicator, sliding::Sliding, sum::Sum};

/// Simple moving average: `(x₁ + … + xₙ) / n`.
///
/// Source: the arithmetic mean; TA-Lib `SMA`. Warm-up: n. Seeding: none, it depends on nothing but its window.
#[derive(Debug, Clone)]
pub struct Sma {
    values: Sliding<Sum>,
}

impl Sma {
    /// Over this many values.
    #[must_use]
    pub fn new(window: u32) -> Self {
        Self { values: Sliding::new(window) }
    }
}

impl Indicator<f64> for Sma {
    type Value = f64;

    fn update(&mut self, value: f64) -> Option<f64> {
        if !value.is_finite() {
            self.reset();
            return None;
        }
        let sum = self.values.push(Sum::of(value))?;
        Some(sum.mean(self.values.window()))
    }

    fn warm_up(&self) -> u32 {
        self.values.window()
    }

    fn reset(&mut self) {
        self.values.reset();
    }
}
