use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use tiltyard_model::Nanos;

use crate::rules::Setting;

/// `circuit-breaker`: opens on a breached limit and on troubles that come together; while it is open no new risk is taken. It
/// closes by itself where no money is at stake, after its cool-down; a live account's is closed by a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CircuitBreaker {
    /// Minutes that it stays open at least.
    pub cool_down_minutes: u32,
    /// Troubles of one kind come together if they come within so many minutes.
    pub within_minutes: u32,
    /// So many errors of the venue open it.
    pub venue_errors: u32,
    /// An answer of the venue is slow that takes more than so many milliseconds.
    pub slow_ms: u32,
    /// So many slow answers open it.
    pub slow_answers: u32,
    /// So many faults of sandboxes open it.
    pub faults: u32,
}

impl Default for CircuitBreaker {
    fn default() -> Self {
        Self { cool_down_minutes: 60, within_minutes: 10, venue_errors: 5, slow_ms: 2_000, slow_answers: 5, faults: 3 }
    }
}

/// Something that went wrong, though no limit was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// The venue refused or failed.
    VenueError,
    /// The venue took its time.
    SlowAnswer {
        /// How long.
        milliseconds: u32,
    },
    /// A strategy stopped, and not well.
    SandboxFault,
}

/// A circuit breaker that is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenBreaker {
    /// When it opened.
    pub since: Nanos,
    /// When its cool-down is over.
    pub until: Nanos,
    /// Why it opened.
    pub cause: String,
}

/// Troubles and when they came, the last ones.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Troubles(VecDeque<(Nanos, Trouble)>);

impl Troubles {
    const REMEMBERED: usize = 1_000;

    pub(super) fn push(&mut self, now: Nanos, trouble: Trouble) {
        if self.0.len() == Self::REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back((now, trouble));
    }
}

impl CircuitBreaker {
    pub(super) fn open(&self, now: Nanos, cause: &str) -> OpenBreaker {
        let cool_down = Nanos::from_secs(60 * i64::from(self.cool_down_minutes));
        OpenBreaker { since: now, until: now + cool_down, cause: cause.to_owned() }
    }

    /// Why one more trouble opens it, if it does.
    pub(super) fn counts(&self, before: &Troubles, now: Nanos, trouble: Trouble) -> Option<&'static str> {
        let (cause, most, matters): (_, _, &dyn Fn(Trouble) -> bool) = match trouble {
            Trouble::VenueError => ("venue-errors", self.venue_errors, &|other| other == Trouble::VenueError),
            Trouble::SlowAnswer { .. } => ("slow-answers", self.slow_answers, &|other| self.is_slow(other)),
            Trouble::SandboxFault => ("sandbox-faults", self.faults, &|other| other == Trouble::SandboxFault),
        };
        let window = Nanos::from_secs(60 * i64::from(self.within_minutes));
        let recent = before.0.iter().filter(|(time, other)| now - *time < window && matters(*other)).count();
        (matters(trouble) && recent + 1 >= most as usize).then_some(cause)
    }

    fn is_slow(&self, trouble: Trouble) -> bool {
        matches!(trouble, Trouble::SlowAnswer { milliseconds } if milliseconds > self.slow_ms)
    }
}

impl Setting for CircuitBreaker {
    fn problems(&self) -> Vec<(&'static str, String)> {
        let counts = [
            ("cool_down_minutes", self.cool_down_minutes, 0, 10_080),
            ("within_minutes", self.within_minutes, 1, 10_080),
            ("venue_errors", self.venue_errors, 1, Troubles::REMEMBERED as u32),
            ("slow_ms", self.slow_ms, 1, 3_600_000),
            ("slow_answers", self.slow_answers, 1, Troubles::REMEMBERED as u32),
            ("faults", self.faults, 1, Troubles::REMEMBERED as u32),
        ];
        let wrong = counts.into_iter().filter(|(_, count, least, most)| !(least..=most).contains(&count));
        wrong.map(|(field, count, least, most)| (field, format!("is {count}; it takes {least} to {most}"))).collect()
    }

    fn is_looser_than(&self, other: &Self) -> bool {
        self.cool_down_minutes < other.cool_down_minutes
            || self.within_minutes < other.within_minutes
            || self.venue_errors > other.venue_errors
            || self.slow_ms > other.slow_ms
            || self.slow_answers > other.slow_answers
            || self.faults > other.faults
    }
}
