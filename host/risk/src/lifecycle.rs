//! How much of its allocation a live strategy trades, by how long and how well it has done.

use std::fmt;

use serde::{Deserialize, Serialize};
use tiltyard_model::{Nanos, is_shown};

/// The share of its allocation that a live strategy trades.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LiveStage {
    /// Nothing, for good. Only another [`Lifecycle`] brings a strategy back.
    Out,
    /// 1 %, for a week.
    One,
    /// 10 %, until a month of positive Sharpe ratio.
    Ten,
    /// 50 %, until three months of positive Sharpe ratio.
    Fifty,
    /// 100 %.
    Full,
}

/// Where a live strategy stands.
///
/// Steps up take time, a positive out-of-sample Sharpe ratio from 10 % on, and a person: [`observe`](Self::observe)
/// proposes, [`approve`](Self::approve) makes the step. Time counts from the beginning of the stage, so that a strategy
/// that fell back has to wait again. Steps down come of [`close_month`](Self::close_month), at once and by themselves.
///
/// Kept by serde. One that was read back and has [`problems`](Self::problems) must not trade.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lifecycle {
    stage: LiveStage,
    /// When the stage began.
    since: Nanos,
    /// The latest time that was given. Nothing goes up before it.
    seen: Nanos,
    /// The end of the last month that was closed, at first the start.
    month_end: Nanos,
    /// Losing months in a row.
    losing_months: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    proposal: Option<StepUp>,
}

/// A step up that waits for a person.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepUp {
    /// From this stage.
    pub from: LiveStage,
    /// To this one, the next.
    pub to: LiveStage,
    /// When it was first proposed.
    pub proposed: Nanos,
    /// The Sharpe ratio that speaks for it when last observed; `None` where the stage asks for none.
    pub sharpe: Option<f64>,
}

/// A step that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiveStep {
    /// When.
    pub at: Nanos,
    /// From this stage.
    pub from: LiveStage,
    /// To this one.
    pub to: LiveStage,
    /// Why.
    pub cause: StepCause,
}

/// Why a step was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum StepCause {
    /// A person approved it.
    Approved {
        /// Who.
        by: String,
        /// With what reason.
        reason: String,
    },
    /// So many losing months in a row.
    LosingMonths(u32),
}

/// Why there is no step up.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Waiting {
    /// The stage has none above it.
    Final,
    /// The stage began too recently.
    Time {
        /// How long it has lasted.
        lasted: Nanos,
        /// How long it has to.
        needed: Nanos,
    },
    /// The Sharpe ratio is not above 0, or not a number.
    Sharpe,
    /// There is no Sharpe ratio.
    NoSharpe,
    /// The last month that was closed lost.
    LosingMonth,
    /// The clock is behind what it was. A proposal that stood is withdrawn.
    ClockWentBack {
        /// The latest time that was given before.
        seen: Nanos,
    },
}

/// Why a person's approval makes no step.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApprovalError {
    /// There is nothing to approve.
    #[error("no step up is proposed")]
    NoProposal,
    /// Something else is proposed.
    #[error("the step that is proposed is to {proposed}, not to {approved}; look at it again")]
    AnotherStage {
        /// What is proposed.
        proposed: LiveStage,
        /// What was approved.
        approved: LiveStage,
    },
    /// The approval has to say this.
    #[error("the approval has no {field}; give 1 to {most} bytes without control characters", most = Lifecycle::MOST_TEXT)]
    NoText {
        /// `name` or `reason`.
        field: &'static str,
    },
    /// The clock is behind what it was.
    #[error("the clock says {now}, but {seen} was seen before; set it right and observe again")]
    ClockWentBack {
        /// The latest time that was given before.
        seen: Nanos,
        /// The time of the approval.
        now: Nanos,
    },
}

/// A month that is not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the month that ends at {end} is not after {last}, the end of the last one; months are closed once and in order"
)]
pub struct MonthError {
    /// Its end.
    pub end: Nanos,
    /// The end of the last month that was closed, or the start.
    pub last: Nanos,
}

impl LiveStage {
    /// The share of the allocation, as a fraction.
    #[must_use]
    pub fn share(self) -> f64 {
        match self {
            Self::Out => 0.0,
            Self::One => 0.01,
            Self::Ten => 0.1,
            Self::Fifty => 0.5,
            Self::Full => 1.0,
        }
    }

    /// The next stage up, and how long this one lasts at least; `None` where there is none.
    #[must_use]
    pub fn next(self) -> Option<(Self, Nanos)> {
        match self {
            Self::One => Some((Self::Ten, Nanos::from_hours(7 * 24))),
            Self::Ten => Some((Self::Fifty, Nanos::from_hours(30 * 24))),
            Self::Fifty => Some((Self::Full, Nanos::from_hours(90 * 24))),
            Self::Full | Self::Out => None,
        }
    }

    /// Whether the step up from here takes a positive Sharpe ratio. A week is too short for one.
    #[must_use]
    pub fn asks_for_sharpe(self) -> bool {
        matches!(self, Self::Ten | Self::Fifty)
    }
}

impl Lifecycle {
    /// Losing months in a row that take a strategy back to 50 %.
    pub const MONTHS_TO_FIFTY: u32 = 2;
    /// Losing months in a row that take a strategy out.
    pub const MONTHS_TO_OUT: u32 = 3;
    /// Longest name or reason of an approval, in bytes.
    pub const MOST_TEXT: usize = 1_000;

    /// A strategy that goes live now, with 1 %.
    #[must_use]
    pub fn start(now: Nanos) -> Self {
        Self { stage: LiveStage::One, since: now, seen: now, month_end: now, losing_months: 0, proposal: None }
    }

    /// Where it stands.
    #[must_use]
    pub fn stage(&self) -> LiveStage {
        self.stage
    }

    /// When the stage began.
    #[must_use]
    pub fn since(&self) -> Nanos {
        self.since
    }

    /// Losing months in a row.
    #[must_use]
    pub fn losing_months(&self) -> u32 {
        self.losing_months
    }

    /// The step up that waits for a person.
    #[must_use]
    pub fn proposal(&self) -> Option<StepUp> {
        self.proposal
    }

    /// What is wrong with one that was read back, one sentence each; empty if nothing is.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.seen < self.since {
            problems.push(format!("seen is {}, before since, which is {}", self.seen, self.since));
        }
        let out = self.losing_months >= Self::MONTHS_TO_OUT;
        if out && self.stage != LiveStage::Out {
            problems.push(format!("stage is {} after {} losing months", self.stage, self.losing_months));
        }
        if self.losing_months >= Self::MONTHS_TO_FIFTY && self.stage == LiveStage::Full {
            problems.push(format!("stage is {} after {} losing months", self.stage, self.losing_months));
        }
        if let Some(step) = self.proposal {
            if step.from != self.stage || self.stage.next().map(|(to, _)| to) != Some(step.to) {
                problems.push(format!("a step from {} to {} is proposed at {}", step.from, step.to, self.stage));
            }
            if step.proposed < self.since || step.proposed > self.seen {
                problems.push(format!("the proposal is of {}, outside of its stage", step.proposed));
            }
        }
        problems
    }

    /// Looks whether a step up is due, and proposes it if so. Asked again, a proposal stands while all that it takes
    /// still holds, and is withdrawn otherwise.
    ///
    /// `sharpe` is the out-of-sample Sharpe ratio of the live returns since the stage began, `None` while there is none;
    /// only its sign counts.
    ///
    /// # Errors
    /// [`Waiting`] says why there is none.
    pub fn observe(&mut self, now: Nanos, sharpe: Option<f64>) -> Result<StepUp, Waiting> {
        let due = self.due(now, sharpe);
        self.seen = self.seen.max(now);
        self.proposal = due.ok();
        due
    }

    fn due(&self, now: Nanos, sharpe: Option<f64>) -> Result<StepUp, Waiting> {
        if now < self.seen {
            return Err(Waiting::ClockWentBack { seen: self.seen });
        }
        let (to, needed) = self.stage.next().ok_or(Waiting::Final)?;
        let lasted = now - self.since;
        if lasted < needed {
            return Err(Waiting::Time { lasted, needed });
        }
        if self.losing_months > 0 {
            return Err(Waiting::LosingMonth);
        }
        let sharpe = if self.stage.asks_for_sharpe() { Some(sharpe.ok_or(Waiting::NoSharpe)?) } else { None };
        if sharpe.is_some_and(|sharpe| !(sharpe.is_finite() && sharpe > 0.0)) {
            return Err(Waiting::Sharpe);
        }
        let proposed = self.proposal.map_or(now, |standing| standing.proposed);
        Ok(StepUp { from: self.stage, to, proposed, sharpe })
    }

    /// Makes the step that is proposed. The approver says to which stage, so that nobody approves what he did not see.
    ///
    /// # Errors
    /// [`ApprovalError`]; the stage is what it was.
    pub fn approve(&mut self, now: Nanos, to: LiveStage, by: &str, reason: &str) -> Result<LiveStep, ApprovalError> {
        let step = self.proposal.ok_or(ApprovalError::NoProposal)?;
        if now < self.seen {
            return Err(ApprovalError::ClockWentBack { seen: self.seen, now });
        }
        if step.to != to {
            return Err(ApprovalError::AnotherStage { proposed: step.to, approved: to });
        }
        for (field, text) in [("name", by), ("reason", reason)] {
            if text.trim().is_empty() || text.len() > Self::MOST_TEXT || !is_shown(text) {
                return Err(ApprovalError::NoText { field });
            }
        }
        let cause = StepCause::Approved { by: by.to_owned(), reason: reason.to_owned() };
        Ok(self.step(now, to, cause))
    }

    /// Counts a month of live trading: a calendar month (UTC), or what of it the strategy was live. `gain` is its return;
    /// below 0, or no number, it is a losing month. A month of exactly 0 neither loses nor ends a row of losing months.
    ///
    /// Two losing months in a row take 100 % back to 50 %, three take any stage out. A month that is never closed does not
    /// end a row either.
    ///
    /// # Errors
    /// A month that does not end after the last one is not counted.
    pub fn close_month(&mut self, end: Nanos, gain: f64) -> Result<Option<LiveStep>, MonthError> {
        if end <= self.month_end {
            return Err(MonthError { end, last: self.month_end });
        }
        self.month_end = end;
        self.seen = self.seen.max(end);
        if gain > 0.0 && gain.is_finite() {
            self.losing_months = 0;
        } else if gain != 0.0 {
            self.losing_months = self.losing_months.saturating_add(1);
            self.proposal = None;
        }
        let to = match self.losing_months {
            Self::MONTHS_TO_OUT.. => LiveStage::Out,
            Self::MONTHS_TO_FIFTY => self.stage.min(LiveStage::Fifty),
            _ => self.stage,
        };
        let cause = StepCause::LosingMonths(self.losing_months);
        Ok((to < self.stage).then(|| self.step(self.seen, to, cause)))
    }

    fn step(&mut self, at: Nanos, to: LiveStage, cause: StepCause) -> LiveStep {
        let from = std::mem::replace(&mut self.stage, to);
        (self.since, self.seen, self.proposal) = (at, at, None);
        LiveStep { at, from, to, cause }
    }
}

impl fmt::Display for LiveStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Out => "out",
            Self::One => "1 %",
            Self::Ten => "10 %",
            Self::Fifty => "50 %",
            Self::Full => "100 %",
        })
    }
}

#[cfg(test)]
mod tests;
