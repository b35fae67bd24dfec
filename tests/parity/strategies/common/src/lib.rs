//! What the strategies of the parity tests decide by. Prices are whole ticks, so that a tie is a tie.

use std::collections::VecDeque;

/// The price grid of an instrument.
#[derive(Debug, Clone, Copy)]
pub struct Grid {
    /// The smallest step of a price.
    pub tick: f64,
}

impl Grid {
    /// A price in ticks.
    #[must_use]
    pub fn ticks(self, price: f64) -> i64 {
        (price / self.tick).round() as i64
    }

    /// So many ticks as a price.
    #[must_use]
    pub fn price(self, ticks: i64) -> f64 {
        // A tick is a power of ten: dividing by the whole number gives the nearest double, multiplying may not.
        ticks as f64 / (1.0 / self.tick).round()
    }
}

/// Where averages of 10 and 50 closes cross.
#[derive(Debug, Default)]
pub struct Crosses {
    closes: VecDeque<i64>,
    before: Option<i64>,
}

/// A cross of the averages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cross {
    /// The fast average has come above the slow one.
    Up,
    /// Below it.
    Down,
}

impl Crosses {
    /// Takes a close in, in ticks.
    pub fn update(&mut self, close: i64) -> Option<Cross> {
        self.closes.push_back(close);
        if self.closes.len() > 50 {
            self.closes.pop_front();
        }
        if self.closes.len() < 50 {
            return None;
        }
        // Five times the sum of 10 against the sum of 50 are the averages, times 50.
        let fast: i64 = self.closes.range(40..).sum();
        let now = (5 * fast - self.closes.iter().sum::<i64>()).signum();
        let before = self.before.replace(now)?;
        match (before, now) {
            (..=0, 1) => Some(Cross::Up),
            (0.., -1) => Some(Cross::Down),
            _ => None,
        }
    }
}
