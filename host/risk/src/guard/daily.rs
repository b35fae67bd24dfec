use serde::{Deserialize, Serialize};
use tiltyard_model::{Decimal, Money, Nanos};

use super::Measure;
use crate::Fraction;
use crate::rules::{Setting, bounds};

/// `daily-loss`: what a day (UTC) may lose of the equity that it started with. Where it has lost that much, everything is closed,
/// and no new risk is taken until the cool-down is over; if the loss still stands then, until the next day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DailyLoss {
    /// The limit, as a fraction of the day's starting equity.
    pub most: Fraction,
    /// Minutes without new risk.
    pub cool_down_minutes: u32,
}

impl Default for DailyLoss {
    fn default() -> Self {
        Self { most: Fraction::bps(500), cool_down_minutes: 60 }
    }
}

/// A stop after a day's loss.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DailyStop {
    /// When the loss was seen.
    pub since: Nanos,
    /// When new risk may be taken again, at the earliest.
    pub until: Nanos,
    /// What was lost, as a fraction of the day's starting equity.
    pub loss: Decimal,
    /// What may be lost.
    pub most: Fraction,
}

/// A day and the equity that it started with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Day {
    /// Days since 1970-01-01.
    pub(super) number: i64,
    pub(super) start: Money,
}

const DAY: i64 = 86_400_000_000_000;

/// Days since 1970-01-01.
pub(super) fn number(now: Nanos) -> i64 {
    now.0.div_euclid(DAY)
}

pub(super) fn is_midnight(now: Nanos) -> bool {
    now.0.rem_euclid(DAY) == 0
}

impl DailyLoss {
    pub(super) fn watch(&self, stop: Option<&DailyStop>, day: &Day, now: Nanos, equity: Money) -> Option<Measure> {
        let lost = day.start - equity;
        let loss = if day.start <= Money::ZERO { Decimal::ONE } else { (lost.0 / day.start.0).round_dp(8) };
        let breached = lost > Money::ZERO && lost >= self.most.of(day.start);
        let stop_until = |since, until| Measure::DailyStop(DailyStop { since, until, loss, most: self.most });
        let cool_down = || stop_until(now, now + Nanos::from_secs(60 * i64::from(self.cool_down_minutes)));
        match stop {
            None => breached.then(cool_down),
            Some(stop) if now < stop.until => None,
            Some(stop) if breached && number(stop.since) == day.number => {
                Some(stop_until(stop.since, Nanos((day.number + 1).saturating_mul(DAY))))
            }
            // Another day that has lost too much as well.
            Some(_) if breached => Some(cool_down()),
            Some(_) => Some(Measure::DailyStopEnded),
        }
    }
}

impl Setting for DailyLoss {
    fn problems(&self) -> Vec<(&'static str, String)> {
        let minutes = (self.cool_down_minutes > 10_080)
            .then(|| ("cool_down_minutes", format!("is {}; it takes 0 to 10080, a week", self.cool_down_minutes)));
        bounds("most", self.most, 0.0001, 1.0).into_iter().chain(minutes).collect()
    }

    fn is_looser_than(&self, other: &Self) -> bool {
        self.most > other.most || self.cool_down_minutes < other.cool_down_minutes
    }
}
