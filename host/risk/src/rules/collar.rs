use serde::{Deserialize, Serialize};
use tiltyard_model::{Decimal, Violation, to_f64};

use super::{Asked, Rule, Setting, bounds, violation};
use crate::Fraction;

/// `price-collar`: how far from the mark the limit price of an order may be that opens or adds, as a fraction of the mark.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceCollar {
    /// The limit, either way.
    pub most: Fraction,
}

impl Default for PriceCollar {
    fn default() -> Self {
        Self { most: Fraction::bps(500) }
    }
}

impl Rule for PriceCollar {
    fn judge(&self, asked: &Asked<'_>) -> Option<Violation> {
        let (limit, mark) = (asked.proposal.ticket.kind.limit()?, asked.situation.mark?);
        let away = (limit.0 - mark.0).abs();
        let most = self.most.exact() * mark.0;
        (asked.adds() && away > most).then(|| {
            let actual = if mark.0.is_zero() { f64::INFINITY } else { to_f64(away) / to_f64(mark.0) };
            violation("price-collar", actual, self.most.to_f64(), "fraction-of-mark")
        })
    }
}

impl Setting for PriceCollar {
    fn problems(&self) -> Vec<(&'static str, String)> {
        bounds("most", self.most, to_f64(Decimal::new(1, 4)), 1.0).into_iter().collect()
    }

    fn is_looser_than(&self, other: &Self) -> bool {
        self.most > other.most
    }
}

#[cfg(test)]
mod tests {
    use super::PriceCollar;
    use crate::rules::testing::{Case, buy, judged, limit_buy, limit_sell};

    #[test]
    fn a_limit_is_within_5_percent_of_the_mark() {
        let case = Case::perpetual();
        for price in ["95", "95.01", "100", "104.99", "105"] {
            assert_eq!(judged(&PriceCollar::default(), &case, &limit_buy("1", price)), None, "{price}");
            assert_eq!(judged(&PriceCollar::default(), &case, &limit_sell("1", price)), None, "{price}");
        }
        for price in ["94.99", "105.01"] {
            let broken = judged(&PriceCollar::default(), &case, &limit_buy("1", price)).unwrap();
            assert!((broken.actual - 0.0501).abs() < 1e-12 && broken.limit == 0.05, "{price}");
            assert!(judged(&PriceCollar::default(), &case, &limit_sell("1", price)).is_some(), "{price}");
        }
    }

    #[test]
    fn exits_may_wait_further_away_and_market_orders_have_no_limit() {
        let held = Case::perpetual().position("2");
        assert_eq!(judged(&PriceCollar::default(), &held, &limit_sell("2", "150")), None);
        assert!(judged(&PriceCollar::default(), &held, &limit_sell("2.001", "150")).is_some(), "a flip");
        assert_eq!(judged(&PriceCollar::default(), &held, &buy("1")), None);
    }
}
