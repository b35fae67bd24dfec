use serde::{Deserialize, Serialize};
use tiltyard_model::{Money, Violation};

use super::{Asked, OnBreach, Rule, Setting, bounds, violation};
use crate::Fraction;

/// `notional-symbol`: what the account has at stake in one instrument, as a fraction of its equity, at most.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotionalSymbol {
    /// The limit.
    pub most: Fraction,
    /// What becomes of an order beyond it.
    #[serde(default, skip_serializing_if = "OnBreach::is_default")]
    pub on_breach: OnBreach,
}

impl Default for NotionalSymbol {
    fn default() -> Self {
        Self { most: Fraction::bps(2_500), on_breach: OnBreach::Refuse }
    }
}

impl NotionalSymbol {
    fn limit(&self, asked: &Asked<'_>) -> Money {
        let most = if asked.situation.account.halves_positions() { self.most.halved() } else { self.most };
        most.of(asked.situation.account.equity)
    }
}

impl Rule for NotionalSymbol {
    fn judge(&self, asked: &Asked<'_>) -> Option<Violation> {
        let (after, limit) = (asked.elsewhere.here + asked.at_stake(), self.limit(asked));
        (asked.adds() && after > limit)
            .then(|| violation("notional-symbol", after.to_f64(), limit.to_f64(), "quote-currency"))
    }

    fn room(&self, asked: &Asked<'_>) -> Option<Money> {
        (self.on_breach == OnBreach::Reduce).then(|| self.limit(asked) - asked.elsewhere.here)
    }
}

impl Setting for NotionalSymbol {
    fn problems(&self) -> Vec<(&'static str, String)> {
        bounds("most", self.most, 0.0, 1_000.0).into_iter().collect()
    }

    fn is_looser_than(&self, other: &Self) -> bool {
        self.most > other.most
    }
}

/// `notional-gross`: all that the account has at stake, as a fraction of its equity, at most.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotionalGross {
    /// The limit.
    pub most: Fraction,
    /// What becomes of an order beyond it.
    #[serde(default, skip_serializing_if = "OnBreach::is_default")]
    pub on_breach: OnBreach,
}

impl Default for NotionalGross {
    fn default() -> Self {
        Self { most: Fraction::ONE, on_breach: OnBreach::Refuse }
    }
}

impl Rule for NotionalGross {
    fn judge(&self, asked: &Asked<'_>) -> Option<Violation> {
        let after = asked.elsewhere.all + asked.at_stake();
        let limit = self.most.of(asked.situation.account.equity);
        (asked.adds() && after > limit)
            .then(|| violation("notional-gross", after.to_f64(), limit.to_f64(), "quote-currency"))
    }

    fn room(&self, asked: &Asked<'_>) -> Option<Money> {
        let equity = asked.situation.account.equity;
        (self.on_breach == OnBreach::Reduce).then(|| self.most.of(equity) - asked.elsewhere.all)
    }
}

impl Setting for NotionalGross {
    fn problems(&self) -> Vec<(&'static str, String)> {
        bounds("most", self.most, 0.0, 1_000.0).into_iter().collect()
    }

    fn is_looser_than(&self, other: &Self) -> bool {
        self.most > other.most
    }
}

#[cfg(test)]
mod tests {
    use super::{NotionalGross, NotionalSymbol};
    use crate::rules::testing::{Case, buy, judged, limit_buy, limit_sell, sell};

    #[test]
    fn one_symbol_takes_25_percent_of_equity() {
        let case = Case::perpetual();
        assert_eq!(judged(&NotionalSymbol::default(), &case, &buy("24.999")), None);
        assert_eq!(judged(&NotionalSymbol::default(), &case, &buy("25")), None);
        let broken = judged(&NotionalSymbol::default(), &case, &buy("25.001")).unwrap();
        assert_eq!((broken.actual, broken.limit, broken.unit.as_str()), (2500.1, 2500.0, "quote-currency"));
        assert!(judged(&NotionalSymbol::default(), &case, &sell("25.001")).is_some());
    }

    #[test]
    fn positions_of_other_strategies_in_the_symbol_count_and_do_not_net() {
        let case = Case::perpetual().stake(1, 0, "-1500").stake(1, 1, "5000");
        assert_eq!(judged(&NotionalSymbol::default(), &case, &buy("10")), None);
        assert!(judged(&NotionalSymbol::default(), &case, &buy("10.001")).is_some());
        assert!(judged(&NotionalSymbol::default(), &case, &sell("10.001")).is_some());
    }

    #[test]
    fn open_orders_count_at_the_mark_or_their_own_price_whichever_is_more() {
        let below = Case::perpetual().open(limit_buy("20", "50"));
        assert_eq!(judged(&NotionalSymbol::default(), &below, &buy("5")), None);
        assert!(judged(&NotionalSymbol::default(), &below, &buy("5.001")).is_some());
        let above = Case::perpetual().open(limit_sell("10", "200"));
        assert_eq!(judged(&NotionalSymbol::default(), &above, &sell("5")), None);
        assert!(judged(&NotionalSymbol::default(), &above, &sell("5.001")).is_some());
        assert_eq!(judged(&NotionalSymbol::default(), &above, &buy("25")), None, "the other side does not add up");
    }

    #[test]
    fn all_symbols_take_100_percent_of_equity() {
        let case = Case::perpetual().stake(0, 1, "5000").stake(1, 1, "2500");
        assert_eq!(judged(&NotionalGross::default(), &case, &buy("25")), None);
        let broken = judged(&NotionalGross::default(), &case, &buy("25.001")).unwrap();
        assert_eq!((broken.actual, broken.limit), (10_000.1, 10_000.0));
    }

    #[test]
    fn after_an_alert_new_positions_are_half_as_large() {
        let case = Case::perpetual().alerted();
        assert_eq!(judged(&NotionalSymbol::default(), &case, &buy("12.5")), None);
        assert_eq!(judged(&NotionalSymbol::default(), &case, &buy("12.501")).unwrap().limit, 1250.0);
    }
}
