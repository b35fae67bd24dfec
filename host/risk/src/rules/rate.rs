use serde::{Deserialize, Serialize};
use tiltyard_model::{Nanos, Violation};

use super::{Asked, Rule, Setting, violation};

/// `rate-limit`: orders in the last minute, at most. All orders count; only those that open or add are refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    /// Of one strategy.
    pub strategy: u32,
    /// Of the account.
    pub account: u32,
}

impl Default for RateLimit {
    fn default() -> Self {
        Self { strategy: 30, account: 30 }
    }
}

impl Rule for RateLimit {
    fn judge(&self, asked: &Asked<'_>) -> Option<Violation> {
        let recent = asked.situation.recent_orders;
        let broken = [
            (recent.strategy, self.strategy, "orders-a-minute"),
            (recent.account, self.account, "orders-a-minute-of-the-account"),
        ];
        let (sent, most, unit) = broken.into_iter().find(|(sent, most, _)| sent >= most)?;
        asked.adds().then(|| violation("rate-limit", f64::from(sent) + 1.0, f64::from(most), unit))
    }
}

impl Setting for RateLimit {
    fn problems(&self) -> Vec<(&'static str, String)> {
        let beyond = |count: u32| count > RecentOrders::REMEMBERED as u32;
        let say = |field, count| (field, format!("is {count}; it takes 0 to {}", RecentOrders::REMEMBERED));
        [("strategy", self.strategy), ("account", self.account)]
            .into_iter()
            .filter(|(_, count)| beyond(*count))
            .map(|(field, count)| say(field, count))
            .collect()
    }

    fn is_looser_than(&self, other: &Self) -> bool {
        self.strategy > other.strategy || self.account > other.account
    }
}

/// When the last orders were sent: as many as a limit may be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RecentOrders(std::collections::VecDeque<Nanos>);

impl RecentOrders {
    /// Most orders that are remembered, and the largest limit.
    pub const REMEMBERED: usize = 10_000;
    const MINUTE: Nanos = Nanos::from_secs(60);

    /// An order was sent.
    pub fn push(&mut self, now: Nanos) {
        while self.0.len() >= Self::REMEMBERED || self.0.front().is_some_and(|sent| now - *sent >= Self::MINUTE) {
            self.0.pop_front();
        }
        self.0.push_back(now);
    }

    /// Orders that were sent less than a minute ago. What was sent in the future, by a clock that went back, counts.
    #[must_use]
    pub fn count(&self, now: Nanos) -> u32 {
        self.0.iter().rev().take_while(|sent| now - **sent < Self::MINUTE).count() as u32
    }
}

#[cfg(test)]
mod tests {
    use super::{RateLimit, RecentOrders};
    use crate::rules::testing::{Case, buy, judged, sell};
    use tiltyard_model::Nanos;

    #[test]
    fn there_are_30_orders_a_minute_for_each_strategy_and_for_the_account() {
        let sent = |strategy, account| Case::perpetual().recent(strategy, account);
        assert_eq!(judged(&RateLimit::default(), &sent(28, 29), &buy("1")), None);
        assert_eq!(judged(&RateLimit::default(), &sent(29, 29), &buy("1")), None);
        let broken = judged(&RateLimit::default(), &sent(30, 30), &buy("1")).unwrap();
        assert_eq!((broken.actual, broken.limit, broken.unit.as_str()), (31.0, 30.0, "orders-a-minute"));
        let broken = judged(&RateLimit::default(), &sent(0, 30), &buy("1")).unwrap();
        assert_eq!(broken.unit, "orders-a-minute-of-the-account");
        let held = sent(30, 30).position("1");
        assert_eq!(judged(&RateLimit::default(), &held, &sell("1")), None, "exits pass");
    }

    #[test]
    fn an_order_counts_for_a_minute() {
        let mut recent = RecentOrders::default();
        for second in 0..10 {
            recent.push(Nanos::from_secs(second));
        }
        assert_eq!(recent.count(Nanos::from_secs(9)), 10);
        assert_eq!(recent.count(Nanos(Nanos::from_secs(60).0 - 1)), 10);
        assert_eq!(recent.count(Nanos::from_secs(60)), 9);
        assert_eq!(recent.count(Nanos::from_secs(-60)), 10, "a clock that went back forgets nothing");
        recent.push(Nanos::from_secs(1_000));
        assert_eq!(recent.count(Nanos::from_secs(1_000)), 1);
    }
}
