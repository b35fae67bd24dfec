use super::{
    Indicator,
    sliding::{Aggregate, Sliding},
};

/// The greatest of the last n values.
///
/// Source: the definition; TA-Lib `MAX`. Warm-up: n. Seeding: none, it depends on nothing but its window.
#[derive(Debug, Clone)]
pub struct RollingMax {
    values: Sliding<Greatest>,
}

impl RollingMax {
    /// Over this many values.
    #[must_use]
    pub fn new(window: u32) -> Self {
        Self { values: Sliding::new(window) }
    }
}

impl Indicator<f64> for RollingMax {
    type Value = f64;

    fn update(&mut self, value: f64) -> Option<f64> {
        if !value.is_finite() {
            self.reset();
            return None;
        }
        self.values.push(Greatest(value)).map(|greatest| greatest.0)
    }

    fn warm_up(&self) -> u32 {
        self.values.window()
    }

    fn reset(&mut self) {
        self.values.reset();
    }
}

/// The least of the last n values.
///
/// Source: the definition; TA-Lib `MIN`. Warm-up: n. Seeding: none, it depends on nothing but its window.
#[derive(Debug, Clone)]
pub struct RollingMin {
    values: Sliding<Least>,
}

impl RollingMin {
    /// Over this many values.
    #[must_use]
    pub fn new(window: u32) -> Self {
        Self { values: Sliding::new(window) }
    }
}

impl Indicator<f64> for RollingMin {
    type Value = f64;

    fn update(&mut self, value: f64) -> Option<f64> {
        if !value.is_finite() {
            self.reset();
            return None;
        }
        self.values.push(Least(value)).map(|least| least.0)
    }

    fn warm_up(&self) -> u32 {
        self.values.window()
    }

    fn reset(&mut self) {
        self.values.reset();
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Greatest(f64);

impl Aggregate for Greatest {
    fn followed_by(self, newer: Self) -> Self {
        Self(self.0.max(newer.0))
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Least(f64);

impl Aggregate for Least {
    fn followed_by(self, newer: Self) -> Self {
        Self(self.0.min(newer.0))
    }
}
