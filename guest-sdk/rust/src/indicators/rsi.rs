use super::{Ema, Indicator};

/// Relative strength index: `100 × U / (U + D)`, where U and D are Wilder's averages of the rises and of the falls.
///
/// 0 while the price has never moved, as in TA-Lib.
///
/// Source: J. W. Wilder, *New Concepts in Technical Trading Systems*, 1978; TA-Lib `RSI`. Warm-up: n + 1, for n changes.
/// Seeding: the simple averages of the first n rises and falls ([`Ema::wilder`]).
#[derive(Debug, Clone)]
pub struct Rsi {
    last: Option<f64>,
    rises: Ema,
    falls: Ema,
}

impl Rsi {
    /// Over this many changes; 14 is usual.
    #[must_use]
    pub fn new(window: u32) -> Self {
        Self { last: None, rises: Ema::wilder(window), falls: Ema::wilder(window) }
    }
}

impl Indicator<f64> for Rsi {
    type Value = f64;

    fn update(&mut self, value: f64) -> Option<f64> {
        if !value.is_finite() {
            self.reset();
            return None;
        }
        let change = value - self.last.replace(value)?;
        let rises = self.rises.update(change.max(0.0));
        let falls = self.falls.update((-change).max(0.0));
        let (rises, falls) = (rises?, falls?);
        let moves = rises + falls;
        Some(if moves > 0.0 { 100.0 * (rises / moves) } else { 0.0 })
    }

    fn warm_up(&self) -> u32 {
        self.rises.warm_up() + 1
    }

    fn reset(&mut self) {
        self.last = None;
        self.rises.reset();
        self.falls.reset();
    }
}
