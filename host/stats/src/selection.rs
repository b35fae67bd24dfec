//! Whether a Sharpe ratio is more than luck, and more than the luck of having tried often.
//!
//! Sharpe ratios here are per period, not a year. Kurtosis is raw: 3 for a normal distribution.

use crate::normal::{cumulative, quantile};
use crate::performance::{mean, standard_deviation};
use crate::{Figure, Undefined};

/// The Euler–Mascheroni constant.
const EULER: f64 = 0.577_215_664_901_532_9;

/// What the certainty of a Sharpe ratio depends on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SharpeEvidence {
    /// Mean ÷ standard deviation (ddof 1), per period.
    pub sharpe: f64,
    /// Number of returns.
    pub observations: usize,
    /// Third standardised moment, biased: 0 for a symmetric distribution.
    pub skewness: f64,
    /// Fourth standardised moment, biased and raw: 3 for a normal distribution.
    pub kurtosis: f64,
}

impl SharpeEvidence {
    /// What a series of returns shows. Needs two returns.
    ///
    /// # Errors
    /// [`Undefined`] says why there is nothing to tell.
    pub fn of(returns: &[f64]) -> Result<Self, Undefined> {
        let (mean, deviation) = (mean(returns)?, standard_deviation(returns)?);
        if deviation == 0.0 {
            return Err(Undefined::NoVariation);
        }
        let n = returns.len() as f64;
        // Scaled before it is raised, so that returns of any size have moments.
        let moment = |power: i32| returns.iter().map(|value| ((value - mean) / deviation).powi(power)).sum::<f64>() / n;
        let variance = moment(2);
        let evidence = Self {
            sharpe: mean / deviation,
            observations: returns.len(),
            skewness: moment(3) / (variance * variance.sqrt()),
            kurtosis: moment(4) / (variance * variance),
        };
        let all = [evidence.sharpe, evidence.skewness, evidence.kurtosis];
        if all.iter().all(|value| value.is_finite()) { Ok(evidence) } else { Err(Undefined::TooLarge) }
    }

    /// Standard error of the Sharpe ratio: √((1 − γ₃·SR + (γ₄ − 1)/4·SR²) ÷ (T − 1)).
    ///
    /// E. Mertens, "Comments on variance of the IID estimator in Lo (2002)", 2002; as in Bailey and López de Prado, "The
    /// Sharpe Ratio Efficient Frontier", 2012. It takes the returns for independent of each other.
    ///
    /// # Errors
    /// When there are fewer than two returns.
    pub fn standard_error(&self) -> Figure {
        if self.observations < 2 {
            return Err(Undefined::TooFew { have: self.observations, need: 2 });
        }
        let spread = 1.0 - self.skewness * self.sharpe + (self.kurtosis - 1.0) / 4.0 * self.sharpe * self.sharpe;
        // Not below 0 for moments of a real series; rounding may take it there.
        let error = (spread.max(0.0) / (self.observations - 1) as f64).sqrt();
        if error.is_finite() && error > 0.0 { Ok(error) } else { Err(Undefined::NoVariation) }
    }

    /// Where the Sharpe ratio lies with this confidence, such as 0.95: SR ± z · standard error.
    ///
    /// # Errors
    /// When there is no standard error, or `confidence` is not between 0 and 1.
    pub fn interval(&self, confidence: f64) -> Result<(f64, f64), Undefined> {
        let reach = quantile(0.5 + confidence / 2.0) * self.standard_error()?;
        if reach.is_finite() { Ok((self.sharpe - reach, self.sharpe + reach)) } else { Err(Undefined::TooLarge) }
    }

    /// Probability that the true Sharpe ratio is above `benchmark` (PSR): Φ((SR − SR*) ÷ standard error).
    ///
    /// # Errors
    /// When there is no standard error.
    pub fn probabilistic(&self, benchmark: f64) -> Figure {
        Ok(cumulative((self.sharpe - benchmark) / self.standard_error()?))
    }

    /// The same above the best Sharpe ratio that this many trials without skill would have shown (DSR). `variance` is that of
    /// the trials' Sharpe ratios per period.
    ///
    /// Bailey and López de Prado, "The Deflated Sharpe Ratio", 2014.
    ///
    /// # Errors
    /// When there is no standard error, or `trials` is 0.
    pub fn deflated(&self, variance: f64, trials: usize) -> Figure {
        self.probabilistic(luck(variance, trials)?)
    }

    /// Returns needed to say with this confidence that the true Sharpe ratio is above `benchmark` (MinTRL).
    ///
    /// # Errors
    /// When the Sharpe ratio is not above the benchmark: no length would do.
    pub fn minimum_track_record(&self, benchmark: f64, confidence: f64) -> Figure {
        if self.sharpe <= benchmark {
            return Err(Undefined::NoEdge);
        }
        let error = self.standard_error()?;
        let spread = error * error * (self.observations - 1) as f64;
        let ratio = quantile(confidence) / (self.sharpe - benchmark);
        Ok(1.0 + spread * ratio * ratio)
    }
}

/// The greatest of `trials` independent standard normal values, on average: (1 − γ)·Φ⁻¹(1 − 1/N) + γ·Φ⁻¹(1 − 1/(N·e)); 0 for
/// one trial.
///
/// Bailey, Borwein, López de Prado and Zhu, "Pseudo-Mathematics and Financial Charlatanism", 2014.
///
/// # Errors
/// When `trials` is 0.
pub fn expected_maximum(trials: usize) -> Figure {
    match trials {
        0 => Err(Undefined::TooFew { have: 0, need: 1 }),
        1 => Ok(0.0),
        _ => {
            let n = trials as f64;
            Ok((1.0 - EULER) * quantile(1.0 - 1.0 / n) + EULER * quantile(1.0 - 1.0 / (n * std::f64::consts::E)))
        }
    }
}

/// The Sharpe ratio that the best of `trials` without skill shows, per period (SR₀): √V · [`expected_maximum`].
///
/// # Errors
/// When `trials` is 0, or `variance` is below 0 or no number.
pub fn luck(variance: f64, trials: usize) -> Figure {
    if !(variance >= 0.0 && variance.is_finite()) {
        return Err(Undefined::TooLarge);
    }
    Ok(variance.sqrt() * expected_maximum(trials)?)
}

/// The variance of trials' Sharpe ratios per period that chance is judged by: the larger of what trials without skill have,
/// 1 ÷ (T − 1), and that of the trials themselves, as [`robust_variance`] has it.
///
/// # Errors
/// When there are fewer than two observations or no trials, or a Sharpe ratio is no number.
pub fn trial_variance(sharpes: &[f64], observations: usize) -> Figure {
    Ok(robust_variance(sharpes)?.max(chance_variance(observations)?))
}

/// The variance of Sharpe ratios per period without skill: 1 ÷ (T − 1).
///
/// # Errors
/// When there are fewer than two observations.
pub fn chance_variance(observations: usize) -> Figure {
    if observations < 2 {
        return Err(Undefined::TooFew { have: observations, need: 2 });
    }
    Ok(1.0 / (observations - 1) as f64)
}

/// The variance of Sharpe ratios, all of one period: (interquartile range ÷ 1.349)².
///
/// Not their plain variance, because a few variants that burn fees at a Sharpe ratio of −20 would make every true edge look
/// like luck. Quartiles are interpolated linearly between order statistics (type 7 of Hyndman and Fan, 1996).
///
/// # Errors
/// When there are none, or one is no number.
pub fn robust_variance(sharpes: &[f64]) -> Figure {
    if sharpes.is_empty() {
        return Err(Undefined::TooFew { have: 0, need: 1 });
    }
    if let Some(at) = sharpes.iter().position(|value| !value.is_finite()) {
        return Err(Undefined::NotFinite { at });
    }
    let mut sorted = sharpes.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let place = share * (sorted.len() - 1) as f64;
        let below = place.floor();
        let (low, high) = (sorted[below as usize], sorted[place.ceil() as usize]);
        low + (high - low) * (place - below)
    };
    let robust = (at(0.75) - at(0.25)) / 1.349;
    Ok(robust * robust)
}

#[cfg(test)]
mod tests {
    use super::{SharpeEvidence, expected_maximum, luck, trial_variance};
    use crate::Undefined;

    fn close(found: f64, expected: f64, within: f64) {
        assert!((found - expected).abs() < within, "{found} instead of {expected}");
    }

    /// The worked example of "The Deflated Sharpe Ratio".
    #[test]
    fn the_example_of_the_paper_on_the_deflated_sharpe_ratio() {
        let evidence =
            SharpeEvidence { sharpe: 2.5 / 250_f64.sqrt(), observations: 1_250, skewness: -3.0, kurtosis: 10.0 };
        close(luck(0.5 / 250.0, 100).unwrap(), 0.113_172_0, 1e-6);
        close(evidence.deflated(0.5 / 250.0, 100).unwrap(), 0.900_396_8, 1e-6);
        close(evidence.deflated(0.5 / 250.0, 46).unwrap(), 0.950_501_7, 1e-6);
    }

    /// The worked example of "The Sharpe Ratio Efficient Frontier".
    #[test]
    fn the_example_of_the_paper_on_the_probabilistic_sharpe_ratio() {
        let sharpe = 1.585 / 12_f64.sqrt();
        let evidence = SharpeEvidence { sharpe, observations: 24, skewness: -2.448, kurtosis: 10.164 };
        close(evidence.probabilistic(0.0).unwrap(), 0.913_234_3, 1e-6);
        let normal = SharpeEvidence { skewness: 0.0, kurtosis: 3.0, ..evidence };
        close(normal.probabilistic(0.0).unwrap(), 0.981_591_2, 1e-6);
    }

    /// A Sharpe ratio of 2 a year against 1, in years of track record.
    #[test]
    fn the_examples_of_the_minimum_track_record() {
        for (periods, skewness, kurtosis, years) in [
            (250.0, 0.0, 3.0, 2.731_187_8),
            (52.0, 0.0, 3.0, 2.828_833_6),
            (12.0, 0.0, 3.0, 3.239_800_7),
            (12.0, -0.72, 5.78, 4.991_258_2),
        ] {
            let scale = f64::sqrt(periods);
            let evidence = SharpeEvidence { sharpe: 2.0 / scale, observations: 100, skewness, kurtosis };
            close(evidence.minimum_track_record(1.0 / scale, 0.95).unwrap() / periods, years, 1e-6);
        }
        let flat = SharpeEvidence { sharpe: 0.1, observations: 100, skewness: 0.0, kurtosis: 3.0 };
        assert_eq!(flat.minimum_track_record(0.1, 0.95), Err(Undefined::NoEdge));
    }

    #[test]
    fn the_best_of_many_without_skill() {
        assert_eq!((expected_maximum(0).is_err(), expected_maximum(1)), (true, Ok(0.0)));
        close(expected_maximum(10).unwrap(), 1.574_598_3, 1e-6);
        close(expected_maximum(100).unwrap(), 2.530_602_9, 1e-6);
    }

    #[test]
    fn an_interval_holds_the_ratio_and_grows_with_confidence() {
        let evidence = SharpeEvidence { sharpe: 0.1, observations: 401, skewness: 0.0, kurtosis: 3.0 };
        let (low, high) = evidence.interval(0.95).unwrap();
        close(high - low, 2.0 * 1.959_964 * (1.005_f64 / 400.0).sqrt(), 1e-6);
        let (lower, higher) = evidence.interval(0.99).unwrap();
        assert!(lower < low && low < 0.1 && 0.1 < high && high < higher);
        assert!(evidence.interval(1.0).is_err() && evidence.interval(f64::NAN).is_err());
    }

    #[test]
    fn the_variance_of_trials_is_robust_and_never_below_that_of_chance() {
        let alike = [0.05; 20];
        close(trial_variance(&alike, 101).unwrap(), 0.01, 1e-15);
        let mut spread: Vec<f64> = (0..100).map(|at| f64::from(at) / 100.0).collect();
        let honest = trial_variance(&spread, 1_001).unwrap();
        close(honest, (0.495_f64 / 1.349).powi(2), 1e-12);
        spread.iter_mut().take(10).for_each(|sharpe| *sharpe = -20.0);
        close(trial_variance(&spread, 1_001).unwrap(), honest, 1e-12);
        assert!(trial_variance(&[], 100).is_err() && trial_variance(&alike, 1).is_err());
        assert_eq!(trial_variance(&[0.1, f64::NAN], 100), Err(Undefined::NotFinite { at: 1 }));
    }

    #[test]
    fn returns_that_say_nothing_say_why() {
        assert_eq!(SharpeEvidence::of(&[0.01]), Err(Undefined::TooFew { have: 1, need: 2 }));
        assert_eq!(SharpeEvidence::of(&[0.01; 9]), Err(Undefined::NoVariation));
        assert!(SharpeEvidence::of(&[0.01, f64::NAN]).is_err());
    }
}
