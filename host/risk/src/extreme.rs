use serde::{Deserialize, Serialize};
use tiltyard_stats::standard_deviation;

/// When a market counts as extreme, and how much exposure is left then.
///
/// The score of a bar t is |R| ÷ S, with closes c:
/// - R = ln(c\[t\] ÷ c\[t − 24\]), the return of the last 24 bars;
/// - S = s × √24, where s is the standard deviation (ddof 1) of the 72 one-bar returns ln(c\[i\] ÷ c\[i − 1\]) that end
///   with the close c\[t − 24\]. It is lagged: R has no part in what it is measured by. The root makes of one bar's
///   deviation that of 24 bars without autocorrelation.
///
/// The market is extreme, 1 and not 0, if of the last 48 bars more than 2 have a score above 2.5. Exposure is then
/// multiplied by clip(1 − 0.7 × extreme, 0.3, 1). The figures are the defaults of the fields below.
///
/// All is worked out anew at every call, from 144 closes: 143 logarithms, and 48 deviations of 72 returns each. A window
/// that slides would work out one of the 48, and would have to be kept and restored with the rest of the state.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExtremeMarket {
    /// What an extreme market takes off the exposure, as a fraction: 0 to 1. Default 0.7.
    pub reduction: f64,
    /// The least that is left of the exposure, as a fraction: 0 to 1. Default 0.3.
    pub least: f64,
    /// Bars of the return R: 1 to 10,000. Default 24.
    pub return_bars: usize,
    /// One-bar returns of the volatility S: 2 to 10,000. Default 72.
    pub volatility_bars: usize,
    /// The score that is exceeded: more than 0, at most 100. Default 2.5.
    pub score: f64,
    /// So many bars may exceed it: fewer than `within_bars`. Default 2.
    pub times: usize,
    /// Bars that are looked at: 1 to 10,000. Default 48.
    pub within_bars: usize,
}

/// What a market is, and by what. All but [`Calm`](Self::Calm) are extreme: what cannot be decided is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MarketState {
    /// Not extreme.
    Calm {
        /// Bars with a score above the limit.
        exceeded: usize,
    },
    /// Extreme.
    Extreme {
        /// Bars with a score above the limit.
        exceeded: usize,
    },
    /// There are fewer closes than it takes.
    TooFewBars {
        /// Closes that there are.
        have: usize,
        /// Closes that are needed.
        need: usize,
    },
    /// A close is NaN, infinite or not above 0.
    NotAPrice {
        /// Its position among the closes, from 0.
        at: usize,
    },
    /// The returns before a bar do not vary (not by more than rounding), so that it has no score.
    NoVolatility {
        /// The bar's position among the closes, from 0.
        at: usize,
    },
    /// The figures have [problems](ExtremeMarket::problems).
    Misconfigured,
}

/// Most bars that any window may have.
const MOST_BARS: usize = 10_000;

impl Default for ExtremeMarket {
    fn default() -> Self {
        Self { reduction: 0.7, least: 0.3, return_bars: 24, volatility_bars: 72, score: 2.5, times: 2, within_bars: 48 }
    }
}

impl ExtremeMarket {
    /// What is wrong with it, one sentence each; empty if nothing is.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for (field, value) in [("reduction", self.reduction), ("least", self.least)] {
            if !(0.0..=1.0).contains(&value) {
                problems.push(format!("{field} is {value}; it must be from 0 to 1"));
            }
        }
        for (field, bars, fewest) in [
            ("return_bars", self.return_bars, 1),
            ("volatility_bars", self.volatility_bars, 2),
            ("within_bars", self.within_bars, 1),
        ] {
            if !(fewest..=MOST_BARS).contains(&bars) {
                problems.push(format!("{field} is {bars}; it must be from {fewest} to {MOST_BARS}"));
            }
        }
        if !(self.score > 0.0 && self.score <= 100.0) {
            problems.push(format!("score is {}; it must be more than 0 and at most 100", self.score));
        }
        if self.times >= self.within_bars {
            let (times, within) = (self.times, self.within_bars);
            problems.push(format!("times is {times}; it must be less than within_bars, which is {within}"));
        }
        problems
    }

    /// Closes that are needed: 144 by default.
    #[must_use]
    pub fn bars(&self) -> usize {
        self.return_bars.saturating_add(self.volatility_bars).saturating_add(self.within_bars)
    }

    /// What the market is after the last of these closes, oldest first. Only the last [`bars`](Self::bars) are read.
    #[must_use]
    pub fn state(&self, closes: &[f64]) -> MarketState {
        if !self.problems().is_empty() {
            return MarketState::Misconfigured;
        }
        let (have, need) = (closes.len(), self.bars());
        let Some(before) = have.checked_sub(need) else {
            return MarketState::TooFewBars { have, need };
        };
        let closes = &closes[before..];
        if let Some(at) = closes.iter().position(|close| !(close.is_finite() && *close > 0.0)) {
            return MarketState::NotAPrice { at: before + at };
        }
        let logs: Vec<f64> = closes.iter().map(|close| libm::log(*close)).collect();
        // The return at `i` is the one that ends with the close `i + 1`.
        let returns: Vec<f64> = logs.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let root = (self.return_bars as f64).sqrt();
        let mut exceeded = 0;
        for bar in need - self.within_bars..need {
            let start = bar - self.return_bars;
            let deviation = standard_deviation(&returns[start - self.volatility_bars..start]).unwrap_or(0.0);
            if deviation == 0.0 {
                return MarketState::NoVolatility { at: before + bar };
            }
            let score = (logs[bar] - logs[start]).abs() / (deviation * root);
            exceeded += usize::from(score > self.score);
        }
        if exceeded > self.times { MarketState::Extreme { exceeded } } else { MarketState::Calm { exceeded } }
    }

    /// What exposure is multiplied by in this state: clip(1 − reduction × extreme, least, 1), and 0 if the figures have
    /// problems.
    #[must_use]
    pub fn exposure(&self, state: MarketState) -> f64 {
        if state == MarketState::Misconfigured || !self.problems().is_empty() {
            return 0.0;
        }
        (1.0 - self.reduction * state.extreme()).clamp(self.least, 1.0)
    }
}

impl MarketState {
    /// 1 if the market is extreme or nobody can say, else 0.
    #[must_use]
    pub fn extreme(self) -> f64 {
        if matches!(self, Self::Calm { .. }) { 0.0 } else { 1.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::{ExtremeMarket, MarketState};

    /// Closes whose logarithm goes up and down by 0.01, of any length.
    fn calm(bars: usize) -> Vec<f64> {
        (0..bars).map(|bar| if bar % 2 == 0 { 100.0 } else { 100.0 * 0.01_f64.exp() }).collect()
    }

    /// Multiplies the last closes.
    fn jump(mut closes: Vec<f64>, last: usize, factor: f64) -> Vec<f64> {
        let from = closes.len() - last;
        closes[from..].iter_mut().for_each(|close| *close *= factor);
        closes
    }

    fn state(closes: &[f64]) -> MarketState {
        ExtremeMarket::default().state(closes)
    }

    #[test]
    fn an_extreme_market_leaves_three_tenths_of_the_exposure() {
        let market = ExtremeMarket::default();
        assert!((market.exposure(MarketState::Extreme { exceeded: 3 }) - 0.3).abs() < 1e-12);
        assert_eq!(market.exposure(MarketState::Calm { exceeded: 2 }), 1.0);
        for undecided in [
            MarketState::TooFewBars { have: 0, need: 144 },
            MarketState::NotAPrice { at: 0 },
            MarketState::NoVolatility { at: 96 },
        ] {
            assert_eq!(undecided.extreme(), 1.0);
            assert!((market.exposure(undecided) - 0.3).abs() < 1e-12);
        }
    }

    #[test]
    fn the_least_binds_a_larger_reduction() {
        let market = ExtremeMarket { reduction: 0.9, ..ExtremeMarket::default() };
        assert_eq!(market.exposure(MarketState::Extreme { exceeded: 3 }), 0.3);
    }

    #[test]
    fn one_bar_too_few_is_undecided() {
        assert_eq!(state(&calm(144)), MarketState::Calm { exceeded: 0 });
        assert_eq!(state(&calm(143)), MarketState::TooFewBars { have: 143, need: 144 });
        assert_eq!(state(&[]), MarketState::TooFewBars { have: 0, need: 144 });
    }

    #[test]
    fn two_bars_above_the_score_are_calm_and_three_are_extreme() {
        assert_eq!(state(&jump(calm(200), 2, 1.5)), MarketState::Calm { exceeded: 2 });
        assert_eq!(state(&jump(calm(200), 3, 1.5)), MarketState::Extreme { exceeded: 3 });
        assert_eq!(state(&jump(calm(200), 3, 0.5)), MarketState::Extreme { exceeded: 3 });
    }

    /// 72 returns of ±0.01, as many of either sign, have a deviation of 0.01 × √(72 ÷ 71).
    #[test]
    fn the_score_is_exceeded_just_above_two_and_a_half_deviations_of_24_bars() {
        let limit = 2.5 * 0.01 * (72.0_f64 / 71.0).sqrt() * 24.0_f64.sqrt();
        assert_eq!(state(&jump(calm(144), 3, (limit - 1e-9).exp())), MarketState::Calm { exceeded: 0 });
        assert_eq!(state(&jump(calm(144), 3, (limit + 1e-9).exp())), MarketState::Extreme { exceeded: 3 });
    }

    #[test]
    fn a_jump_counts_for_24_bars_and_is_forgotten_after_48_more() {
        // 24 bars exceed it; then it is part of the volatility, and no return.
        assert_eq!(state(&jump(calm(300), 24, 1.5)), MarketState::Extreme { exceeded: 24 });
        assert_eq!(state(&jump(calm(300), 48, 1.5)), MarketState::Extreme { exceeded: 24 });
        assert_eq!(state(&jump(calm(300), 69, 1.5)), MarketState::Extreme { exceeded: 3 });
        assert_eq!(state(&jump(calm(300), 70, 1.5)), MarketState::Calm { exceeded: 2 });
        assert_eq!(state(&jump(calm(300), 72, 1.5)), MarketState::Calm { exceeded: 0 });
    }

    #[test]
    fn what_lies_before_the_bars_that_are_needed_changes_nothing() {
        let mut closes = jump(calm(200), 3, 1.5);
        closes[..56].fill(f64::NAN);
        assert_eq!(state(&closes), MarketState::Extreme { exceeded: 3 });
        closes[56] = f64::NAN;
        assert_eq!(state(&closes), MarketState::NotAPrice { at: 56 });
    }

    #[test]
    fn a_close_that_is_no_price_is_undecided() {
        for wrong in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let mut closes = calm(150);
            closes[149] = wrong;
            assert_eq!(state(&closes), MarketState::NotAPrice { at: 149 }, "{wrong}");
        }
    }

    #[test]
    fn a_market_that_stands_still_is_undecided() {
        assert_eq!(state(&[100.0; 144]), MarketState::NoVolatility { at: 96 });
        let steady: Vec<f64> = (0..144).map(|bar| 100.0 * (0.01 * f64::from(bar)).exp()).collect();
        assert_eq!(state(&steady), MarketState::NoVolatility { at: 96 });
    }

    #[test]
    fn all_problems_come_at_once_and_leave_no_exposure() {
        let nan = f64::NAN;
        let wrong = ExtremeMarket {
            reduction: nan,
            least: 1.1,
            return_bars: 0,
            volatility_bars: 1,
            score: nan,
            times: 0,
            within_bars: 0,
        };
        assert_eq!(wrong.problems().len(), 7, "{:?}", wrong.problems());
        assert_eq!(wrong.state(&calm(200)), MarketState::Misconfigured);
        assert_eq!(wrong.exposure(MarketState::Calm { exceeded: 0 }), 0.0);
        let huge = ExtremeMarket { return_bars: usize::MAX, ..ExtremeMarket::default() };
        assert_eq!(huge.problems(), [format!("return_bars is {}; it must be from 1 to 10000", usize::MAX)]);
        assert!(ExtremeMarket::default().problems().is_empty());
    }

    #[test]
    fn a_file_names_only_what_differs_from_the_defaults() {
        let read: ExtremeMarket = toml::from_str("score = 3.0\ntimes = 4").unwrap();
        assert_eq!(read, ExtremeMarket { score: 3.0, times: 4, ..ExtremeMarket::default() });
        assert_eq!(toml::from_str::<ExtremeMarket>(&toml::to_string(&read).unwrap()).unwrap(), read);
        assert!(toml::from_str::<ExtremeMarket>("threshold = 3.0").is_err());
    }
}
