//! Holds the instruments that have risen most, out of several, and changes them now and then.

use std::collections::VecDeque;

use tiltyard_sdk::prelude::*;

params! {
    /// How the strongest are found and how many are held.
    pub struct Params {
        /// Bars over which strength is measured.
        lookback: u32 = 168 in 2..=2000 step 1, window;
        /// Bars between changes.
        every: u32 = 24 in 1..=1000 step 1, window;
        /// Instruments that are held at most.
        hold: u32 = 2 in 1..=50 step 1, other;
        /// Least return over the look-back that is strength, in percent.
        least: f64 = 0.0 in -50.0..=50.0 step 0.5, threshold;
        /// Fraction of equity to invest in all of them.
        invested: f64 = 0.95 in 0.01..=0.95 step 0.01, risk;
    }
}

/// The strategy.
#[derive(Debug)]
pub struct Momentum {
    params: Params,
    closes: Vec<VecDeque<f64>>,
    steps: u32,
}

impl Momentum {
    fn push(&mut self, instrument: InstrumentIndex, close: f64) {
        let Some(closes) = self.closes.get_mut(instrument as usize) else { return };
        closes.push_back(close);
        if closes.len() > self.params.lookback as usize + 1 {
            closes.pop_front();
        }
    }

    /// The instruments to hold, strongest first; of equals the one that was listed first.
    fn strongest(&self) -> Vec<usize> {
        let full = self.params.lookback as usize + 1;
        let mut strong: Vec<(usize, f64)> = self
            .closes
            .iter()
            .enumerate()
            .filter(|(_, closes)| closes.len() == full)
            .map(|(at, closes)| (at, closes[full - 1] / closes[0] - 1.0))
            .filter(|(_, strength)| *strength > self.params.least / 100.0)
            .collect();
        strong.sort_by(|left, right| right.1.total_cmp(&left.1));
        strong.truncate(self.params.hold as usize);
        strong.into_iter().map(|(at, _)| at).collect()
    }
}

impl Strategy for Momentum {
    type Params = Params;
    const MANIFEST: Manifest = Manifest {
        name: "momentum",
        version: env!("CARGO_PKG_VERSION"),
        description: "Holds the strongest of several instruments in equal parts.",
        warm_up_bars: 2_001,
        hypothesis: "Strength persists across instruments: what has risen more than the others goes on doing so for a while.",
        falsified_by: "The strongest earn no more than all of them in equal parts, after costs.",
        ..Manifest::DEFAULT
    };

    fn new(start: &Start<Params>) -> Result<Self, InitError> {
        let instruments = start.instruments.len();
        if instruments < 2 {
            return Err(InitError::Instruments(format!("at least two are needed to compare, {instruments} was given")));
        }
        Ok(Self { params: start.params.clone(), closes: vec![VecDeque::new(); instruments], steps: 0 })
    }

    fn warm_up(&mut self, instrument: InstrumentIndex, bars: &Columns) {
        for bar in bars.iter() {
            self.push(instrument, bar.close);
        }
    }

    fn on_bar(&mut self, _: &mut impl Desk, instrument: InstrumentIndex, bar: &Bar) {
        self.push(instrument, bar.close);
    }

    fn on_step(&mut self, desk: &mut impl Desk, _: Timestamp) {
        let due = self.steps.is_multiple_of(self.params.every);
        self.steps += 1;
        if !due {
            return;
        }
        let strongest = self.strongest();
        let part = self.params.invested / f64::from(self.params.hold);
        let held = |at: &usize| strongest.contains(at);
        let all: Vec<usize> = (0..self.closes.len()).collect();
        // What goes makes room for what comes; it is paid for one bar later, so that a refusal is tried again next time.
        for at in all.iter().copied().filter(|at| !held(at)).chain(all.iter().copied().filter(held)) {
            let fraction = if held(&at) { part } else { 0.0 };
            if let Err(violations) = desk.target(at as InstrumentIndex, fraction, None) {
                desk.log(Level::Info, &format!("instrument {at} at {fraction}: {violations:?}"));
            }
        }
    }
}

register!(strategy: Momentum);

#[cfg(test)]
mod tests {
    use super::Momentum;
    use tiltyard_sdk::{InitError, Value};
    use tiltyard_sdk_testing::{Market, Trial, TrialError};

    /// Grows by so much a bar; from bar 20 on by the other amount.
    fn market(symbol: &str, first: f64, then: f64) -> Market {
        let price = |at: i32| 100.0 + first * f64::from(at.min(20)) + then * f64::from((at - 20).max(0));
        Market::closes(&(0..60).map(price).collect::<Vec<_>>()).symbol(symbol)
    }

    fn trial() -> Trial {
        let trial = Trial::new(market("A", 1.0, -0.5)).and(market("B", 0.1, 1.0)).and(market("C", -0.5, -0.5));
        trial.param("lookback", Value::Integer(5)).param("every", Value::Integer(1)).param("hold", Value::Integer(1))
    }

    #[test]
    fn holds_the_strongest_and_changes_when_another_is() {
        let played = trial().strategy::<Momentum>().unwrap();
        let bought: Vec<_> = played
            .fills
            .iter()
            .filter(|fill| fill.side == tiltyard_sdk::Side::Buy)
            .map(|fill| fill.instrument)
            .collect();
        assert_eq!(bought.first(), Some(&0));
        assert_eq!(bought.last(), Some(&1));
        assert!(played.positions[1] > 0.0 && played.positions[0] == 0.0 && played.positions[2] == 0.0);
        assert!(played.equity > 1_000_000.0);
    }

    #[test]
    fn what_falls_is_not_held_however_few_are_left() {
        let played = trial().param("hold", Value::Integer(3)).strategy::<Momentum>();
        let played = played.unwrap();
        assert!(played.fills.iter().all(|fill| fill.instrument != 2));
    }

    #[test]
    fn one_instrument_has_nothing_to_be_compared_with() {
        let alone = Trial::new(market("A", 1.0, 1.0)).strategy::<Momentum>();
        assert!(matches!(alone, Err(TrialError::Init(InitError::Instruments(_)))));
    }
}
