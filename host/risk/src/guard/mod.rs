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

    /// What follows from a limit of a strategy that was breached.
    #[must_use]
    pub fn breached(&self, limits: &Limits, now: Nanos, cause: &str) -> Option<Measure> {
        let rule = limits.circuit_breaker.as_ref().filter(|_| self.breaker.is_none())?;
        Some(Measure::BreakerOpened(rule.open(now, cause)))
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
                // Only a person's word to resume, with a reason, makes it less strict.
                if *state > self.ordered {
                    (self.ordered, self.cause) = (*state, Some(cause.clone()));
                }
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
            // Nothing was seen before: it was kept by a person's word alone.
            None if self.last == Money::ZERO => Day { number, start: equity },
            _ => Day { number, start: self.last },
        }
    }
}

#[cfg(test)]
mod tests;
