use serde::{Deserialize, Serialize};
use tiltyard_model::{Qty, Violation};

use crate::check::{Proposal, Situation};
use crate::guard::{CircuitBreaker, DailyLoss, DrawdownLadder, MaxDrawdown};
use crate::rules::{
    ALWAYS_ON, Asked, Concentration, InvalidStop, LeverageGross, LeverageSymbol, MissingStop, NotionalGross,
    NotionalSymbol, PriceCollar, RateLimit, Rule, Setting, StaleData, circuit_breaker, clock, daily_loss,
    lifecycle_share,
};

/// Hands the names of all rules to a macro.
macro_rules! every_rule {
    ($do:ident) => {
        $do!(
            leverage_symbol,
            leverage_gross,
            notional_symbol,
            notional_gross,
            missing_stop,
            invalid_stop,
            daily_loss,
            max_drawdown,
            rate_limit,
            circuit_breaker,
            concentration,
            stale_data,
            price_collar,
            drawdown_ladder
        )
    };
}

/// The rules of a profile and their limits; what is absent is not limited. The always-on rules are not among them: they hold in
/// every profile.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Requested leverage in one instrument.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leverage_symbol: Option<LeverageSymbol>,
    /// All that is at stake ÷ equity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leverage_gross: Option<LeverageGross>,
    /// What is at stake in one instrument.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notional_symbol: Option<NotionalSymbol>,
    /// All that is at stake.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notional_gross: Option<NotionalGross>,
    /// Whether what opens or adds must carry a stop-loss.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing_stop: Option<MissingStop>,
    /// How far a stop-loss may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invalid_stop: Option<InvalidStop>,
    /// What a day may lose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daily_loss: Option<DailyLoss>,
    /// What a strategy may lose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_drawdown: Option<MaxDrawdown>,
    /// Orders a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimit>,
    /// What stops new risk for a while.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub circuit_breaker: Option<CircuitBreaker>,
    /// How much may stand on one bet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concentration: Option<Concentration>,
    /// How old data may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale_data: Option<StaleData>,
    /// How far from the mark a limit price may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_collar: Option<PriceCollar>,
    /// What the account's drawdown leads to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drawdown_ladder: Option<DrawdownLadder>,
}

/// What the rules say of an order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Verdict {
    /// Every rule that it breaks. An order that breaks none may go to the venue.
    pub violations: Vec<Violation>,
    /// What is allowed and yet worth a word.
    pub warnings: Vec<Violation>,
    /// If every rule that it breaks makes orders smaller instead of refusing them: the quantity that would be within all of them,
    /// in whole lots and more than 0.
    pub fits: Option<Qty>,
    /// Whether it may open a position or add to one, by itself or with what is under way.
    pub adds: bool,
}

impl Limits {
    /// Every rule of the profile `account`, with its default.
    #[must_use]
    pub fn account() -> Self {
        Self {
            leverage_symbol: Some(LeverageSymbol::default()),
            leverage_gross: Some(LeverageGross::default()),
            notional_symbol: Some(NotionalSymbol::default()),
            notional_gross: Some(NotionalGross::default()),
            missing_stop: Some(MissingStop::default()),
            invalid_stop: Some(InvalidStop::default()),
            daily_loss: Some(DailyLoss::default()),
            max_drawdown: Some(MaxDrawdown::default()),
            rate_limit: Some(RateLimit::default()),
            circuit_breaker: Some(CircuitBreaker::default()),
            concentration: Some(Concentration::default()),
            stale_data: Some(StaleData::default()),
            price_collar: Some(PriceCollar::default()),
            drawdown_ladder: Some(DrawdownLadder::default()),
        }
    }

    /// Whether a rule looks at more than the strategy's own position in the order's instrument.
    #[must_use]
    pub fn need_stakes(&self) -> bool {
        self.leverage_gross.is_some()
            || self.notional_symbol.is_some()
            || self.notional_gross.is_some()
            || self.concentration.is_some()
    }

    /// The names of rules that are not there.
    #[must_use]
    pub fn absent(&self) -> Vec<&'static str> {
        let mut absent = Vec::new();
        macro_rules! look {
            ($($field:ident),*) => {$(
                if self.$field.is_none() {
                    absent.push(stringify!($field));
                }
            )*};
        }
        every_rule!(look);
        absent
    }

    /// These rules, each replaced by its counterpart in `other` where there is one.
    #[must_use]
    pub fn overridden_by(&self, other: &Self) -> Self {
        let mut limits = self.clone();
        macro_rules! take {
            ($($field:ident),*) => {$(
                if other.$field.is_some() {
                    limits.$field.clone_from(&other.$field);
                }
            )*};
        }
        every_rule!(take);
        limits
    }

    /// The names of rules that let something pass which `other`'s would not.
    #[must_use]
    pub fn looser_than(&self, other: &Self) -> Vec<&'static str> {
        let mut looser = Vec::new();
        macro_rules! compare {
            ($($field:ident),*) => {$(
                if let (Some(own), Some(other)) = (&self.$field, &other.$field)
                    && own.is_looser_than(other)
                {
                    looser.push(stringify!($field));
                }
            )*};
        }
        every_rule!(compare);
        looser
    }

    /// What is wrong with the limits, one sentence each.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        macro_rules! collect {
            ($($field:ident),*) => {$(
                let found = self.$field.iter().flat_map(Setting::problems);
                problems.extend(found.map(|(field, what)| format!("{}.{field} {what}", stringify!($field))));
            )*};
        }
        every_rule!(collect);
        problems
    }

    /// What the rules say of an order: all that are always on, then all of these, none left out because another spoke first.
    #[must_use]
    pub fn judge(&self, proposal: &Proposal<'_>, situation: &Situation<'_>) -> Verdict {
        let asked = Asked::new(proposal, situation);
        let always = ALWAYS_ON.iter().filter_map(|rule| rule(proposal, situation));
        let guarded = [clock, daily_loss, circuit_breaker, lifecycle_share].into_iter().filter_map(|rule| rule(&asked));
        let mut violations: Vec<Violation> = always.chain(guarded).collect();
        let firm = violations.len();
        let mut refused = firm;
        let mut room = None;
        for rule in self.of_orders().into_iter().flatten() {
            let Some(violation) = rule.judge(&asked) else { continue };
            violations.push(violation);
            match rule.room(&asked) {
                Some(here) => room = Some(room.map_or(here, |before: tiltyard_model::Money| before.min(here))),
                None => refused += 1,
            }
        }
        let fits = room.filter(|_| refused == 0).and_then(|room| asked.fitting(room));
        let warnings = self.invalid_stop.as_ref().and_then(|rule| rule.warning(&asked)).into_iter().collect();
        Verdict { violations, warnings, fits, adds: asked.adds() }
    }

    /// The rules that look at orders, in the order in which their violations are listed.
    fn of_orders(&self) -> [Option<&dyn Rule>; 10] {
        fn rule<R: Rule>(rule: &Option<R>) -> Option<&dyn Rule> {
            rule.as_ref().map(|rule| rule as &dyn Rule)
        }
        [
            rule(&self.leverage_symbol),
            rule(&self.leverage_gross),
            rule(&self.notional_symbol),
            rule(&self.notional_gross),
            rule(&self.missing_stop),
            rule(&self.invalid_stop),
            rule(&self.rate_limit),
            rule(&self.concentration),
            rule(&self.stale_data),
            rule(&self.price_collar),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::{Limits, NotionalGross, NotionalSymbol};
    use crate::rules::testing::{Case, buy, dec, limit_buy, sell};
    use crate::rules::{LeverageGross, OnBreach};
    use crate::{Fraction, Proposal};
    use tiltyard_model::{OrderKind, Price, Protection, Qty, Ticket};

    fn judged(limits: &Limits, case: &Case, ticket: &Ticket) -> super::Verdict {
        let ticket = case.parted(ticket);
        case.situation(|situation| limits.judge(&Proposal { ticket: &ticket, filled: Qty::ZERO }, situation))
    }

    #[test]
    fn every_broken_rule_is_listed() {
        let case = Case::perpetual().recent(30, 30).age(None);
        let verdict = judged(&Limits::account(), &case, &limit_buy("150", "110"));
        let rules: Vec<_> = verdict.violations.iter().map(|violation| violation.rule.as_str()).collect();
        assert_eq!(
            rules,
            [
                "insufficient-margin",
                "leverage-symbol",
                "leverage-gross",
                "notional-symbol",
                "notional-gross",
                "missing-stop",
                "rate-limit",
                "concentration",
                "stale-data",
                "price-collar"
            ]
        );
        assert_eq!(verdict.fits, None);
    }

    #[test]
    fn an_order_within_all_limits_passes() {
        let stop = Some(Protection::Fixed(Price(dec("98"))));
        let ticket = Ticket { stop_loss: stop, ..buy("24") };
        let verdict = judged(&Limits::account(), &Case::perpetual().range(1.33), &ticket);
        assert_eq!(verdict, super::Verdict { adds: true, ..super::Verdict::default() });
    }

    #[test]
    fn rules_that_reduce_make_an_order_as_large_as_all_of_them_allow() {
        let mut limits = Limits {
            notional_symbol: Some(NotionalSymbol { most: Fraction::bps(2_500), on_breach: OnBreach::Reduce }),
            notional_gross: Some(NotionalGross { most: Fraction::ONE, on_breach: OnBreach::Reduce }),
            ..Limits::default()
        };
        let case = Case::perpetual().stake(1, 1, "8000");
        let verdict = judged(&limits, &case, &buy("30"));
        assert_eq!(verdict.fits, Some(Qty(dec("20"))), "2,000 are left of 10,000");
        assert_eq!(verdict.violations.len(), 2, "what it would have broken is said");
        // 5 short are closed first.
        assert_eq!(judged(&limits, &case.clone().position("-5"), &buy("30")).fits, Some(Qty(dec("25"))));
        assert_eq!(judged(&limits, &case.clone().stake(1, 2, "2000"), &buy("30")).fits, None, "nothing is left");
        limits.leverage_gross = Some(LeverageGross::default());
        assert_eq!(judged(&limits, &case, &sell("30")).fits, None, "one of them refuses");
    }

    #[test]
    fn what_an_order_closes_is_left_to_it_where_nothing_may_be_opened() {
        let rule = NotionalSymbol { most: Fraction::bps(2_500), on_breach: OnBreach::Reduce };
        let limits = Limits { notional_symbol: Some(rule), ..Limits::default() };
        // 4 at 1,000 are more than the 2,500 that are allowed; of 15 more they leave 6 of the 10 to close.
        let far = Ticket { kind: OrderKind::Limit(Price(dec("1000"))), ..sell("4") };
        let case = Case::perpetual().position("10").open(far);
        assert_eq!(judged(&limits, &case, &sell("15")).fits, Some(Qty(dec("6"))));
    }

    #[test]
    fn overrides_replace_rule_by_rule() {
        let strict = Limits {
            notional_symbol: Some(NotionalSymbol { most: Fraction::bps(100), ..NotionalSymbol::default() }),
            ..Limits::default()
        };
        let limits = Limits::account().overridden_by(&strict);
        assert_eq!(limits.notional_symbol, strict.notional_symbol);
        assert_eq!(limits.notional_gross, Limits::account().notional_gross);
        assert!(strict.looser_than(&Limits::account()).is_empty());
        let loose = Limits {
            notional_symbol: Some(NotionalSymbol { most: Fraction::bps(2_501), ..NotionalSymbol::default() }),
            ..Limits::default()
        };
        assert_eq!(loose.looser_than(&Limits::account()), ["notional_symbol"]);
    }

    #[test]
    fn all_that_is_wrong_with_limits_is_said() {
        let mut limits = Limits::account();
        limits.max_drawdown.as_mut().unwrap().most = Fraction::bps(15_000);
        limits.invalid_stop.as_mut().unwrap().least = Fraction::bps(600);
        limits.drawdown_ladder.as_mut().unwrap().kill = Fraction::bps(100);
        assert_eq!(
            limits.problems(),
            [
                "invalid_stop.least is 0.06, which is more than most, 0.05",
                "max_drawdown.most is 1.5; it takes 0.0001 to 1",
                "drawdown_ladder.kill is 0.01, which is less than halve, 0.2",
            ]
        );
        assert!(Limits::account().problems().is_empty());
    }
}
