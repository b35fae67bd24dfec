use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tiltyard_model::{Money, Violation};

use super::{Asked, OnBreach, Rule, Setting, bounds, ratio, violation};
use crate::Fraction;

/// `leverage-symbol`: what a strategy asks for in one instrument ÷ the strategy's equity, at most.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeverageSymbol {
    /// For instruments of any other base currency.
    pub most: Fraction,
    /// By base currency.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub by_base: BTreeMap<String, Fraction>,
    /// What becomes of an order beyond it.
    #[serde(default, skip_serializing_if = "OnBreach::is_default")]
    pub on_breach: OnBreach,
}

impl Default for LeverageSymbol {
    fn default() -> Self {
        let large = ["BTC", "ETH"].map(|base| (base.to_owned(), Fraction::bps(15_000)));
        Self { most: Fraction::bps(12_000), by_base: large.into(), on_breach: OnBreach::Refuse }
    }
}

impl LeverageSymbol {
    fn limit(&self, asked: &Asked<'_>) -> Fraction {
        let most = self.by_base.get(asked.situation.base).copied().unwrap_or(self.most);
        if asked.situation.account.halves_positions() { most.halved() } else { most }
    }
}

impl Rule for LeverageSymbol {
    fn judge(&self, asked: &Asked<'_>) -> Option<Violation> {
        let (limit, equity) = (self.limit(asked), asked.situation.equity);
        let after = asked.at_stake();
        (asked.adds() && after > limit.of(equity))
            .then(|| violation("leverage-symbol", ratio(after, equity), limit.to_f64(), "times-strategy-equity"))
    }

    fn room(&self, asked: &Asked<'_>) -> Option<Money> {
        (self.on_breach == OnBreach::Reduce).then(|| self.limit(asked).of(asked.situation.equity))
    }
}

impl Setting for LeverageSymbol {
    fn problems(&self) -> Vec<(&'static str, String)> {
        let by_base = self.by_base.values().filter_map(|most| bounds("by_base", *most, 0.0, 1_000.0));
        bounds("most", self.most, 0.0, 1_000.0).into_iter().chain(by_base).collect()
    }

    fn is_looser_than(&self, other: &Self) -> bool {
        let of = |rule: &Self, base: &str| rule.by_base.get(base).copied().unwrap_or(rule.most);
        let bases = self.by_base.keys().chain(other.by_base.keys());
        self.most > other.most || bases.into_iter().any(|base| of(self, base) > of(other, base))
    }
}

/// `leverage-gross`: all that the account has at stake ÷ its equity, at most.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeverageGross {
    /// The limit.
    pub most: Fraction,
    /// What becomes of an order beyond it.
    #[serde(default, skip_serializing_if = "OnBreach::is_default")]
    pub on_breach: OnBreach,
}

impl Default for LeverageGross {
    fn default() -> Self {
        Self { most: Fraction::ONE, on_breach: OnBreach::Refuse }
    }
}

impl Rule for LeverageGross {
    fn judge(&self, asked: &Asked<'_>) -> Option<Violation> {
        let account = &asked.situation.account;
        let after = asked.elsewhere.all + asked.at_stake();
        (asked.adds() && after > self.most.of(account.equity)).then(|| {
            violation("leverage-gross", ratio(after, account.equity), self.most.to_f64(), "times-account-equity")
        })
    }

    fn room(&self, asked: &Asked<'_>) -> Option<Money> {
        let equity = asked.situation.account.equity;
        (self.on_breach == OnBreach::Reduce).then(|| self.most.of(equity) - asked.elsewhere.all)
    }
}

impl Setting for LeverageGross {
    fn problems(&self) -> Vec<(&'static str, String)> {
        bounds("most", self.most, 0.0, 1_000.0).into_iter().collect()
    }

    fn is_looser_than(&self, other: &Self) -> bool {
        self.most > other.most
    }
}

#[cfg(test)]
mod tests {
    use super::{LeverageGross, LeverageSymbol};
    use crate::rules::testing::{Case, buy, judged, sell};

    #[test]
    fn requested_leverage_is_at_most_1_5_for_btc_and_eth_and_1_2_for_others() {
        for (base, at, above) in
            [("BTC", "15", "15.001"), ("ETH", "15", "15.001"), ("DOGE", "12", "12.001"), ("SOL", "12", "12.001")]
        {
            let case = Case::perpetual().base(base).strategy_equity("1000");
            assert_eq!(judged(&LeverageSymbol::default(), &case, &buy(at)), None, "{base}");
            let broken = judged(&LeverageSymbol::default(), &case, &buy(above)).unwrap();
            assert_eq!((broken.rule.as_str(), broken.unit.as_str()), ("leverage-symbol", "times-strategy-equity"));
            assert!((broken.actual - above.parse::<f64>().unwrap() / 10.0).abs() < 1e-12);
            assert_eq!(judged(&LeverageSymbol::default(), &case, &sell(above)).unwrap().rule, "leverage-symbol");
        }
    }

    #[test]
    fn what_is_held_and_what_is_open_count_and_what_reduces_passes() {
        let case = Case::perpetual().base("SOL").strategy_equity("1000").position("5").open(buy("4"));
        assert_eq!(judged(&LeverageSymbol::default(), &case, &buy("3")), None);
        assert!(judged(&LeverageSymbol::default(), &case, &buy("3.001")).is_some());
        // A flip: 5 are closed, the rest is opened.
        assert_eq!(judged(&LeverageSymbol::default(), &case, &sell("17")), None);
        assert!(judged(&LeverageSymbol::default(), &case, &sell("17.001")).is_some());
        let over = Case::perpetual().base("SOL").strategy_equity("1000").position("20");
        assert_eq!(judged(&LeverageSymbol::default(), &over, &sell("20")), None, "exits pass whatever is held");
        assert!(judged(&LeverageSymbol::default(), &over, &buy("0.001")).is_some());
    }

    #[test]
    fn without_equity_nothing_is_allowed() {
        let broke = Case::perpetual().strategy_equity("-5");
        assert_eq!(judged(&LeverageSymbol::default(), &broke, &buy("0.001")).unwrap().actual, f64::INFINITY);
    }

    #[test]
    fn gross_notional_is_at_most_the_equity_over_all_symbols_and_strategies() {
        // 10,000 of equity, 6,000 at stake elsewhere.
        let case = Case::perpetual().stake(0, 1, "2000").stake(1, 0, "-4000");
        assert_eq!(judged(&LeverageGross::default(), &case, &buy("40")), None);
        let broken = judged(&LeverageGross::default(), &case, &sell("40.001")).unwrap();
        assert_eq!((broken.rule.as_str(), broken.limit), ("leverage-gross", 1.0));
        assert!((broken.actual - 1.000_01).abs() < 1e-12);
        let over = case.stake(1, 2, "9000").position("3");
        assert_eq!(judged(&LeverageGross::default(), &over, &sell("3")), None);
    }
}
