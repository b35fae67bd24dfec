use serde::{Deserialize, Serialize};

/// What a strategy's finished round trips say about its edge.
///
/// The return of a trip is its profit after all costs ÷ the notional at its entry, so that -0.02 lost 2 % of what was put
/// on. Trips that ended at exactly 0 are neither won nor lost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trips {
    /// Trips that gained.
    pub won: u32,
    /// Trips that lost.
    pub lost: u32,
    /// Mean return of those that gained, more than 0; of no meaning if there are none.
    pub mean_gain: f64,
    /// Mean loss of those that lost, as a positive number; of no meaning if there are none.
    pub mean_loss: f64,
}

/// Why trips have no Kelly fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoFraction {
    /// No trip lost yet, so that nothing says what one loses.
    NoLoss,
    /// A mean is not a positive finite number.
    NotANumber,
}

impl Trips {
    /// Counts and means of these returns. One that is not finite makes a mean that is none, and hence no size.
    #[must_use]
    pub fn of(returns: &[f64]) -> Self {
        let (mut trips, mut gains, mut losses) = (Self::default(), 0.0, 0.0);
        for &one in returns {
            if one > 0.0 {
                trips.won += 1;
                gains += one;
            } else if one != 0.0 {
                // NaN comes here too, and stays visible in the mean.
                trips.lost += 1;
                losses -= one;
            }
        }
        trips.mean_gain = if trips.won > 0 { gains / f64::from(trips.won) } else { 0.0 };
        trips.mean_loss = if trips.lost > 0 { losses / f64::from(trips.lost) } else { 0.0 };
        trips
    }

    /// Trips that won or lost.
    #[must_use]
    pub fn decided(&self) -> u32 {
        self.won.saturating_add(self.lost)
    }

    /// The fraction of equity, as notional, at which the logarithm of wealth grows fastest: p ÷ a − q ÷ b, for gains of b
    /// with probability p and losses of a with probability q = 1 − p. At most 0 where there is no edge.
    ///
    /// J. L. Kelly, A New Interpretation of Information Rate, 1956, for a = b = 1; E. O. Thorp, The Kelly Criterion in
    /// Blackjack, Sports Betting, and the Stock Market, 2006, for any a and b. Means in place of every single return
    /// overstate the growth, and the estimates are of few trips: hence a share of it, and a cap.
    pub(crate) fn kelly(&self) -> Result<f64, NoFraction> {
        let usable = |count: u32, mean: f64| count == 0 || (mean.is_finite() && mean > 0.0);
        if !usable(self.won, self.mean_gain) || !usable(self.lost, self.mean_loss) {
            return Err(NoFraction::NotANumber);
        }
        if self.lost == 0 {
            return Err(NoFraction::NoLoss);
        }
        if self.won == 0 {
            return Ok(0.0);
        }
        let (won, lost) = (f64::from(self.won), f64::from(self.lost));
        let decided = won + lost;
        let fraction = won / decided / self.mean_loss - lost / decided / self.mean_gain;
        // Two quotients that overflow have no difference.
        if fraction.is_nan() { Err(NoFraction::NotANumber) } else { Ok(fraction) }
    }
}

#[cfg(test)]
mod tests {
    use super::{NoFraction, Trips};

    fn trips(won: u32, lost: u32, mean_gain: f64, mean_loss: f64) -> Trips {
        Trips { won, lost, mean_gain, mean_loss }
    }

    #[test]
    fn even_bets_are_kellys_own_case() {
        // f = p − q
        assert!((trips(60, 40, 1.0, 1.0).kelly().unwrap() - 0.2).abs() < 1e-12);
        assert_eq!(trips(50, 50, 1.0, 1.0).kelly(), Ok(0.0));
    }

    #[test]
    fn uneven_bets_are_thorps() {
        // Half the time 2 for 1: 0.5 ÷ 1 − 0.5 ÷ 2
        assert!((trips(10, 10, 2.0, 1.0).kelly().unwrap() - 0.25).abs() < 1e-12);
        assert!((trips(60, 40, 0.02, 0.02).kelly().unwrap() - 10.0).abs() < 1e-9);
        assert!(trips(40, 60, 0.02, 0.02).kelly().unwrap() < 0.0);
    }

    #[test]
    fn no_other_fraction_grows_faster() {
        let trips = trips(11, 9, 0.5, 0.4);
        let growth = |f: f64| 11.0 * (0.5 * f).ln_1p() + 9.0 * (-0.4 * f).ln_1p();
        let best = trips.kelly().unwrap();
        assert!(growth(best) > growth(best - 0.01) && growth(best) > growth(best + 0.01), "{best}");
    }

    #[test]
    fn what_nothing_can_be_divided_by_has_no_fraction() {
        assert_eq!(trips(30, 0, 0.02, 0.0).kelly(), Err(NoFraction::NoLoss));
        assert_eq!(trips(0, 0, 0.0, 0.0).kelly(), Err(NoFraction::NoLoss));
        assert_eq!(trips(0, 30, 0.0, 0.02).kelly(), Ok(0.0), "nothing was ever won");
        for wrong in [f64::NAN, f64::INFINITY, 0.0, -0.02] {
            assert_eq!(trips(15, 15, 0.02, wrong).kelly(), Err(NoFraction::NotANumber), "{wrong}");
            assert_eq!(trips(15, 15, wrong, 0.02).kelly(), Err(NoFraction::NotANumber), "{wrong}");
        }
        assert_eq!(trips(1, 1, 5e-324, 5e-324).kelly(), Err(NoFraction::NotANumber));
    }

    #[test]
    fn returns_are_counted_by_their_sign() {
        assert_eq!(Trips::of(&[0.02, -0.01, 0.0, 0.04, -0.03]), trips(2, 2, 0.03, 0.02));
        assert_eq!(Trips::of(&[]), Trips::default());
        assert_eq!(Trips::of(&[0.02, f64::NAN, -0.01]).kelly(), Err(NoFraction::NotANumber));
        assert_eq!(Trips::of(&[f64::INFINITY, -0.01]).kelly(), Err(NoFraction::NotANumber));
    }
}
