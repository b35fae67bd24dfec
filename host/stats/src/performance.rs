use crate::{Figure, Undefined};

/// What is smaller than this, relative to the values it was computed from, is taken for rounding and hence for 0.
///
/// A hundred equal returns of 0.01 have a computed deviation of some 1e-18, and a Sharpe ratio of 1e16 were it
/// believed. Nothing that was traded is so fine: 1e-12 is a cent in ten billion.
const ROUNDING: f64 = 1e-12;

/// Arithmetic mean, in the unit of the values.
///
/// Computed in two passes, the second of which takes out the rounding of the first. Needs one value.
///
/// # Errors
///
/// [`Undefined`] says why there is none.
pub fn mean(values: &[f64]) -> Figure {
    check(values, 1)?;
    let n = values.len() as f64;
    let rough = values.iter().sum::<f64>() / n;
    finite(rough + values.iter().map(|value| value - rough).sum::<f64>() / n)
}

/// Standard deviation of a sample, in the unit of the values: √(Σ(x − mean)² ÷ (n − 1)).
///
/// Exactly 0 if it is not more than 1e-12 of the largest absolute value, because equal values leave a residue of
/// rounding. Needs two values.
///
/// # Errors
///
/// [`Undefined`] says why there is none.
pub fn standard_deviation(values: &[f64]) -> Figure {
    check(values, 2)?;
    let mean = mean(values)?;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let deviation = finite((squares / (values.len() - 1) as f64).sqrt())?;
    Ok(if deviation <= ROUNDING * largest(values) { 0.0 } else { deviation })
}

/// Total return as a fraction, compounded: Π(1 + r) − 1.
///
/// quantstats `comp`, empyrical `cum_returns_final`. Needs one return.
///
/// # Errors
///
/// [`Undefined`] says why there is none; [`Undefined::Ruin`] where the libraries go on with what is not there.
pub fn total_return(returns: &[f64]) -> Figure {
    Ok(final_wealth(returns)? - 1.0)
}

/// Return of a year as a fraction (compound annual growth rate): (1 + total)^(periods per year ÷ n) − 1.
///
/// Years are counted in periods, not by the calendar. quantstats `cagr`, empyrical `annual_return`. Needs one return;
/// a short series is extrapolated without mercy. The power is the platform's, exact to the last bit or so.
///
/// # Errors
///
/// [`Undefined`] says why there is none.
pub fn annual_return(returns: &[f64], periods_per_year: f64) -> Figure {
    let exponent = year(periods_per_year)? / returns.len().max(1) as f64;
    Ok(finite(libm::pow(final_wealth(returns)?, exponent))? - 1.0)
}

/// Standard deviation of the returns of a year, as a fraction: standard deviation × √(periods per year).
///
/// 0 for returns that do not vary. quantstats `volatility`, empyrical `annual_volatility`. Needs two returns.
///
/// # Errors
///
/// [`Undefined`] says why there is none.
pub fn volatility(returns: &[f64], periods_per_year: f64) -> Figure {
    finite(standard_deviation(returns)? * year(periods_per_year)?.sqrt())
}

/// Sharpe ratio of a year with a risk-free rate of 0: mean ÷ standard deviation × √(periods per year).
///
/// quantstats `sharpe`, empyrical `sharpe_ratio`; W. F. Sharpe, The Sharpe Ratio, 1994. Needs two returns.
///
/// # Errors
///
/// [`Undefined`] says why there is none; [`Undefined::NoVariation`] if the [`standard_deviation`] is 0, where
/// quantstats has an infinite or an absurd ratio.
pub fn sharpe(returns: &[f64], periods_per_year: f64) -> Figure {
    let year = year(periods_per_year)?;
    let deviation = standard_deviation(returns)?;
    if deviation == 0.0 {
        return Err(Undefined::NoVariation);
    }
    finite(mean(returns)? / deviation * year.sqrt())
}

/// Sortino ratio of a year with a target of 0: mean ÷ √(Σ min(r, 0)² ÷ n) × √(periods per year).
///
/// All returns count in n, not only the negative ones. quantstats `sortino`, empyrical `sortino_ratio`; F. A. Sortino
/// and L. N. Price, Performance Measurement in a Downside Risk Framework, 1994. Needs two returns, as empyrical does.
///
/// # Errors
///
/// [`Undefined`] says why there is none; [`Undefined::NoLoss`] if the downside is not more than 1e-12 of the largest
/// absolute return.
pub fn sortino(returns: &[f64], periods_per_year: f64) -> Figure {
    let year = year(periods_per_year)?;
    check(returns, 2)?;
    let squares: f64 = returns.iter().map(|value| value.min(0.0).powi(2)).sum();
    let downside = finite((squares / returns.len() as f64).sqrt())?;
    if downside <= ROUNDING * largest(returns) {
        return Err(Undefined::NoLoss);
    }
    finite(mean(returns)? / downside * year.sqrt())
}

/// Deepest fall of the compounded returns below their peak so far, as a fraction from -1 to 0.
///
/// Compounded from 1, and the start counts as a peak. A fall of not more than 1e-12 of the peak is none. quantstats and
/// empyrical `max_drawdown`. Needs one return.
///
/// # Errors
///
/// [`Undefined`] says why there is none.
pub fn max_drawdown(returns: &[f64]) -> Figure {
    Ok(drawdowns(returns)?.into_iter().fold(0.0, f64::min))
}

/// Longest time under water, in periods: from a peak to the period that reaches it again, or to the end of the series.
///
/// 0 if the compounded returns never fall below a peak; peaks and falls are those of [`max_drawdown`]. The longest
/// drawdown need not be the deepest. quantstats counts only the periods below the peak, which is one less for a
/// drawdown that ended. Needs one return.
///
/// # Errors
///
/// [`Undefined`] says why there is none.
pub fn max_drawdown_length(returns: &[f64]) -> Result<usize, Undefined> {
    let mut longest = 0;
    let mut since_peak = 0;
    for drawdown in drawdowns(returns)? {
        let under_water = drawdown < 0.0;
        if under_water || since_peak > 0 {
            since_peak += 1;
        }
        longest = longest.max(since_peak);
        if !under_water {
            since_peak = 0;
        }
    }
    Ok(longest)
}

/// Calmar ratio: [`annual_return`] ÷ |[`max_drawdown`]|, both over the whole series.
///
/// quantstats `calmar`, empyrical `calmar_ratio`; T. W. Young, Calmar Ratio: A Smoother Tool, 1991, who takes the last 36
/// months. Needs one return.
///
/// # Errors
///
/// [`Undefined`] says why there is none; [`Undefined::NoDrawdown`] if the greatest drawdown is 0.
pub fn calmar(returns: &[f64], periods_per_year: f64) -> Figure {
    let annual = annual_return(returns, periods_per_year)?;
    let drawdown = max_drawdown(returns)?;
    if drawdown == 0.0 {
        return Err(Undefined::NoDrawdown);
    }
    finite(annual / drawdown.abs())
}

/// Profit factor: sum of the gains ÷ |sum of the losses|, of returns per period or of profits per trade.
///
/// 0 if there are only losses. quantstats `profit_factor`. Needs one value.
///
/// # Errors
///
/// [`Undefined`] says why there is none; [`Undefined::NoLoss`] if the losses are not more than 1e-12 of the gains. There
/// quantstats has an infinite factor, or 0 if there are no gains either.
pub fn profit_factor(values: &[f64]) -> Figure {
    check(values, 1)?;
    let gains = finite(values.iter().map(|value| value.max(0.0)).sum())?;
    let losses = finite(values.iter().map(|value| -value.min(0.0)).sum())?;
    if losses <= ROUNDING * gains {
        return Err(Undefined::NoLoss);
    }
    finite(gains / losses)
}

/// Hit rate, from 0 to 1: number of values above 0 ÷ number of values that are not 0.
///
/// Of returns per period or of profits per trade. Zeros are left out, because a period without a position is neither a
/// hit nor a miss: quantstats `win_rate`. Needs one value.
///
/// # Errors
///
/// [`Undefined`] says why there is none; [`Undefined::AllZero`] where quantstats says 0.
pub fn hit_rate(values: &[f64]) -> Figure {
    check(values, 1)?;
    let hits = values.iter().filter(|value| **value > 0.0).count();
    let misses = values.iter().filter(|value| **value < 0.0).count();
    if hits + misses == 0 {
        return Err(Undefined::AllZero);
    }
    Ok(hits as f64 / (hits + misses) as f64)
}

/// Enough values, all of them finite.
fn check(values: &[f64], need: usize) -> Result<(), Undefined> {
    if values.len() < need {
        return Err(Undefined::TooFew { have: values.len(), need });
    }
    match values.iter().position(|value| !value.is_finite()) {
        Some(at) => Err(Undefined::NotFinite { at }),
        None => Ok(()),
    }
}

/// What was computed from finite values is itself finite.
fn finite(figure: f64) -> Figure {
    if figure.is_finite() { Ok(figure) } else { Err(Undefined::TooLarge) }
}

/// The number of periods in a year, if it is one.
fn year(periods_per_year: f64) -> Figure {
    if periods_per_year.is_finite() && periods_per_year > 0.0 { Ok(periods_per_year) } else { Err(Undefined::NoYear) }
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |largest, value| value.abs().max(largest))
}

/// What 1 has become after each period.
fn wealth(returns: &[f64]) -> Result<impl Iterator<Item = f64>, Undefined> {
    check(returns, 1)?;
    if let Some(at) = returns.iter().position(|value| *value <= -1.0) {
        return Err(Undefined::Ruin { at });
    }
    Ok(returns.iter().scan(1.0, |wealth, value| {
        *wealth *= 1.0 + value;
        Some(*wealth)
    }))
}

fn final_wealth(returns: &[f64]) -> Figure {
    finite(wealth(returns)?.last().unwrap_or(1.0))
}

/// How far wealth is below its peak after each period: a fraction from -1 to 0.
fn drawdowns(returns: &[f64]) -> Result<Vec<f64>, Undefined> {
    let mut peak = 1.0_f64;
    wealth(returns)?
        .map(|wealth| {
            peak = finite(wealth)?.max(peak);
            let drawdown = wealth / peak - 1.0;
            Ok(if drawdown >= -ROUNDING { 0.0 } else { drawdown })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every figure by name, for what holds of all of them.
    fn all(series: &[f64], periods: f64) -> [(&'static str, Figure); 12] {
        [
            ("mean", mean(series)),
            ("standard_deviation", standard_deviation(series)),
            ("total_return", total_return(series)),
            ("annual_return", annual_return(series, periods)),
            ("volatility", volatility(series, periods)),
            ("sharpe", sharpe(series, periods)),
            ("sortino", sortino(series, periods)),
            ("max_drawdown", max_drawdown(series)),
            ("max_drawdown_length", max_drawdown_length(series).map(|length| length as f64)),
            ("calmar", calmar(series, periods)),
            ("profit_factor", profit_factor(series)),
            ("hit_rate", hit_rate(series)),
        ]
    }

    fn assert_close(figure: Figure, expected: f64) {
        let figure = figure.unwrap();
        assert!((figure - expected).abs() <= 1e-12, "{figure} is not {expected}");
    }

    #[test]
    fn an_empty_series_has_no_figure() {
        for (name, figure) in all(&[], 365.0) {
            assert!(matches!(figure, Err(Undefined::TooFew { have: 0, .. })), "{name}: {figure:?}");
        }
    }

    #[test]
    fn a_series_with_a_number_that_is_none_has_no_figure() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            for (name, figure) in all(&[0.01, -0.02, bad], 365.0) {
                assert_eq!(figure, Err(Undefined::NotFinite { at: 2 }), "{name}");
            }
        }
    }

    #[test]
    fn a_year_has_a_positive_number_of_periods() {
        for periods in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            for figure in [annual_return, volatility, sharpe, sortino, calmar] {
                assert_eq!(figure(&[0.01, -0.02], periods), Err(Undefined::NoYear), "{periods}");
            }
        }
    }

    #[test]
    fn figures_are_finite_whatever_the_values() {
        let values = [0.0, -0.0, 0.01, -0.01, 1.0, -1.0, -0.999, 1e-300, -1e-300, 1e300, -1e300, f64::MAX, f64::NAN];
        for first in values {
            for second in values {
                for third in values {
                    for periods in [f64::MIN_POSITIVE, 365.0, f64::MAX] {
                        for (name, figure) in all(&[first, second, third], periods) {
                            assert!(
                                figure.is_err() || figure.is_ok_and(f64::is_finite),
                                "{name} of {first}, {second}, {third}: {figure:?}"
                            );
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn deviation_needs_two_values() {
        let short = Err(Undefined::TooFew { have: 1, need: 2 });
        assert_eq!(standard_deviation(&[0.01]), short);
        assert_eq!(volatility(&[0.01], 365.0), short);
        assert_eq!(sharpe(&[0.01], 365.0), short);
        assert_eq!(sortino(&[-0.01], 365.0), short);
    }

    #[test]
    fn equal_returns_do_not_vary_however_many_there_are() {
        for series in [vec![0.0; 3], vec![0.01; 100], vec![0.1 + 0.2, 0.3, 0.3], vec![0.1; 1_000_000]] {
            assert_eq!(standard_deviation(&series), Ok(0.0));
            assert_eq!(volatility(&series, 365.0), Ok(0.0));
            assert_eq!(sharpe(&series, 365.0), Err(Undefined::NoVariation));
        }
    }

    #[test]
    fn small_returns_vary_like_large_ones() {
        assert_close(sharpe(&[1e-9, 3e-9], 1.0), sharpe(&[0.1, 0.3], 1.0).unwrap());
    }

    #[test]
    fn returns_compound() {
        assert_close(total_return(&[0.1, 0.1]), 0.21);
        assert_close(annual_return(&[0.1, 0.1], 4.0), 0.4641);
        assert_close(annual_return(&[0.21], 0.5), 0.1);
    }

    #[test]
    fn nothing_compounds_after_ruin() {
        for loss in [-1.0, -1.5] {
            let series = [0.1, loss, 0.1];
            let ruin = Undefined::Ruin { at: 1 };
            assert_eq!(total_return(&series), Err(ruin));
            assert_eq!(annual_return(&series, 365.0), Err(ruin));
            assert_eq!(max_drawdown(&series), Err(ruin));
            assert_eq!(max_drawdown_length(&series), Err(ruin));
            assert_eq!(calmar(&series, 365.0), Err(ruin));
            assert!(sharpe(&series, 365.0).is_ok(), "which compounds nothing");
        }
    }

    #[test]
    fn growth_beyond_all_bounds_is_no_figure() {
        assert_eq!(annual_return(&[0.1], 8760.0), Err(Undefined::TooLarge));
        assert_eq!(max_drawdown(&[1e300, 1e300, -0.5]), Err(Undefined::TooLarge));
    }

    #[test]
    fn a_drawdown_is_below_the_highest_peak_and_the_start_is_one() {
        assert_close(max_drawdown(&[-0.1, 0.05]), -0.1);
        assert_close(max_drawdown(&[1.0, -0.25, 0.1, -0.2]), -0.34);
        assert_eq!(max_drawdown(&[0.0, 0.1, 0.0]), Ok(0.0));
    }

    #[test]
    fn a_drawdown_lasts_from_its_peak_until_the_peak_is_reached_again() {
        assert_eq!(max_drawdown_length(&[0.1, 0.0, 0.1]), Ok(0));
        assert_eq!(max_drawdown_length(&[0.1, -0.5, 0.0, 1.0, 0.1]), Ok(3));
        assert_eq!(max_drawdown_length(&[-0.5, 1.0, -0.5, 0.1]), Ok(2));
    }

    #[test]
    fn a_drawdown_that_does_not_end_lasts_to_the_end() {
        assert_eq!(max_drawdown_length(&[-0.1]), Ok(1));
        assert_eq!(max_drawdown_length(&[0.1, -0.5, 0.1, 0.1]), Ok(3));
    }

    #[test]
    fn a_peak_missed_by_rounding_is_reached() {
        let back = [-0.1, 1.0 / 0.9 - 1.0, -0.3, 1.0 / 0.7 - 1.0];
        assert_eq!(max_drawdown_length(&back), Ok(2));
        assert_eq!(max_drawdown(&[0.1, -1e-16]), Ok(0.0));
    }

    #[test]
    fn a_ratio_without_a_denominator_has_no_value() {
        let gains = [0.01, 0.0, 0.02];
        assert_eq!(sortino(&gains, 365.0), Err(Undefined::NoLoss));
        assert_eq!(profit_factor(&gains), Err(Undefined::NoLoss));
        assert_eq!(calmar(&gains, 365.0), Err(Undefined::NoDrawdown));
    }

    #[test]
    fn losses_that_are_rounding_are_none() {
        assert_eq!(sortino(&[0.01, -1e-18], 365.0), Err(Undefined::NoLoss));
        assert_eq!(profit_factor(&[0.01, -1e-18]), Err(Undefined::NoLoss));
        assert_eq!(calmar(&[0.01, -1e-18], 365.0), Err(Undefined::NoDrawdown));
    }

    #[test]
    fn only_losses_have_a_profit_factor_of_zero() {
        assert_eq!(profit_factor(&[-0.01, -0.02]), Ok(0.0));
    }

    #[test]
    fn sortino_counts_all_returns_in_the_downside() {
        assert_close(sortino(&[0.03, -0.02, 0.02, 0.01], 4.0), 2.0);
    }

    #[test]
    fn zeros_are_neither_hits_nor_misses() {
        assert_eq!(hit_rate(&[0.01, 0.0, -0.01, 0.0, 0.02, -0.0, 0.03]), Ok(0.75));
        assert_eq!(hit_rate(&[0.0, 0.0]), Err(Undefined::AllZero));
    }
}
