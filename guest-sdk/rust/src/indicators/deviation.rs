use super::{
    Indicator,
    sliding::{Aggregate, Sliding},
};

/// Rolling standard deviation: `√(Σ (xᵢ − x̄)² / n)`.
///
/// Of the population, that is divided by n, as TA-Lib does and as Bollinger bands have it.
///
/// Source: T. Chan, G. Golub and R. LeVeque, *Updating Formulae and a Pairwise Algorithm for Computing Sample
/// Variances*, 1979; TA-Lib `STDDEV`. Warm-up: n. Seeding: none, it depends on nothing but its window.
#[derive(Debug, Clone)]
pub struct RollingStd {
    values: Sliding<Moments>,
}

impl RollingStd {
    /// Over this many values.
    #[must_use]
    pub fn new(window: u32) -> Self {
        Self { values: Sliding::new(window) }
    }
}

impl Indicator<f64> for RollingStd {
    type Value = f64;

    fn update(&mut self, value: f64) -> Option<f64> {
        if !value.is_finite() {
            self.reset();
            return None;
        }
        self.values.push(Moments::of(value)).map(Moments::standard_deviation)
    }

    fn warm_up(&self) -> u32 {
        self.values.window()
    }

    fn reset(&mut self) {
        self.values.reset();
    }
}

/// How many standard deviations a value is above the mean of the last n, itself included: `(xₙ − x̄) / s`, with s as
/// [`RollingStd`].
///
/// 0 where all values of the window are the same.
///
/// Source: the standard score. Warm-up: n. Seeding: none, it depends on nothing but its window.
#[derive(Debug, Clone)]
pub struct ZScore {
    values: Sliding<Moments>,
}

impl ZScore {
    /// Over this many values.
    #[must_use]
    pub fn new(window: u32) -> Self {
        Self { values: Sliding::new(window) }
    }
}

impl Indicator<f64> for ZScore {
    type Value = f64;

    fn update(&mut self, value: f64) -> Option<f64> {
        if !value.is_finite() {
            self.reset();
            return None;
        }
        let moments = self.values.push(Moments::of(value))?;
        let deviation = moments.standard_deviation();
        Some(if deviation > 0.0 { (value - moments.mean) / deviation } else { 0.0 })
    }

    fn warm_up(&self) -> u32 {
        self.values.window()
    }

    fn reset(&mut self) {
        self.values.reset();
    }
}

/// Mean and sum of squared deviations from it.
#[derive(Debug, Clone, Copy, Default)]
struct Moments {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    fn of(value: f64) -> Self {
        Self { count: 1.0, mean: value, squares: 0.0 }
    }

    fn standard_deviation(self) -> f64 {
        (self.squares / self.count).sqrt()
    }
}

impl Aggregate for Moments {
    fn followed_by(self, newer: Self) -> Self {
        let count = self.count + newer.count;
        let apart = newer.mean - self.mean;
        let share = newer.count / count;
        Self {
            count,
            mean: self.mean + apart * share,
            squares: self.squares + newer.squares + apart * apart * self.count * share,
        }
    }
}
