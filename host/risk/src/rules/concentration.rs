use serde::{Deserialize, Serialize};
use tiltyard_model::{Money, Violation};

use super::{Asked, OnBreach, Rule, Setting, bounds, violation};
use crate::correlation::Correlations;
use crate::exposure::Stake;
use crate::{Exposure, Fraction};

/// `concentration`: how much of the account's equity may be at stake with one strategy, with all of them, and in positions that
/// are one bet.
///
/// Positions are one bet if they hang together by pairs in the same direction whose daily returns have a correlation of more
/// than [`correlation`](Self::correlation) or less than its opposite; or in opposite directions, if they move against each
/// other. A correlation that is not known yet counts as one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Concentration {
    /// Of one strategy.
    pub strategy: Fraction,
    /// Of all strategies.
    pub deployed: Fraction,
    /// Of positions that are one bet.
    pub correlated: Fraction,
    /// From which correlation on two positions are one bet.
    pub correlation: Fraction,
    /// Days whose returns the correlation is taken from.
    pub days: u32,
    /// What becomes of an order beyond it.
    #[serde(default, skip_serializing_if = "OnBreach::is_default")]
    pub on_breach: OnBreach,
}

impl Default for Concentration {
    fn default() -> Self {
        Self {
            strategy: Fraction::bps(4_000),
            deployed: Fraction::bps(6_000),
            correlated: Fraction::bps(3_000),
            correlation: Fraction::bps(7_000),
            days: 30,
            on_breach: OnBreach::Refuse,
        }
    }
}

impl Concentration {
    /// What is at stake elsewhere under each of the three limits, with the limit and its unit.
    fn elsewhere(&self, asked: &Asked<'_>) -> [(Money, Fraction, &'static str); 3] {
        [
            (asked.elsewhere.own, self.strategy, "fraction-of-equity-in-one-strategy"),
            (asked.elsewhere.all, self.deployed, "fraction-of-equity-deployed"),
            (self.same_bet(asked), self.correlated, "fraction-of-equity-in-correlated-positions"),
        ]
    }

    /// What is at stake elsewhere in positions that are one bet with the order's.
    fn same_bet(&self, asked: &Asked<'_>) -> Money {
        let situation = asked.situation;
        let exposure = asked.after.only(asked.proposal.ticket.side);
        let own = Stake { strategy: situation.strategy, instrument: asked.proposal.ticket.instrument, exposure };
        // Where all of it together is within the limit, it does not matter what hangs together.
        if asked.elsewhere.all + asked.at_stake() <= self.correlated.of(situation.account.equity) {
            return Money::ZERO;
        }
        let others: Vec<&Stake> = situation.account.stakes_elsewhere(situation).collect();
        let mut reached = vec![false; others.len()];
        let mut frontier = vec![&own];
        let mut sum = Money::ZERO;
        while let Some(from) = frontier.pop() {
            for (at, other) in others.iter().enumerate() {
                if !reached[at] && self.are_one_bet(from, other, situation.account.correlations) {
                    reached[at] = true;
                    sum += other.exposure.gross();
                    frontier.push(other);
                }
            }
        }
        sum
    }

    fn are_one_bet(&self, one: &Stake, other: &Stake, correlations: &Correlations) -> bool {
        let same = may_share(one.exposure, other.exposure);
        let against = may_oppose(one.exposure, other.exposure);
        if one.instrument == other.instrument {
            return same;
        }
        match correlations.of(one.instrument, other.instrument) {
            None => same || against,
            Some(correlation) => {
                let strong = self.correlation.to_f64();
                same && correlation.abs() > strong || against && correlation < -strong
            }
        }
    }
}

/// Whether both may be long, or both short.
fn may_share(one: Exposure, other: Exposure) -> bool {
    one.may_be_long() && other.may_be_long() || one.may_be_short() && other.may_be_short()
}

/// Whether one may be long and the other short.
fn may_oppose(one: Exposure, other: Exposure) -> bool {
    one.may_be_long() && other.may_be_short() || one.may_be_short() && other.may_be_long()
}

impl Rule for Concentration {
    fn judge(&self, asked: &Asked<'_>) -> Option<Violation> {
        if !asked.adds() {
            return None;
        }
        let equity = asked.situation.account.equity;
        let broken = self.elsewhere(asked).into_iter().find_map(|(elsewhere, limit, unit)| {
            let after = elsewhere + asked.at_stake();
            (after > limit.of(equity)).then_some((after, limit, unit))
        });
        broken.map(|(after, limit, unit)| violation("concentration", super::ratio(after, equity), limit.to_f64(), unit))
    }

    fn room(&self, asked: &Asked<'_>) -> Option<Money> {
        let equity = asked.situation.account.equity;
        let rooms = self.elsewhere(asked).map(|(elsewhere, limit, _)| limit.of(equity) - elsewhere);
        rooms.into_iter().min().filter(|_| self.on_breach == OnBreach::Reduce)
    }
}

impl Setting for Concentration {
    fn problems(&self) -> Vec<(&'static str, String)> {
        let days = (!(2..=365).contains(&self.days)).then(|| ("days", format!("is {}; it takes 2 to 365", self.days)));
        [
            bounds("strategy", self.strategy, 0.0, 1_000.0),
            bounds("deployed", self.deployed, 0.0, 1_000.0),
            bounds("correlated", self.correlated, 0.0, 1_000.0),
            bounds("correlation", self.correlation, 0.0, 1.0),
            days,
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn is_looser_than(&self, other: &Self) -> bool {
        self.strategy > other.strategy
            || self.deployed > other.deployed
            || self.correlated > other.correlated
            || self.correlation > other.correlation
    }
}

#[cfg(test)]
mod tests {
    use super::Concentration;
    use crate::rules::testing::{Case, buy, judged, sell};

    fn unit(case: &Case, quantity: &str) -> Option<String> {
        judged(&Concentration::default(), case, &buy(quantity)).map(|broken| broken.unit)
    }

    #[test]
    fn one_strategy_takes_40_percent_of_capital() {
        let case = Case::perpetual().uncorrelated(3).stake(0, 1, "1500").stake(0, 2, "1000");
        assert_eq!(unit(&case, "15"), None);
        assert_eq!(unit(&case, "15.001").as_deref(), Some("fraction-of-equity-in-one-strategy"));
    }

    #[test]
    fn all_strategies_take_60_percent() {
        let case = Case::perpetual().uncorrelated(3).stake(1, 1, "2500").stake(2, 2, "-2500");
        assert_eq!(unit(&case, "10"), None);
        assert_eq!(unit(&case, "10.001").as_deref(), Some("fraction-of-equity-deployed"));
    }

    #[test]
    fn correlated_positions_take_30_percent() {
        // Instrument 1 moves with 0, 2 with 1; so all three are one bet. 3 goes its own way.
        let bets = |stakes: &[(u32, &str)]| {
            let pairs = [(0, 1, 0.9), (1, 2, 0.8), (0, 2, 0.1), (0, 3, 0.7), (1, 3, 0.0), (2, 3, -0.7)];
            let case = Case::perpetual().correlated(4, &pairs);
            stakes.iter().fold(case, |case, (instrument, value)| case.stake(1, *instrument, value))
        };
        let correlated = Some("fraction-of-equity-in-correlated-positions");
        assert_eq!(unit(&bets(&[(1, "1000"), (2, "1000")]), "10"), None);
        assert_eq!(unit(&bets(&[(1, "1000"), (2, "1000")]), "10.001").as_deref(), correlated);
        assert_eq!(unit(&bets(&[(2, "2000")]), "30"), None, "nothing links 0 with 2 while 1 is not held");
        assert_eq!(unit(&bets(&[(3, "2000")]), "30"), None, "0.7 itself is not strong");
        assert_eq!(unit(&bets(&[(1, "-2000")]), "30"), None, "the other direction");
    }

    #[test]
    fn what_moves_against_each_other_is_one_bet_both_ways() {
        let case = |value| Case::perpetual().correlated(2, &[(0, 1, -0.9)]).stake(1, 1, value);
        assert!(judged(&Concentration::default(), &case("-2000"), &buy("10.001")).is_some(), "the same bet");
        assert!(judged(&Concentration::default(), &case("2000"), &buy("10.001")).is_some(), "a hedge, as written");
    }

    #[test]
    fn a_correlation_that_is_not_known_counts_as_one() {
        for value in ["2000", "-2000"] {
            let case = Case::perpetual().stake(1, 1, value);
            assert_eq!(unit(&case, "10"), None);
            assert!(unit(&case, "10.001").is_some(), "{value}");
        }
    }

    #[test]
    fn exits_pass() {
        let case = Case::perpetual().stake(1, 1, "9000").position("5");
        assert_eq!(judged(&Concentration::default(), &case, &sell("5")), None);
    }
}
