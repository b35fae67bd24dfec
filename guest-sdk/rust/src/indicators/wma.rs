use super::{
    Indicator,
    sliding::{Aggregate, Sliding},
};

/// Linearly weighted moving average: `(1 x₁ + 2 x₂ + … + n xₙ) / (n (n + 1) / 2)`, the newest weighing most.
///
/// Source: the weighted mean; TA-Lib `WMA`. Warm-up: n. Seeding: none, it depends on nothing but its window.
#[derive(Debug, Clone)]
pub struct Wma {
    values: Sliding<Ramp>,
}

impl Wma {
    /// Over this many values.
    #[must_use]
    pub fn new(window: u32) -> Self {
        Self { values: Sliding::new(window) }
    }
}

impl Indicator<f64> for Wma {
    type Value = f64;

    fn update(&mut self, value: f64) -> Option<f64> {
        if !value.is_finite() {
            self.reset();
            return None;
        }
        self.values.push(Ramp { count: 1.0, mean: value, weighted: value }).map(|ramp| ramp.weighted)
    }

    fn warm_up(&self) -> u32 {
        self.values.window()
    }

    fn reset(&mut self) {
        self.values.reset();
    }
}

/// Plain and weighted mean of a stretch.
#[derive(Debug, Clone, Copy, Default)]
struct Ramp {
    count: f64,
    mean: f64,
    weighted: f64,
}

impl Ramp {
    /// 1 + 2 + … + count.
    fn weight(count: f64) -> f64 {
        count * (count + 1.0) / 2.0
    }
}

impl Aggregate for Ramp {
    // The weights of the newer values grow by the number of older ones. Written with differences, so that the mean of
    // a constant is that constant.
    fn followed_by(self, newer: Self) -> Self {
        let count = self.count + newer.count;
        let moved = Self::weight(newer.count) * (newer.weighted - self.weighted)
            + self.count * newer.count * (newer.mean - self.weighted);
        Self {
            count,
            mean: self.mean + (newer.mean - self.mean) * newer.count / count,
            weighted: self.weighted + moved / Self::weight(count),
        }
    }
}
