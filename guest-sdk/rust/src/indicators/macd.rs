use super::{Ema, Indicator, within_bounds};

/// What [`Macd`] gives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MacdValue {
    /// Fast average less slow average.
    pub line: f64,
    /// Average of the line.
    pub signal: f64,
    /// Line less signal.
    pub histogram: f64,
}

/// Moving average convergence / divergence: `line = EMA(fast) − EMA(slow)`, `signal = EMA(line)`,
/// `histogram = line − signal`.
///
/// Source: G. Appel, *The Moving Average Convergence-Divergence Trading Method*, 1979; the histogram is T. Aspray's,
/// 1986; TA-Lib `MACD`. Warm-up: slow + signal − 1. Seeding: as [`Ema`], with the fast average seeded by the last values
/// of the slow one's seed, so that both begin at the same value.
#[derive(Debug, Clone)]
pub struct Macd {
    fast: Ema,
    slow: Ema,
    signal: Ema,
    /// Values that the fast average leaves out at the beginning, and how many are still to come.
    lead: u32,
    left_out: u32,
}

impl Macd {
    /// With these windows; 12, 26 and 9 are usual. Fast and slow change places if fast is the longer, as in TA-Lib.
    #[must_use]
    pub fn new(fast: u32, slow: u32, signal: u32) -> Self {
        let (fast, slow) = (within_bounds(fast.min(slow)), within_bounds(fast.max(slow)));
        let lead = slow - fast;
        Self { fast: Ema::new(fast), slow: Ema::new(slow), signal: Ema::new(signal), lead, left_out: lead }
    }
}

impl Indicator<f64> for Macd {
    type Value = MacdValue;

    fn update(&mut self, value: f64) -> Option<MacdValue> {
        if !value.is_finite() {
            self.reset();
            return None;
        }
        let slow = self.slow.update(value);
        if self.left_out > 0 {
            self.left_out -= 1;
            return None;
        }
        let line = self.fast.update(value)? - slow?;
        let signal = self.signal.update(line)?;
        Some(MacdValue { line, signal, histogram: line - signal })
    }

    fn warm_up(&self) -> u32 {
        self.slow.warm_up() + self.signal.warm_up() - 1
    }

    fn reset(&mut self) {
        self.fast.reset();
        self.slow.reset();
        self.signal.reset();
        self.left_out = self.lead;
    }
}
