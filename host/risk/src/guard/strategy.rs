use serde::{Deserialize, Serialize};
use tiltyard_model::{Money, Nanos};

use crate::rules::{RecentOrders, Setting, bounds};
use crate::{Fraction, Limits, StrategyState};

/// `max-drawdown`: a strategy that has lost this fraction of its highest equity is halted until a person resumes it. A halted
/// strategy's orders are cancelled and its positions closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaxDrawdown {
    /// The limit.
    pub most: Fraction,
}

impl Default for MaxDrawdown {
    fn default() -> Self {
        Self { most: Fraction::bps(1_000) }
    }
}

impl Setting for MaxDrawdown {
    fn problems(&self) -> Vec<(&'static str, String)> {
        bounds("most", self.most, 0.0001, 1.0).into_iter().collect()
    }

    fn is_looser_than(&self, other: &Self) -> bool {
        self.most > other.most
    }
}

/// Where one strategy stands, and all that it depends on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StrategyGuard {
    state: StrategyState,
    cause: Option<String>,
    peak: Money,
    recent: RecentOrders,
}

impl StrategyGuard {
    /// An active strategy with so much to begin with.
    #[must_use]
    pub fn new(cash: Money) -> Self {
        Self { peak: cash, ..Self::default() }
    }

    /// Where it stands.
    #[must_use]
    pub fn state(&self) -> StrategyState {
        self.state
    }

    /// Why it is not active, if it is not.
    #[must_use]
    pub fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }

    /// Its highest equity since it began or was resumed.
    #[must_use]
    pub fn peak(&self) -> Money {
        self.peak
    }

    /// Its orders of the last minute.
    #[must_use]
    pub fn recent(&self) -> &RecentOrders {
        &self.recent
    }

    /// Whether it has lost too much, being worth this now.
    #[must_use]
    pub fn breaches(&self, limits: &Limits, equity: Money) -> bool {
        let lost = self.peak.max(equity) - equity;
        let most = limits.max_drawdown.as_ref().map(|rule| rule.most.of(self.peak.max(equity)));
        lost > Money::ZERO && most.is_some_and(|most| lost >= most)
    }

    /// It changed its state. Whoever makes it active again measures anew from `equity`.
    pub fn change(&mut self, state: StrategyState, cause: &str, equity: Money) {
        if state == StrategyState::Active && self.state != state {
            self.peak = equity;
        }
        self.state = state;
        self.cause = (state != StrategyState::Active).then(|| cause.to_owned());
    }

    /// An instant is over, and it is worth so much.
    pub fn mark(&mut self, equity: Money) {
        self.peak = self.peak.max(equity);
    }

    /// It sent an order.
    pub fn sent(&mut self, now: Nanos) {
        self.recent.push(now);
    }
}

#[cfg(test)]
mod tests {
    use super::{MaxDrawdown, StrategyGuard};
    use crate::{Limits, StrategyState};
    use tiltyard_model::{Decimal, Money};

    fn money(amount: i64) -> Money {
        Money(Decimal::from(amount))
    }

    #[test]
    fn a_strategy_is_halted_at_10_percent_from_its_peak() {
        let limits = Limits { max_drawdown: Some(MaxDrawdown::default()), ..Limits::default() };
        let mut guard = StrategyGuard::new(money(1_000));
        guard.mark(money(2_000));
        for (equity, breaches) in [(1_801, false), (1_800, true), (1_799, true)] {
            assert_eq!(guard.breaches(&limits, money(equity)), breaches, "{equity}");
        }
        assert!(!guard.breaches(&Limits::default(), money(1)));
    }

    #[test]
    fn a_strategy_that_is_resumed_is_measured_anew() {
        let limits = Limits { max_drawdown: Some(MaxDrawdown::default()), ..Limits::default() };
        let mut guard = StrategyGuard::new(money(1_000));
        guard.change(StrategyState::Halted, "max-drawdown", money(900));
        assert_eq!((guard.state(), guard.cause()), (StrategyState::Halted, Some("max-drawdown")));
        guard.change(StrategyState::Active, "looked into it", money(900));
        assert_eq!((guard.peak(), guard.cause()), (money(900), None));
        assert!(!guard.breaches(&limits, money(811)) && guard.breaches(&limits, money(810)));
    }
}
