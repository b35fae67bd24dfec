use serde::{Deserialize, Serialize};
use tiltyard_model::Violation;

use crate::extreme::ExtremeMarket;
use crate::guard::{MaxDrawdown, Venture};
use crate::limits::Limits;
use crate::rules;
use crate::sizing::Sizing;

/// A named set of limits.
///
/// The always-on rules belong to every profile; what a profile adds is optional.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RiskProfile {
    /// Its name, for reports and run manifests.
    pub name: String,
    /// The limits of the account.
    #[serde(default, skip_serializing_if = "is_default")]
    pub limits: Limits,
    /// How much is put on when a strategy asks for a `target`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub sizing: Sizing,
    /// What takes exposure back in an extreme market, of what is asked for by `target`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extreme_market: Option<ExtremeMarket>,
    /// Whether a strategy or an instrument may have looser limits than the account.
    #[serde(default, skip_serializing_if = "is_default")]
    pub looser_overrides: bool,
    /// Limits of single strategies and instruments. Where several fit, later ones hold.
    #[serde(default, rename = "override", skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<Override>,
}

/// Limits that hold for a strategy, an instrument, or a strategy in an instrument.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Override {
    /// The strategy's name; every strategy if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategy: Option<String>,
    /// The instrument's symbol; every instrument if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instrument: Option<String>,
    /// What holds instead of the account's limits, rule by rule.
    pub limits: Limits,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Rules that look at the account as a whole: a single strategy or instrument has none of its own.
const OF_THE_ACCOUNT: [&str; 3] = ["daily_loss", "circuit_breaker", "drawdown_ladder"];

impl RiskProfile {
    /// Only the always-on rules, so that strategies are compared on their own sizing.
    #[must_use]
    pub fn research() -> Self {
        Self {
            name: "research".to_owned(),
            limits: Limits::default(),
            sizing: Sizing::AsAsked,
            extreme_market: None,
            looser_overrides: false,
            overrides: Vec::new(),
        }
    }

    /// Every rule with its default: what verdicts, paper and live trading require.
    #[must_use]
    pub fn account() -> Self {
        let (name, extreme_market) = ("account".to_owned(), Some(ExtremeMarket::default()));
        Self { name, limits: Limits::account(), extreme_market, ..Self::research() }
    }

    /// The same with another limit for what a strategy may lose.
    #[must_use]
    pub fn with_max_drawdown(mut self, rule: Option<MaxDrawdown>) -> Self {
        self.limits.max_drawdown = rule;
        self
    }

    /// The limits that hold for a strategy in an instrument.
    #[must_use]
    pub fn limits_for(&self, strategy: &str, instrument: &str) -> Limits {
        let fits = |own: &Option<String>, name: &str| own.as_deref().is_none_or(|own| own == name);
        let overrides = self.overrides.iter();
        let fitting = overrides.filter(|over| fits(&over.strategy, strategy) && fits(&over.instrument, instrument));
        fitting.fold(self.limits.clone(), |limits, over| limits.overridden_by(&over.limits))
    }

    /// What is wrong with it, one sentence each; empty if nothing is.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.name.trim().is_empty() {
            problems.push("name is empty; give the profile one".to_owned());
        }
        problems.extend(self.limits.problems());
        problems.extend(self.sizing.problems().into_iter().map(|what| format!("sizing: {what}")));
        let extreme = self.extreme_market.iter().flat_map(ExtremeMarket::problems);
        problems.extend(extreme.map(|what| format!("extreme_market: {what}")));
        for (at, over) in (1..).zip(&self.overrides) {
            let mut say = |what: String| problems.push(format!("override[{at}]: {what}"));
            if over.strategy.is_none() && over.instrument.is_none() {
                say("names neither a strategy nor an instrument; what holds for all belongs under limits".to_owned());
            }
            over.limits.problems().into_iter().for_each(&mut say);
            let own = serde_names(&over.limits);
            for rule in OF_THE_ACCOUNT.iter().filter(|rule| own.contains(rule)) {
                say(format!("{rule} is about the account as a whole; it belongs under limits"));
            }
            if over.instrument.is_some() && over.limits.max_drawdown.is_some() {
                say("max_drawdown is about a strategy as a whole; leave the instrument out".to_owned());
            }
            if !self.looser_overrides {
                for rule in over.limits.looser_than(&self.limits) {
                    say(format!("{rule} is looser than the account's; tighten it, or set looser_overrides = true"));
                }
            }
        }
        problems
    }

    /// The same with what speaks against it where more than the past is played: paper and live trading need every rule of the profile
    /// `account`, with limits of one's own if need be.
    #[must_use]
    pub fn problems_in(&self, venture: Venture) -> Vec<String> {
        let mut problems = self.problems();
        let absent = self.limits.absent().join(", ");
        if venture != Venture::Simulated && !absent.is_empty() {
            problems
                .push(format!("limits lack {absent}; paper and live trading need every rule of the profile account"));
        }
        problems
    }

    /// Whether the strategy may have another open order in an instrument in which it has this many. Asked before anything
    /// else is looked at, so that a flood of orders costs nothing.
    ///
    /// # Errors
    /// The rule `open-orders`.
    pub fn room_for_another(&self, open: usize) -> Result<(), Violation> {
        rules::open_orders(open).map_or(Ok(()), Err)
    }

    /// Whether another change of an order, or another one in its place, may be sent while this many have not reached the venue.
    ///
    /// # Errors
    /// The rule `changes-under-way`.
    pub fn room_for_change(&self, under_way: usize) -> Result<(), Violation> {
        rules::changes_under_way(under_way).map_or(Ok(()), Err)
    }
}

/// The names of the rules that are there.
fn serde_names(limits: &Limits) -> Vec<&'static str> {
    let there = [
        ("daily_loss", limits.daily_loss.is_some()),
        ("circuit_breaker", limits.circuit_breaker.is_some()),
        ("drawdown_ladder", limits.drawdown_ladder.is_some()),
    ];
    there.into_iter().filter_map(|(name, there)| there.then_some(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::{Override, RiskProfile};
    use crate::rules::NotionalSymbol;
    use crate::{Fraction, Limits, MaxDrawdown};

    fn notional(bps: u32) -> Limits {
        let rule = NotionalSymbol { most: Fraction::bps(bps), ..NotionalSymbol::default() };
        Limits { notional_symbol: Some(rule), ..Limits::default() }
    }

    fn over(strategy: Option<&str>, instrument: Option<&str>, limits: Limits) -> Override {
        Override { strategy: strategy.map(str::to_owned), instrument: instrument.map(str::to_owned), limits }
    }

    #[test]
    fn limits_out_of_bounds_are_named() {
        for (limit, problems) in [(0, 1), (10_001, 1), (1, 0), (1_000, 0), (10_000, 0)] {
            let rule = MaxDrawdown { most: Fraction::bps(limit) };
            assert_eq!(RiskProfile::research().with_max_drawdown(Some(rule)).problems().len(), problems, "{limit}");
        }
        assert!(RiskProfile::research().problems().is_empty());
        assert!(RiskProfile::account().problems().is_empty());
    }

    #[test]
    fn overrides_hold_where_they_fit_and_later_ones_over_earlier_ones() {
        let mut profile = RiskProfile::account();
        profile.overrides =
            vec![over(Some("grid"), None, notional(1_000)), over(None, Some("DOGEUSDT"), notional(500))];
        assert!(profile.problems().is_empty());
        let most = |strategy, symbol| profile.limits_for(strategy, symbol).notional_symbol.unwrap().most;
        assert_eq!(most("trend", "BTCUSDT"), Fraction::bps(2_500));
        assert_eq!(most("grid", "BTCUSDT"), Fraction::bps(1_000));
        assert_eq!(most("grid", "DOGEUSDT"), Fraction::bps(500));
        assert_eq!(most("trend", "DOGEUSDT"), Fraction::bps(500));
    }

    #[test]
    fn overrides_are_stricter_unless_the_account_says_otherwise() {
        let mut profile = RiskProfile::account();
        profile.overrides = vec![over(Some("grid"), None, notional(3_000)), over(None, None, notional(100))];
        let problems = profile.problems();
        assert_eq!(problems.len(), 2);
        assert!(problems[0].starts_with("override[1]: notional_symbol is looser than the account's"), "{problems:?}");
        profile.looser_overrides = true;
        assert_eq!(profile.problems().len(), 1);
    }

    #[test]
    fn what_is_about_the_account_is_no_strategys() {
        let mut profile = RiskProfile::account();
        let limits = Limits { daily_loss: Some(crate::DailyLoss::default()), ..Limits::default() };
        profile.overrides = vec![over(Some("grid"), None, limits)];
        assert_eq!(
            profile.problems(),
            ["override[1]: daily_loss is about the account as a whole; it belongs under limits"]
        );
    }
}
