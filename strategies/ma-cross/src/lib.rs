//! Long while a fast moving average of closes stands above a slow one, with a stop at a multiple of the average true
//! range that the host keeps.

use std::collections::VecDeque;

use tiltyard_sdk::prelude::*;

params! {
    /// The two windows.
    pub struct Params {
        /// Bars in the fast average.
        fast: u32 = 10 in 2..=200 step 1, window;
        /// Bars in the slow average; more than in the fast one.
        slow: u32 = 50 in 3..=500 step 1, window;
        /// Whether to be short, instead of flat, below the slow average.
        short: bool = false, other;
    }
}

/// The strategy.
#[derive(Debug)]
pub struct MaCross {
    tick: f64,
    fast: Sum,
    slow: Sum,
    below: f64,
}

/// The sum of the last closes, in ticks.
///
/// Whole numbers, so that adding and taking away is exact up to 2⁵³ and the sum depends on nothing but its window. A
/// running sum of prices would drift, and turn exact ties of the averages into crosses.
#[derive(Debug)]
struct Sum {
    window: usize,
    ticks: VecDeque<f64>,
    sum: f64,
}

impl Sum {
    fn over(window: u32) -> Self {
        let window = window as usize;
        Self { window, ticks: VecDeque::with_capacity(window + 1), sum: 0.0 }
    }

    fn push(&mut self, ticks: f64) {
        self.sum += ticks;
        self.ticks.push_back(ticks);
        if self.ticks.len() > self.window {
            self.sum -= self.ticks.pop_front().unwrap_or_default();
        }
    }

    /// The average once the window is full.
    fn average(&self) -> Option<f64> {
        (self.ticks.len() == self.window).then(|| self.sum / self.window as f64)
    }
}

impl Signal for MaCross {
    type Params = Params;
    const MANIFEST: Manifest = Manifest {
        name: "ma-cross",
        version: env!("CARGO_PKG_VERSION"),
        description: "Long while the fast average of closes is above the slow one.",
        warm_up_bars: 500,
        host_stop: Some(HostStop { atr_multiple: "3.0", atr_bars: 14 }),
        hypothesis: "Prices trend: what has been rising for days goes on rising longer than chance would have it.",
        falsified_by: "After costs it earns no more per unit of risk than holding, over several years and instruments.",
        ..Manifest::DEFAULT
    };

    fn new(start: &Start<Params>) -> Result<Self, InitError> {
        let Params { fast, slow, short } = start.params;
        if fast >= slow {
            return Err(InitError::Parameter {
                name: "fast",
                problem: format!("{fast} must be less than slow, {slow}"),
            });
        }
        let (instrument, _) = start.only_instrument()?;
        Ok(Self {
            tick: instrument.tick,
            fast: Sum::over(fast),
            slow: Sum::over(slow),
            below: if short { -1.0 } else { 0.0 },
        })
    }

    fn target(&mut self, bar: &Bar) -> f64 {
        let ticks = (bar.close / self.tick).round();
        self.fast.push(ticks);
        self.slow.push(ticks);
        match (self.fast.average(), self.slow.average()) {
            (Some(fast), Some(slow)) if fast > slow => 1.0,
            (Some(_), Some(_)) => self.below,
            _ => f64::NAN,
        }
    }
}

register!(signal: MaCross);

#[cfg(test)]
mod tests {
    use super::{MaCross, Params};
    use tiltyard_sdk::prelude::*;
    use tiltyard_sdk_testing::Market;

    fn start(fast: u32, slow: u32) -> Start<Params> {
        Market::closes(&[]).start(Params { fast, slow, short: false })
    }

    fn targets(closes: &[f64]) -> Vec<f64> {
        let mut strategy = MaCross::new(&start(2, 4)).unwrap();
        let bar = |&close: &f64| Bar { open_time: 0, open: close, high: close, low: close, close, volume: 1.0 };
        closes.iter().map(|close| strategy.target(&bar(close))).collect()
    }

    #[test]
    fn says_nothing_until_the_slow_window_is_full() {
        assert!(targets(&[1.0, 2.0, 3.0]).iter().all(|target| target.is_nan()));
    }

    #[test]
    fn long_above_flat_below_and_at_a_tie() {
        // Averages of 2 and 4 closes: 3.5 > 2.5, then 2.5 < 2.75, then 1.5 < 2.5; a constant price ties.
        assert_eq!(targets(&[1.0, 2.0, 3.0, 4.0, 1.0, 2.0])[3..], [1.0, 0.0, 0.0]);
        assert_eq!(targets(&[0.1, 0.3, 0.2, 0.2, 0.2, 0.2, 0.2])[6..], [0.0]);
    }

    #[test]
    fn windows_must_be_in_order() {
        assert!(matches!(MaCross::new(&start(50, 50)), Err(InitError::Parameter { name: "fast", .. })));
    }
}
