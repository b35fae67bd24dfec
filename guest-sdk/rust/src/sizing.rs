//! How much to hold.
//!
//! Pure functions that give the size of a position as a fraction of equity ([`whole_lots`] makes a quantity of it), for [`Signal::target`](crate::Signal) and
//! [`Desk::target`](crate::Desk::target); the sign, that is long or short, is the strategy's. Inputs that make no sense
//! give 0, which is to hold nothing: a number that is not finite, a price, risk, distance or cap that is not positive.
//!
//! ```
//! use tiltyard_sdk::sizing;
//!
//! // Lose at most 1 % of equity if a price of 50 000 falls by 2 ATR of 800 each.
//! let fraction = sizing::atr_risk(0.01, 50_000.0, 800.0, 2.0, 1.0);
//! assert_eq!(fraction, 0.3125);
//! ```

/// The same fraction every time: `min(fraction, cap)`.
///
/// Source: R. Vince, *Portfolio Management Formulas*, 1990.
///
/// ```
/// # use tiltyard_sdk::sizing::fixed_fraction;
/// assert_eq!(fixed_fraction(0.25, 1.0), 0.25);
/// assert_eq!(fixed_fraction(3.0, 1.0), 1.0);
/// assert_eq!(fixed_fraction(f64::NAN, 1.0), 0.0);
/// ```
#[must_use]
pub fn fixed_fraction(fraction: f64, cap: f64) -> f64 {
    if positive([fraction, cap]) { fraction.min(cap) } else { 0.0 }
}

/// As much as loses `risk` if the price moves against it by `multiple` times the average true range:
/// `min(risk × price / (multiple × ATR), cap)`.
///
/// `risk` is a fraction of equity, `price` and `atr` are of the same instrument and unit ([`Atr`](crate::indicators::Atr)
/// gives the latter), `multiple` is where the stop is. Gaps and costs come on top of the risk.
///
/// Source: the N units of R. Dennis and W. Eckhardt's Turtles, 1983, as told in C. Faith, *Way of the Turtle*, 2007.
///
/// ```
/// # use tiltyard_sdk::sizing::atr_risk;
/// assert_eq!(atr_risk(0.01, 100.0, 2.0, 2.0, 1.0), 0.25);
/// // A calm market would ask for more than there is.
/// assert_eq!(atr_risk(0.01, 100.0, 0.1, 2.0, 1.0), 1.0);
/// // No range says nothing about the risk.
/// assert_eq!(atr_risk(0.01, 100.0, 0.0, 2.0, 1.0), 0.0);
/// ```
#[must_use]
pub fn atr_risk(risk: f64, price: f64, atr: f64, multiple: f64, cap: f64) -> f64 {
    if !positive([risk, price, atr, multiple, cap]) {
        return 0.0;
    }
    // Over the stop's distance as a fraction of the price; as a quotient it cannot become 0 / 0.
    let fraction = risk / multiple * (price / atr);
    if fraction.is_nan() { 0.0 } else { fraction.min(cap) }
}

/// The quantity that a fraction of equity buys, in whole lots, rounded down: `⌊equity × fraction / price / lot⌋ × lot`.
///
/// For strategies that send orders with quantities of their own, so it is 0 where there is nothing to buy; fees come on top.
///
/// ```
/// # use tiltyard_sdk::sizing::whole_lots;
/// assert_eq!(whole_lots(10_000.0, 0.5, 300.0, 0.25), 16.5);
/// assert_eq!(whole_lots(10.0, 0.5, 300.0, 1.0), 0.0);
/// ```
#[must_use]
pub fn whole_lots(equity: f64, fraction: f64, price: f64, lot: f64) -> f64 {
    if !positive([equity, fraction, price, lot]) {
        return 0.0;
    }
    let quantity = (equity * fraction / price / lot).floor() * lot;
    if quantity.is_finite() { quantity } else { 0.0 }
}

/// The fraction that makes equity grow fastest in the long run, some of it, and never more than the cap:
/// `min(part × f*, cap)` with `f* = p − (1 − p) / b`.
///
/// `win_rate` p is the probability of a win, 0 to 1; `payoff` b is the average win divided by the average loss. Both are
/// estimates, and too high a fraction costs more than too low a one: half of it (`part` = 0.5) has three quarters of the
/// growth. 0 where there is no edge.
///
/// f* is what is staked on a loss of the whole stake; of positions that lose less, it is the fraction at risk, to give
/// to [`atr_risk`] as `risk`.
///
/// Source: J. L. Kelly, *A New Interpretation of Information Rate*, 1956; E. O. Thorp, *The Kelly Criterion in Blackjack,
/// Sports Betting and the Stock Market*, 2006.
///
/// ```
/// # use tiltyard_sdk::sizing::capped_kelly;
/// assert_eq!(capped_kelly(0.5, 2.0, 1.0, 1.0), 0.25);
/// assert_eq!(capped_kelly(0.5, 2.0, 0.5, 1.0), 0.125);
/// assert_eq!(capped_kelly(0.5, 2.0, 0.5, 0.1), 0.1);
/// assert_eq!(capped_kelly(0.5, 1.0, 0.5, 1.0), 0.0);
/// ```
#[must_use]
pub fn capped_kelly(win_rate: f64, payoff: f64, part: f64, cap: f64) -> f64 {
    if !positive([payoff, part, cap]) || !(0.0..=1.0).contains(&win_rate) {
        return 0.0;
    }
    let full = win_rate - (1.0 - win_rate) / payoff;
    (part * full).clamp(0.0, cap)
}

fn positive<const N: usize>(values: [f64; N]) -> bool {
    values.iter().all(|&value| value.is_finite() && value > 0.0)
}

#[cfg(test)]
mod tests {
    use super::{atr_risk, capped_kelly, fixed_fraction, whole_lots};

    const SENSELESS: [f64; 5] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 0.0];

    #[test]
    fn whatever_makes_no_sense_holds_nothing() {
        for x in SENSELESS {
            assert_eq!(fixed_fraction(x, 1.0), 0.0);
            assert_eq!(fixed_fraction(0.5, x), 0.0);
            assert_eq!(atr_risk(x, 100.0, 2.0, 2.0, 1.0), 0.0);
            assert_eq!(atr_risk(0.01, x, 2.0, 2.0, 1.0), 0.0);
            assert_eq!(atr_risk(0.01, 100.0, x, 2.0, 1.0), 0.0);
            assert_eq!(atr_risk(0.01, 100.0, 2.0, x, 1.0), 0.0);
            assert_eq!(atr_risk(0.01, 100.0, 2.0, 2.0, x), 0.0);
            assert_eq!(whole_lots(x, 0.5, 100.0, 0.1), 0.0);
            assert_eq!(whole_lots(1_000.0, x, 100.0, 0.1), 0.0);
            assert_eq!(whole_lots(1_000.0, 0.5, x, 0.1), 0.0);
            assert_eq!(whole_lots(1_000.0, 0.5, 100.0, x), 0.0);
            assert_eq!(capped_kelly(x, 2.0, 0.5, 1.0), 0.0);
            assert_eq!(capped_kelly(0.6, x, 0.5, 1.0), 0.0);
            assert_eq!(capped_kelly(0.6, 2.0, x, 1.0), 0.0);
            assert_eq!(capped_kelly(0.6, 2.0, 0.5, x), 0.0);
        }
        assert_eq!(capped_kelly(1.1, 2.0, 0.5, 1.0), 0.0);
    }

    #[test]
    fn extremes_stay_between_nothing_and_the_cap() {
        let extremes = [f64::MIN_POSITIVE, 1e-300, 1.0, 1e300, f64::MAX];
        for a in extremes {
            for b in extremes {
                for c in extremes {
                    assert!((0.0..=2.0).contains(&atr_risk(a, b, c, a, 2.0)));
                    assert!((0.0..=2.0).contains(&atr_risk(a, b, c, c, 2.0)));
                    assert!((0.0..=2.0).contains(&capped_kelly(0.5, a, b, 2.0)));
                    assert!((0.0..=2.0).contains(&capped_kelly(f64::MIN_POSITIVE, a, b, 2.0)));
                }
            }
        }
    }

    #[test]
    fn a_sure_win_is_worth_the_whole_part() {
        assert_eq!(capped_kelly(1.0, 0.1, 0.5, 1.0), 0.5);
    }
}
