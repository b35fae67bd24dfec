//! What watches over an account: it remembers what must not be forgotten, says which measures are due, and stands where they
//! have led. A pure state machine: [`AccountGuard::watch`] decides, [`AccountGuard::apply`] follows, and both are the same for a
//! kernel, for whoever reads its log, and for a guard that was kept over a restart.

mod breaker;
mod daily;
mod ladder;
mod strategy;

use serde::{Deserialize, Serialize};
use tiltyard_model::{Money, Nanos};

pub use breaker::{CircuitBreaker, OpenBreaker, Trouble};
pub use daily::{DailyLoss, DailyStop};
pub use ladder::{DrawdownLadder, Rung};
pub use strategy::{MaxDrawdown, StrategyGuard};

use crate::rules::RecentOrders;
use crate::{AccountState, Limits};
use breaker::Troubles;
use daily::Day;

/// What money is at stake.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Venture {
    /// None: the past is played.
    #[default]
    Simulated,
    /// None: the present is played.
    Paper,
    /// An account's.
    Live,
}

/// Where an account stands, and all that it depends on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountGuard {
    /// What a person, or a kill switch, has ordered.
    ordered: AccountState,
    /// Why the account is not active, if it is not.
    cause: Option<String>,
    /// Highest equity since the account was funded or a person resumed it.
    peak: Money,
    rung: Rung,
    /// Equity at the last instant.
    last: Money,
    day: Option<Day>,
    /// The last instant.
    seen: Nanos,
    daily_stop: Option<DailyStop>,
    breaker: Option<OpenBreaker>,
    troubles: Troubles,
    recent: RecentOrders,
}

/// A change of where an account stands: an event, with its cause.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// A person or a kill switch ordered a state.
    Ordered {
        /// From now on.
        state: AccountState,
        /// Why.
        cause: String,
    },
    /// The drawdown reached another rung of the ladder.
    Rung {
        /// From now on.
        rung: Rung,
        /// The drawdown, as a fraction of the peak.
        drawdown: f64,
    },
    /// The day lost too much, or still has at the end of the cool-down.
    DailyStop(DailyStop),
    /// New risk may be taken again.
    DailyStopEnded,
    /// Something went wrong that the circuit breaker counts.
    Trouble(Trouble),
    /// The circuit breaker opened.
    BreakerOpened(OpenBreaker),
    /// It closed.
    BreakerClosed,
    /// A person resumed.
    Resumed {
        /// Why.
        reason: String,
    },
    /// The guard was kept over a restart: it stands where it stood.
    Restored(Box<AccountGuard>),
}

/// An order that a guard does not follow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// Whoever resumes says why.
    #[error("resuming takes a reason; say what was found and what was done about it")]
    NoReason,
    /// Nothing was stopped.
    #[error("there is nothing to resume: the account is active and its circuit breaker closed")]
    NothingToResume,
    /// The circuit breaker has to cool down first.
    #[error("the circuit breaker opened because of {cause} and cools down until {until}; resume then")]
    CoolingDown {
        /// Why it opened.
        cause: String,
        /// When it may be closed.
        until: Nanos,
    },
}

impl AccountGuard {
    /// A strategy brings cash to the account.
    pub fn fund(&mut self, cash: Money) {
        self.peak += cash;
        self.last += cash;
    }

    /// Where the account stands: the stricter of what was ordered and what the drawdown demands.
    #[must_use]
    pub fn state(&self) -> AccountState {
        self.ordered.max(self.rung.state())
    }

    /// Why it is not active, if it is not.
    #[must_use]
    pub fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }

    /// Where the drawdown has led.
    #[must_use]
    pub fn rung(&self) -> Rung {
        self.rung
    }

    /// The stop after a day's loss, while it lasts.
    #[must_use]
    pub fn daily_stop(&self) -> Option<&DailyStop> {
        self.daily_stop.as_ref()
    }

    /// The circuit breaker, while it is open.
    #[must_use]
    pub fn breaker(&self) -> Option<&OpenBreaker> {
        self.breaker.as_ref()
    }

    /// Whether new positions are half as large as they would be.
    #[must_use]
    pub fn halves_positions(&self) -> bool {
        self.rung >= Rung::Alert
    }

    /// Whether new risk may be taken, as far as the account goes.
    #[must_use]
    pub fn takes_risk(&self) -> bool {
        self.state() == AccountState::Active && self.daily_stop.is_none() && self.breaker.is_none()
    }

    /// The latest instant that it has seen.
    #[must_use]
    pub fn seen(&self) -> Nanos {
        self.seen
    }

    /// The day that it is in, in days since 1970-01-01 (UTC), and the equity that this began with; `None` before the first instant.
    #[must_use]
    pub fn day(&self) -> Option<(i64, Money)> {
        self.day.map(|day| (day.number, day.start))
    }

    /// Highest equity since the account was funded or resumed.
    #[must_use]
    pub fn peak(&self) -> Money {
        self.peak
    }

    /// Orders of the last minute.
    #[must_use]
    pub fn recent(&self) -> &RecentOrders {
        &self.recent
    }

    /// The measures that are due at this instant, the account being worth so much. Until they are applied they stay due.
    #[must_use]
    pub fn watch(&self, limits: &Limits, venture: Venture, now: Nanos, equity: Money) -> Vec<Measure> {
        let mut due = Vec::new();
        let mut breach = None;
        if let Some(ladder) = &limits.drawdown_ladder {
            let peak = self.peak.max(equity);
            let rung = ladder.rung(peak, equity);
            let eases = self.rung == Rung::Alert && rung == Rung::Clear;
            if rung > self.rung || eases {
                due.push(Measure::Rung { rung, drawdown: ladder::drawdown(peak, equity) });
            }
            if rung > self.rung && rung > Rung::Alert {
                breach = Some("drawdown");
            }
        }
        if let Some(rule) = &limits.daily_loss {
            let day = self.day_at(now, equity);
            match rule.watch(self.daily_stop.as_ref(), &day, now, equity) {
                Some(Measure::DailyStop(stop)) => {
                    if stop.since == now {
                        breach = Some("daily-loss");
                    }
                    due.push(Measure::DailyStop(stop));
                }
                other => due.extend(other),
            }
        }
        if let Some(rule) = &limits.circuit_breaker {
            match (&self.breaker, breach) {
                (None, Some(cause)) => due.push(Measure::BreakerOpened(rule.open(now, cause))),
                (Some(open), None) if now >= open.until && venture != Venture::Live => due.push(Measure::BreakerClosed),
                _ => {}
            }
        }
        due
    }

    /// What follows from something that went wrong.
    #[must_use]
    pub fn trouble(&self, limits: &Limits, now: Nanos, trouble: Trouble) -> Vec<Measure> {
        let opens = limits.circuit_breaker.as_ref().filter(|_| self.breaker.is_none()).and_then(|rule| {
            let cause = rule.counts(&self.troubles, now, trouble)?;
            Some(Measure::BreakerOpened(rule.open(now, cause)))
        });
        std::iter::once(Measure::Trouble(trouble)).chain(opens).collect()
    }

    /// What a person's word to resume leads to.
    ///
    /// # Errors
    /// [`OrderError`]; nothing changes then.
    pub fn resume(&self, now: Nanos, reason: &str) -> Result<Measure, OrderError> {
        if reason.trim().is_empty() {
            return Err(OrderError::NoReason);
        }
        if self.state() == AccountState::Active && self.breaker.is_none() {
            return Err(OrderError::NothingToResume);
        }
        match &self.breaker {
            Some(OpenBreaker { until, cause, .. }) if now < *until => {
                Err(OrderError::CoolingDown { cause: cause.clone(), until: *until })
            }
            _ => Ok(Measure::Resumed { reason: reason.to_owned() }),
        }
    }

    /// Follows a measure that was taken at `now`.
    pub fn apply(&mut self, now: Nanos, measure: &Measure) {
        match measure {
            Measure::Ordered { state, cause } => {
                self.ordered = *state;
                self.cause = (self.state() != AccountState::Active).then(|| cause.clone());
            }
            Measure::Rung { rung, drawdown } => {
                self.rung = *rung;
                if rung.state() > self.ordered {
                    self.cause = Some(format!("drawdown of {:.2} %", drawdown * 100.0));
                }
            }
            Measure::DailyStop(stop) => self.daily_stop = Some(stop.clone()),
            Measure::DailyStopEnded => self.daily_stop = None,
            Measure::Trouble(trouble) => self.troubles.push(now, *trouble),
            Measure::BreakerOpened(open) => self.breaker = Some(open.clone()),
            Measure::BreakerClosed => self.breaker = None,
            Measure::Resumed { .. } => {
                self.ordered = AccountState::Active;
                self.cause = None;
                self.rung = Rung::Clear;
                self.breaker = None;
                self.troubles = Troubles::default();
                // What was lost is lost: from here on it is measured anew.
                self.peak = self.last;
            }
            Measure::Restored(guard) => *self = (**guard).clone(),
        }
    }

    /// An instant is over, and the account worth so much.
    pub fn mark(&mut self, now: Nanos, equity: Money) {
        self.day = Some(self.day_at(now, equity));
        self.seen = self.seen.max(now);
        self.last = equity;
        self.peak = self.peak.max(equity);
    }

    /// An order was sent.
    pub fn sent(&mut self, now: Nanos) {
        self.recent.push(now);
    }

    /// The day that `now` belongs to. Time does not go back: a day that has begun is not left for an earlier one.
    fn day_at(&self, now: Nanos, equity: Money) -> Day {
        let number = daily::number(now);
        match self.day {
            Some(day) if day.number >= number => day,
            // Midnight itself is the beginning of a day; whatever comes later began with what there was before.
            _ if daily::is_midnight(now) => Day { number, start: equity },
            _ => Day { number, start: self.last },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{AccountGuard, CircuitBreaker, DailyLoss, DrawdownLadder, Measure, OrderError, Rung, Trouble, Venture};
    use crate::{AccountState, Limits};
    use tiltyard_model::{Decimal, Money, Nanos};

    const HOUR: i64 = 3_600_000_000_000;
    const MINUTE: i64 = 60_000_000_000;

    fn money(amount: i64) -> Money {
        Money(Decimal::from(amount))
    }

    fn limits() -> Limits {
        Limits {
            daily_loss: Some(DailyLoss::default()),
            drawdown_ladder: Some(DrawdownLadder::default()),
            circuit_breaker: Some(CircuitBreaker::default()),
            ..Limits::default()
        }
    }

    fn only(change: impl FnOnce(&mut Limits)) -> Limits {
        let mut limits = Limits::default();
        change(&mut limits);
        limits
    }

    /// A guard over so much money at 00:00 of day 0.
    fn guard(equity: i64) -> AccountGuard {
        let mut guard = AccountGuard::default();
        guard.fund(money(equity));
        guard.mark(Nanos(0), money(equity));
        guard
    }

    /// What happens at an instant: measures are taken, then the instant is over.
    fn at(guard: &mut AccountGuard, limits: &Limits, venture: Venture, now: i64, equity: i64) -> Vec<Measure> {
        let due = guard.watch(limits, venture, Nanos(now), money(equity));
        due.iter().for_each(|measure| guard.apply(Nanos(now), measure));
        guard.mark(Nanos(now), money(equity));
        due
    }

    #[test]
    fn the_ladder_has_rungs_at_10_15_20_and_25_percent() {
        let limits = only(|limits| limits.drawdown_ladder = Some(DrawdownLadder::default()));
        for (equity, rung, state) in [
            (9_001, Rung::Clear, AccountState::Active),
            (9_000, Rung::Alert, AccountState::Active),
            (8_501, Rung::Alert, AccountState::Active),
            (8_500, Rung::Tighten, AccountState::Reducing),
            (8_001, Rung::Tighten, AccountState::Reducing),
            (8_000, Rung::Halve, AccountState::Reducing),
            (7_501, Rung::Halve, AccountState::Reducing),
            (7_500, Rung::Kill, AccountState::Halted),
        ] {
            let mut guard = guard(10_000);
            at(&mut guard, &limits, Venture::Simulated, HOUR, equity);
            assert_eq!((guard.rung(), guard.state()), (rung, state), "{equity}");
            assert_eq!(guard.halves_positions(), equity <= 9_000, "{equity}");
        }
    }

    #[test]
    fn an_alert_eases_by_itself_and_nothing_below_it_does() {
        let limits = only(|limits| limits.drawdown_ladder = Some(DrawdownLadder::default()));
        let mut guard = guard(10_000);
        at(&mut guard, &limits, Venture::Live, HOUR, 9_000);
        let eased = at(&mut guard, &limits, Venture::Live, 2 * HOUR, 9_500);
        assert!(matches!(eased[..], [Measure::Rung { rung: Rung::Clear, .. }]));
        at(&mut guard, &limits, Venture::Live, 3 * HOUR, 8_000);
        assert!(at(&mut guard, &limits, Venture::Live, 4 * HOUR, 10_000).is_empty());
        assert_eq!((guard.rung(), guard.state()), (Rung::Halve, AccountState::Reducing));
        assert_eq!(guard.cause(), Some("drawdown of 20.00 %"));
    }

    #[test]
    fn resuming_takes_a_reason_and_measures_anew() {
        let limits = only(|limits| limits.drawdown_ladder = Some(DrawdownLadder::default()));
        let mut guard = guard(10_000);
        assert_eq!(guard.resume(Nanos(0), "why not"), Err(OrderError::NothingToResume));
        at(&mut guard, &limits, Venture::Live, HOUR, 7_000);
        assert_eq!(guard.resume(Nanos(HOUR), "  "), Err(OrderError::NoReason));
        let measure = guard.resume(Nanos(HOUR), "the feed was wrong").unwrap();
        guard.apply(Nanos(HOUR), &measure);
        assert_eq!(
            (guard.state(), guard.rung(), guard.cause(), guard.peak()),
            (AccountState::Active, Rung::Clear, None, money(7_000))
        );
        assert!(at(&mut guard, &limits, Venture::Live, 2 * HOUR, 6_301).is_empty());
        assert_eq!(at(&mut guard, &limits, Venture::Live, 3 * HOUR, 6_300).len(), 1, "10 % of 7,000");
    }

    #[test]
    fn a_day_may_lose_less_than_5_percent_of_what_it_started_with() {
        let limits = only(|limits| limits.daily_loss = Some(DailyLoss::default()));
        for (equity, stops) in [(9_501, false), (9_500, true), (9_499, true)] {
            let mut guard = guard(10_000);
            at(&mut guard, &limits, Venture::Simulated, HOUR, equity);
            assert_eq!(guard.daily_stop().is_some(), stops, "{equity}");
        }
        // 12,000 at the day's highest is not what it started with.
        let mut guard = guard(10_000);
        at(&mut guard, &limits, Venture::Simulated, HOUR, 12_000);
        assert!(at(&mut guard, &limits, Venture::Simulated, 2 * HOUR, 9_501).is_empty());
        // The next day starts with what it found at midnight, or last before it.
        at(&mut guard, &limits, Venture::Simulated, 24 * HOUR, 9_600);
        assert!(at(&mut guard, &limits, Venture::Simulated, 25 * HOUR, 9_121).is_empty());
        assert_eq!(at(&mut guard, &limits, Venture::Simulated, 26 * HOUR, 9_120).len(), 1);
        let mut late = super::tests::guard(10_000);
        at(&mut late, &limits, Venture::Simulated, 23 * HOUR, 9_700);
        assert!(at(&mut late, &limits, Venture::Simulated, 25 * HOUR, 9_216).is_empty());
        assert_eq!(at(&mut late, &limits, Venture::Simulated, 26 * HOUR, 9_215).len(), 1, "5 % of 9,700");
    }

    #[test]
    fn the_stop_lasts_60_minutes_and_if_still_below_until_the_next_utc_day() {
        let limits = only(|limits| limits.daily_loss = Some(DailyLoss::default()));
        let mut recovered = guard(10_000);
        at(&mut recovered, &limits, Venture::Live, HOUR, 9_400);
        at(&mut recovered, &limits, Venture::Live, HOUR + 60 * MINUTE - 1, 9_600);
        assert!(recovered.daily_stop().is_some());
        at(&mut recovered, &limits, Venture::Live, HOUR + 60 * MINUTE, 9_600);
        assert!(recovered.daily_stop().is_none());

        let mut below = guard(10_000);
        at(&mut below, &limits, Venture::Live, HOUR, 9_400);
        at(&mut below, &limits, Venture::Live, 2 * HOUR, 9_500);
        assert_eq!(below.daily_stop().unwrap().until, Nanos(24 * HOUR));
        at(&mut below, &limits, Venture::Live, 3 * HOUR, 9_900);
        assert!(below.daily_stop().is_some(), "until the day is over, whatever happens in it");
        at(&mut below, &limits, Venture::Live, 24 * HOUR, 9_000);
        assert!(below.daily_stop().is_none(), "a new day starts with what it finds");
    }

    #[test]
    fn a_breached_limit_opens_the_breaker_for_60_minutes() {
        let mut paper = guard(10_000);
        let due = at(&mut paper, &limits(), Venture::Paper, HOUR, 9_400);
        assert!(matches!(due[..], [Measure::DailyStop(_), Measure::BreakerOpened(_)]), "{due:?}");
        assert!(!paper.takes_risk());
        at(&mut paper, &limits(), Venture::Paper, 2 * HOUR - 1, 9_900);
        assert!(paper.breaker().is_some());
        at(&mut paper, &limits(), Venture::Paper, 2 * HOUR, 9_900);
        assert!(paper.breaker().is_none() && paper.takes_risk());
    }

    #[test]
    fn a_breaker_never_closes_into_live_by_itself() {
        let mut live = guard(10_000);
        at(&mut live, &limits(), Venture::Live, HOUR, 9_400);
        assert!(matches!(live.resume(Nanos(HOUR), "looks fine"), Err(OrderError::CoolingDown { .. })));
        at(&mut live, &limits(), Venture::Live, 30 * HOUR, 9_400);
        assert!(live.breaker().is_some());
        let measure = live.resume(Nanos(30 * HOUR), "looked into it").unwrap();
        live.apply(Nanos(30 * HOUR), &measure);
        assert!(live.takes_risk());
    }

    #[test]
    fn troubles_open_the_breaker_when_they_come_together() {
        let rule = CircuitBreaker::default();
        for (trouble, count, cause) in [
            (Trouble::VenueError, rule.venue_errors, "venue-errors"),
            (Trouble::SlowAnswer { milliseconds: rule.slow_ms + 1 }, rule.slow_answers, "slow-answers"),
            (Trouble::SandboxFault, rule.faults, "sandbox-faults"),
        ] {
            let mut guard = guard(10_000);
            for number in 1..=count {
                let now = Nanos(i64::from(number) * 1_000_000_000);
                for measure in guard.trouble(&limits(), now, trouble) {
                    guard.apply(now, &measure);
                }
                assert_eq!(guard.breaker().is_some(), number == count, "{cause} {number}");
            }
            assert_eq!(guard.breaker().unwrap().cause, cause);
            // Far apart they are what happens.
            let mut patient = super::tests::guard(10_000);
            for number in 1..=3 * count {
                let now = Nanos(i64::from(number) * HOUR);
                for measure in patient.trouble(&limits(), now, trouble) {
                    patient.apply(now, &measure);
                }
            }
            assert!(patient.breaker().is_none(), "{cause}");
        }
        let quick = Trouble::SlowAnswer { milliseconds: rule.slow_ms };
        let mut guard = guard(10_000);
        for _ in 0..100 {
            for measure in guard.trouble(&limits(), Nanos(1), quick) {
                guard.apply(Nanos(1), &measure);
            }
        }
        assert!(guard.breaker().is_none(), "an answer in time is none");
    }

    #[test]
    fn what_was_kept_is_what_was() {
        let mut guard = guard(10_000);
        at(&mut guard, &limits(), Venture::Live, HOUR, 8_400);
        guard.apply(Nanos(HOUR), &Measure::Ordered { state: AccountState::Halted, cause: "kill".to_owned() });
        guard.sent(Nanos(HOUR));
        let kept = serde_json::to_string(&guard).unwrap();
        let restored: AccountGuard = serde_json::from_str(&kept).unwrap();
        assert_eq!(restored, guard);
        let mut other = AccountGuard::default();
        other.apply(Nanos(2 * HOUR), &Measure::Restored(Box::new(restored)));
        assert_eq!((other.state(), other.cause()), (AccountState::Halted, Some("kill")));
    }

    #[test]
    fn a_clock_that_goes_back_changes_no_day() {
        let mut guard = guard(10_000);
        at(&mut guard, &limits(), Venture::Live, 25 * HOUR, 10_000);
        at(&mut guard, &limits(), Venture::Live, 2 * HOUR, 9_600);
        assert_eq!(guard.seen(), Nanos(25 * HOUR));
        assert!(guard.daily_stop().is_none());
        at(&mut guard, &limits(), Venture::Live, 26 * HOUR, 9_500);
        assert!(guard.daily_stop().is_some(), "the day still starts with 10,000");
    }
}
