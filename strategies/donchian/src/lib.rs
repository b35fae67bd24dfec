//! Buys breakouts above the highest price of many bars, if volume confirms them and the market moves enough to be worth it.

use tiltyard_sdk::prelude::*;

params! {
    /// What counts as a breakout, and what confirms it.
    pub struct Params {
        /// Bars whose highest price a close must exceed.
        entry: u32 = 48 in 5..=500 step 1, window;
        /// Bars below whose lowest price a close ends the position.
        exit: u32 = 24 in 2..=500 step 1, window;
        /// Volume ÷ its average over 24 hours that a breakout needs.
        volume: f64 = 1.5 in 0.0..=10.0 step 0.1, threshold;
        /// Least average true range of a day, in percent of the price.
        range: f64 = 2.0 in 0.0..=20.0 step 0.1, threshold;
        /// Fraction of equity to hold.
        invested: f64 = 1.0 in 0.01..=1.0 step 0.01, risk;
    }
}

/// A day in nanoseconds.
const DAY: i64 = 86_400_000_000_000;
/// Days of the average true range.
const ATR_DAYS: u32 = 14;

/// The strategy.
#[derive(Debug)]
pub struct Breakout {
    params: Params,
    upper: RollingMax,
    lower: RollingMin,
    highest: Option<f64>,
    lowest: Option<f64>,
    volume: Sma,
    days: Days,
}

/// Days made of bars, and their average true range.
#[derive(Debug)]
struct Days {
    range: Atr,
    today: Option<Bar>,
    atr: Option<f64>,
}

impl Days {
    /// Takes a bar in: the average true range of the days that are over, once there are enough.
    fn update(&mut self, bar: &Bar) -> Option<f64> {
        let day = |time: i64| time.div_euclid(DAY);
        match &mut self.today {
            Some(today) if day(today.open_time) == day(bar.open_time) => {
                today.high = today.high.max(bar.high);
                today.low = today.low.min(bar.low);
                today.close = bar.close;
            }
            today => {
                if let Some(over) = today.replace(*bar) {
                    self.atr = self.range.update(&over);
                }
            }
        }
        self.atr
    }
}

impl Signal for Breakout {
    type Params = Params;
    const MANIFEST: Manifest = Manifest {
        name: "donchian",
        version: env!("CARGO_PKG_VERSION"),
        description: "Long after a close above the highest high, if volume confirms it, until one below the lowest low.",
        warm_up_bars: 1_000,
        host_stop: Some(HostStop { atr_multiple: "3.0", atr_bars: 14 }),
        hypothesis: "News is not priced at once: a new high on unusual volume is the beginning of a move, not its end.",
        falsified_by: "Breakouts with the filters earn no more per trade than breakouts without them.",
        ..Manifest::DEFAULT
    };

    fn new(start: &Start<Params>) -> Result<Self, InitError> {
        let (_, interval) = start.only_instrument()?;
        let params = start.params.clone();
        // Bars of 24 hours; at least one, for bars of days.
        let bars_a_day = u32::try_from(DAY / interval.max(1)).unwrap_or(u32::MAX).max(1);
        Ok(Self {
            upper: RollingMax::new(params.entry),
            lower: RollingMin::new(params.exit),
            highest: None,
            lowest: None,
            volume: Sma::new(bars_a_day),
            days: Days { range: Atr::new(ATR_DAYS), today: None, atr: None },
            params,
        })
    }

    fn target(&mut self, bar: &Bar) -> f64 {
        // What was known before this bar.
        let (highest, lowest) = (self.highest, self.lowest);
        self.highest = self.upper.update(bar.high);
        self.lowest = self.lower.update(bar.low);
        let usual = self.volume.update(bar.volume);
        let atr = self.days.update(bar);
        let (Some(highest), Some(lowest), Some(usual), Some(atr)) = (highest, lowest, usual, atr) else {
            return f64::NAN;
        };
        let confirmed = bar.volume > self.params.volume * usual;
        let lively = atr >= self.params.range / 100.0 * bar.close;
        if bar.close < lowest {
            0.0
        } else if bar.close > highest && confirmed && lively {
            self.params.invested
        } else {
            f64::NAN
        }
    }
}

register!(signal: Breakout);

#[cfg(test)]
mod tests {
    use super::Breakout;
    use tiltyard_sdk::Value;
    use tiltyard_sdk_testing::{Market, Played, Trial};

    /// Three weeks of calm between 95 and 105, a breakout to 110 on this much volume, and a fall.
    fn play(volume: f64, parameters: &[(&str, f64)]) -> Played {
        let calm = (0..21 * 24).map(|at| {
            let price = 100.0 + f64::from(at % 7) - 3.0;
            [price, price + 2.0, price - 2.0, price, 1_000.0]
        });
        let breakout = [[104.0, 111.0, 104.0, 110.0, volume], [110.0, 111.0, 109.0, 110.0, 1_000.0]];
        let fall = [[110.0, 110.0, 89.0, 90.0, 1_000.0], [90.0, 91.0, 89.0, 90.0, 1_000.0]];
        let bars: Vec<_> = calm.chain(breakout).chain(fall).collect();
        let trial = Trial::new(Market::bars(&bars)).cash(1_000);
        let trial = parameters.iter().fold(trial, |trial, (name, value)| trial.param(name, Value::Real(*value)));
        trial.signal::<Breakout>().unwrap()
    }

    fn decisions(played: &Played) -> Vec<(usize, f64)> {
        played.targets.iter().copied().enumerate().filter(|(_, target)| !target.is_nan() && *target > 0.0).collect()
    }

    #[test]
    fn buys_a_breakout_on_volume_and_leaves_below_the_low() {
        let played = play(5_000.0, &[]);
        assert_eq!(decisions(&played), [(504, 1.0)]);
        assert_eq!(played.targets[506], 0.0);
        assert_eq!(played.trades.len(), 1, "{:?}", played.refusals);
    }

    #[test]
    fn without_volume_or_range_there_is_no_breakout() {
        assert!(decisions(&play(1_100.0, &[])).is_empty());
        assert!(decisions(&play(5_000.0, &[("range", 20.0)])).is_empty());
        assert_eq!(decisions(&play(1_100.0, &[("volume", 0.0), ("range", 0.0)])), [(504, 1.0)]);
    }
}
