use super::{Indicator, RollingStd, Sma};

/// What [`Bollinger`] gives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bands {
    /// Middle plus the width.
    pub upper: f64,
    /// Simple average.
    pub middle: f64,
    /// Middle less the width.
    pub lower: f64,
}

/// Bollinger bands: `middle ± k s`, with the [`Sma`] in the middle and s the [`RollingStd`] of the same window.
///
/// Source: J. Bollinger, *Bollinger on Bollinger Bands*, 2001; TA-Lib `BBANDS` with a simple average. Warm-up: n.
/// Seeding: none, they depend on nothing but their window.
#[derive(Debug, Clone)]
pub struct Bollinger {
    average: Sma,
    deviation: RollingStd,
    width: f64,
}

impl Bollinger {
    /// Over this many values, with the bands this many standard deviations from the middle; 20 and 2 are usual.
    #[must_use]
    pub fn new(window: u32, width: f64) -> Self {
        Self { average: Sma::new(window), deviation: RollingStd::new(window), width }
    }
}

impl Indicator<f64> for Bollinger {
    type Value = Bands;

    fn update(&mut self, value: f64) -> Option<Bands> {
        let deviation = self.deviation.update(value);
        let middle = self.average.update(value)?;
        let width = self.width * deviation?;
        Some(Bands { upper: middle + width, middle, lower: middle - width })
    }

    fn warm_up(&self) -> u32 {
        self.average.warm_up()
    }

    fn reset(&mut self) {
        self.average.reset();
        self.deviation.reset();
    }
}
