//! Comparing what two runs did: the heart of replay and of both probes.

use std::fmt;

use tiltyard_model::Nanos;

use crate::event::{Entry, Event};

/// Where two logs first differ.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// How many events before were the same.
    pub after: usize,
    /// What the one log says; nothing if it has ended.
    pub left: Option<Entry>,
    /// What the other log says.
    pub right: Option<Entry>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |entry: &Option<Entry>| match entry {
            // Every entry has a JSON form; it was made to be written.
            Some(entry) => serde_json::to_string(entry).unwrap_or_else(|error| error.to_string()),
            None => "nothing".to_owned(),
        };
        write!(f, "after {} equal events:\n  one:   {}\n  other: {}", self.after, line(&self.left), line(&self.right))
    }
}

/// The first difference between two logs; `None` if they are the same.
pub fn first_difference<'a>(
    left: impl IntoIterator<Item = &'a Entry>,
    right: impl IntoIterator<Item = &'a Entry>,
) -> Option<Difference> {
    let (mut left, mut right) = (left.into_iter(), right.into_iter());
    for after in 0.. {
        let (one, other) = (left.next(), right.next());
        if one.is_none() && other.is_none() {
            return None;
        }
        if !same(one, other) {
            return Some(Difference { after, left: one.cloned(), right: other.cloned() });
        }
    }
    None
}

/// Whether two entries say the same. A NaN, which says "no number", is like another.
fn same(left: Option<&Entry>, right: Option<&Entry>) -> bool {
    match (left, right) {
        (Some(left), Some(right)) => {
            left == right || serde_json::to_string(left).ok() == serde_json::to_string(right).ok()
        }
        _ => false,
    }
}

/// The first difference between a run and a run of the same that saw the market only up to `until`: nothing that happened
/// by then may depend on what came later. `None` if there is no look-ahead.
#[must_use]
pub fn lookahead(full: &[Entry], prefix: &[Entry], until: Nanos) -> Option<Difference> {
    let seen =
        |entry: &&Entry| entry.time <= until && !matches!(entry.event, Event::Finished { .. } | Event::Tape { .. });
    first_difference(full.iter().filter(seen), prefix.iter().filter(seen))
}

/// The first difference between what two runs of the same window saw, decided and traded, whatever the strategies said.
///
/// Between runs that were warmed up with different amounts of history there is none if the manifest asks for enough; between
/// bars one by one and in columns there is none if a signal strategy keeps its promise.
#[must_use]
pub fn trading(left: &[Entry], right: &[Entry]) -> Option<Difference> {
    first_difference(left.iter().filter(is_trading), right.iter().filter(is_trading))
}

/// Whether an event is about the market or orders, not about what a strategy says or uses.
fn is_trading(entry: &&Entry) -> bool {
    match entry.event {
        Event::Seated { .. }
        | Event::Accepted { .. }
        | Event::Refused { .. }
        | Event::Executed(_)
        | Event::Updated(_)
        | Event::Replaced { .. }
        | Event::Warned { .. }
        | Event::Measure(_)
        | Event::Kept { .. }
        | Event::State { .. }
        | Event::Fault { .. }
        | Event::Bar { .. }
        | Event::Mark { .. }
        | Event::Funding { .. }
        | Event::Interest { .. }
        | Event::Margin { .. }
        | Event::Ended(_)
        | Event::Print { .. }
        | Event::Tape { .. }
        | Event::Instant => true,
        Event::Line { .. } | Event::Metric { .. } | Event::Note { .. } | Event::Finished { .. } => false,
    }
}
