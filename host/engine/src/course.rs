use std::borrow::Cow;
use std::collections::BTreeMap;

use tiltyard_model::Nanos;

use crate::books::{Record, Sample};
use crate::metrics::{Basis, Convention, Period};

/// A day, the shortest period of the usual conventions.
pub(crate) const DAY: i64 = 86_400_000_000_000;
/// Days from which on returns are taken by day.
const DAYS: i64 = 28;

/// What figures are taken from: the course of one run, or of several strung together. Amounts in settlement currency.
#[derive(Debug, Clone)]
pub struct Course<'a> {
    basis: Basis,
    pub(crate) initial: f64,
    pub(crate) last: f64,
    pub(crate) curve: Cow<'a, [Sample]>,
    pub(crate) trips: Vec<Trip>,
    pub(crate) turnover: f64,
    pub(crate) fees: f64,
    pub(crate) funding: f64,
    pub(crate) interest: f64,
    pub(crate) bars: u64,
    pub(crate) accepted: u64,
    pub(crate) refused: u64,
    pub(crate) rejected: u64,
    pub(crate) violations: u64,
    pub(crate) broken: BTreeMap<String, u64>,
    pub(crate) fuel: u64,
}

/// What figures need of a round trip.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trip {
    held: Nanos,
    pub(crate) net: f64,
}

impl<'a> Course<'a> {
    /// The course of a run.
    #[must_use]
    pub fn of(record: &'a Record, basis: &Basis) -> Self {
        let totals = record.ledger.totals();
        let trips = record.ledger.round_trips().iter();
        Self {
            basis: *basis,
            initial: totals.initial.to_f64(),
            last: totals.equity.to_f64(),
            curve: Cow::Borrowed(&record.curve),
            trips: trips.map(|trip| Trip { held: trip.exit_time - trip.entry_time, net: trip.net.to_f64() }).collect(),
            turnover: record.ledger.turnover().to_f64(),
            fees: (totals.fees + totals.liquidation_fees).to_f64(),
            funding: totals.funding.to_f64(),
            interest: totals.interest.to_f64(),
            bars: record.bars,
            accepted: record.accepted,
            refused: record.refused,
            rejected: record.rejected,
            violations: record.violations,
            broken: record.broken.clone(),
            fuel: record.fuel,
        }
    }

    /// A course that outlives its record.
    #[must_use]
    pub fn into_owned(self) -> Course<'static> {
        Course { curve: Cow::Owned(self.curve.into_owned()), ..self }
    }

    /// This course, and then another that began later with the money that this one ended with: its amounts are scaled by what
    /// was left. Time between the two has no return. Once everything is lost nothing follows.
    pub fn extend(&mut self, next: &Course<'_>) {
        if self.last <= 0.0 || next.initial <= 0.0 {
            return;
        }
        let scale = self.last / next.initial;
        self.curve.to_mut().extend(next.curve.iter().map(|sample| Sample { equity: sample.equity * scale, ..*sample }));
        self.trips.extend(next.trips.iter().map(|trip| Trip { net: trip.net * scale, ..*trip }));
        self.last = next.last * scale;
        self.turnover += next.turnover * scale;
        self.fees += next.fees * scale;
        self.funding += next.funding * scale;
        self.interest += next.interest * scale;
        self.bars += next.bars;
        self.accepted += next.accepted;
        self.refused += next.refused;
        self.rejected += next.rejected;
        self.violations += next.violations;
        for (rule, count) in &next.broken {
            *self.broken.entry(rule.clone()).or_default() += count;
        }
        self.fuel += next.fuel;
    }

    /// Equity after each instant.
    #[must_use]
    pub fn equity(&self) -> Vec<(Nanos, f64)> {
        self.curve.iter().map(|sample| (sample.time, sample.equity)).collect()
    }

    /// Equity at the end.
    #[must_use]
    pub fn last_equity(&self) -> f64 {
        self.last
    }

    /// From the beginning to the last instant, in nanoseconds.
    pub(crate) fn span(&self) -> f64 {
        self.curve.last().map_or(0.0, |last| (last.time - self.basis.begin).0 as f64)
    }

    pub(crate) fn mean_equity(&self) -> Option<f64> {
        let count = self.curve.len() as f64;
        (count > 0.0).then(|| self.curve.iter().map(|sample| sample.equity).sum::<f64>() / count)
    }

    pub(crate) fn holding_hours(&self) -> Vec<f64> {
        let hour = 3_600e9;
        self.trips.iter().map(|trip| trip.held.0 as f64 / hour).collect()
    }

    /// The returns that figures are taken from, and what they are.
    pub(crate) fn returns(&self) -> (Vec<f64>, Convention) {
        let (curve, basis) = (&self.curve, &self.basis);
        let convention = |period, count, periods_per_year| Convention { period, count, periods_per_year };
        if self.span() < (DAYS * DAY) as f64 {
            let returns = changes(self.initial, curve.iter().map(|sample| sample.equity));
            let count = returns.len();
            let periods = basis.days_per_year * DAY as f64 / basis.interval.0.max(1) as f64;
            let period = if basis.sampled { Period::PerSample } else { Period::PerBar };
            return (returns, convention(period, count, periods));
        }
        // A bar that closes at midnight belongs to the day that ends.
        let day = |time: Nanos| (time.0 - 1).div_euclid(DAY);
        let first = basis.begin.0.div_euclid(DAY);
        let last = curve.last().map_or(first, |sample| day(sample.time));
        let mut closes = vec![None; usize::try_from(last - first + 1).unwrap_or_default()];
        for sample in curve.iter() {
            let at = usize::try_from(day(sample.time) - first).ok();
            if let Some(close) = at.and_then(|at| closes.get_mut(at)) {
                *close = Some(sample.equity);
            }
        }
        let mut equity = self.initial;
        let closes = closes.into_iter().map(|close| {
            equity = close.unwrap_or(equity);
            equity
        });
        let returns = changes(self.initial, closes);
        let count = returns.len();
        (returns, convention(Period::Daily, count, basis.days_per_year))
    }
}

/// Relative changes from each value to the next, the first from `before`. A value that is not above 0 ends the series with
/// the loss of everything.
pub(crate) fn changes(mut before: f64, values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut changes = Vec::new();
    for value in values {
        if value <= 0.0 || before <= 0.0 {
            changes.push(-1.0);
            break;
        }
        changes.push(value / before - 1.0);
        before = value;
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::{Course, DAY, Trip};
    use crate::books::Sample;
    use crate::metrics::{Basis, Metrics};
    use std::borrow::Cow;
    use tiltyard_model::Nanos;

    /// A day a sample, from this day on.
    fn course(from: i64, equity: &[f64], net: f64) -> Course<'static> {
        let sample =
            |(day, equity): (i64, &f64)| Sample { time: Nanos((day + 1) * DAY), equity: *equity, exposed: true };
        Course {
            basis: Basis { begin: Nanos(from * DAY), interval: Nanos(DAY), sampled: false, days_per_year: 365.0 },
            initial: 100.0,
            last: equity[equity.len() - 1],
            curve: Cow::Owned((from..).zip(equity).map(sample).collect()),
            trips: vec![Trip { held: Nanos(DAY), net }],
            turnover: 200.0,
            fees: 1.0,
            funding: -0.5,
            interest: 0.25,
            bars: 2,
            accepted: 1,
            refused: 1,
            rejected: 0,
            violations: 1,
            broken: [("notional-gross".to_owned(), 2)].into(),
            fuel: 10,
        }
    }

    #[test]
    fn what_follows_is_scaled_by_what_was_left() {
        let mut whole = course(0, &[110.0, 50.0], -50.0);
        whole.extend(&course(2, &[100.0, 120.0], 20.0));
        let metrics = Metrics::of_course(&whole);
        assert_eq!((metrics.final_equity, metrics.total_return), (60.0, Some(-0.4)));
        assert_eq!((metrics.average_win, metrics.average_loss, metrics.fees), (Some(10.0), Some(-50.0), 1.5));
        assert_eq!((metrics.trades, metrics.violations, metrics.returns.count), (2, 2, 4));
        assert_eq!(metrics.broken, [("notional-gross".to_owned(), 4)].into());
        assert_eq!(whole.equity().last(), Some(&(Nanos(4 * DAY), 60.0)));
    }

    #[test]
    fn nothing_follows_the_loss_of_everything() {
        let mut whole = course(0, &[50.0, 0.0], -100.0);
        whole.extend(&course(2, &[200.0], 100.0));
        assert_eq!(Metrics::of_course(&whole).final_equity, 0.0);
    }
}
