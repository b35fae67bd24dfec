//! What was found on a tape, and what it lacks.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

use serde::{Deserialize, Serialize};
use tiltyard_model::{Nanos, shown};

use crate::format_time;

/// Frames by kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct FrameCounts {
    /// `bookTicker`.
    pub quotes: u64,
    /// `trade`.
    pub trades: u64,
    /// `aggTrade`.
    pub aggregate_trades: u64,
    /// `depthUpdate`.
    pub depth: u64,
    /// Depth snapshots.
    pub snapshots: u64,
    /// `markPriceUpdate`, of which no event is made.
    pub mark_prices: u64,
    /// Frames of these kinds that are another symbol's.
    pub other_symbols: u64,
    /// Other kinds by the names they have, of which no event is made: at most [`FrameCounts::NAMED_KINDS`] names.
    pub other_kinds: BTreeMap<String, u64>,
    /// Frames of kinds beyond those.
    pub unnamed_kinds: u64,
}

impl FrameCounts {
    /// Most names of other kinds.
    pub const NAMED_KINDS: usize = 20;

    /// Frames of all kinds.
    #[must_use]
    pub fn all(&self) -> u64 {
        self.of_symbol() + self.other_symbols + self.other_kinds.values().sum::<u64>() + self.unnamed_kinds
    }

    /// Frames of known kinds of the tape's symbol.
    pub(super) fn of_symbol(&self) -> u64 {
        self.quotes + self.trades + self.aggregate_trades + self.depth + self.snapshots + self.mark_prices
    }

    pub(super) fn add_other(&mut self, kind: &str) {
        let is_full = self.other_kinds.len() >= Self::NAMED_KINDS;
        match self.other_kinds.entry(shown(kind, 40)) {
            Entry::Occupied(mut count) => *count.get_mut() += 1,
            Entry::Vacant(_) if is_full => self.unnamed_kinds += 1,
            Entry::Vacant(count) => _ = count.insert(1),
        }
    }
}

/// What was found on a tape, and what it lacks. Whole once the tape has been read to its end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct TapeReport {
    /// When the first frame was received.
    pub first: Option<Nanos>,
    /// When the last frame was received, by the latest time of all.
    pub last: Option<Nanos>,
    /// Lines with a frame.
    pub lines: u64,
    /// Frames by kind.
    pub frames: FrameCounts,
    /// Events made of them.
    pub events: u64,
    /// Lines that could not be read and were left out.
    pub damaged_lines: u64,
    /// Lines with a receive time before the one of a line above; they have the time of that.
    pub clock_steps_back: u64,
    /// How far the clock went back at most.
    pub largest_step_back: Nanos,
    /// How often depth was missing, so that the book was not known until the next snapshot.
    pub gaps: u64,
    /// How often a snapshot after the first one began the book anew.
    pub resynchronisations: u64,
    /// Snapshots that were older than the book, or than all depth that is there to follow them.
    pub unused_snapshots: u64,
    /// Depth frames that say nothing a snapshot or a frame before did not.
    pub stale_depth: u64,
    /// Depth frames for which there was no snapshot.
    pub depth_without_book: u64,
    /// Trades that are missing, by their numbers.
    pub missing_trades: u64,
    /// Trades that came once more.
    pub repeated_trades: u64,
    /// Trades that were not made on the book: of the insurance fund, of deleveraging.
    pub off_book_trades: u64,
    /// Trades that the other of the two streams, `trade` and `aggTrade`, tells already.
    pub twice_told_trades: u64,
}

impl fmt::Display for TapeReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "events: {}; frames: {}", self.events, self.frames.all())?;
        if let (Some(first), Some(last)) = (self.first, self.last) {
            write!(f, "; received from {} to {}", format_time(first), format_time(last))?;
        }
        let frames = &self.frames;
        for (count, what) in [
            (frames.quotes, "quotes"),
            (frames.trades, "trades"),
            (frames.aggregate_trades, "aggregate trades"),
            (frames.depth, "depth frames"),
            (frames.snapshots, "snapshots"),
            (frames.mark_prices, "mark prices, not used"),
            (frames.other_symbols, "frames of other symbols, left out"),
        ] {
            note(f, count, what)?;
        }
        for (kind, count) in &frames.other_kinds {
            write!(f, "; unknown kind `{kind}`: {count}")?;
        }
        for (count, what) in [
            (frames.unnamed_kinds, "further unknown kinds"),
            (self.damaged_lines, "damaged lines, left out"),
            (self.gaps, "gaps in depth"),
            (self.resynchronisations, "resynchronisations"),
            (self.unused_snapshots, "snapshots without use"),
            (self.stale_depth, "depth frames older than the book"),
            (self.depth_without_book, "depth frames without a snapshot"),
            (self.missing_trades, "trades missing"),
            (self.repeated_trades, "repeated trades, left out"),
            (self.off_book_trades, "trades off the book, left out"),
            (self.twice_told_trades, "trades that another stream tells, left out"),
        ] {
            note(f, count, what)?;
        }
        if self.clock_steps_back > 0 {
            write!(f, "; clock steps back: {}, at most {}", self.clock_steps_back, self.largest_step_back)?;
        }
        Ok(())
    }
}

fn note(f: &mut fmt::Formatter<'_>, count: u64, what: &str) -> fmt::Result {
    if count == 0 { Ok(()) } else { write!(f, "; {what}: {count}") }
}

#[cfg(test)]
mod tests {
    use super::{FrameCounts, TapeReport};
    use tiltyard_model::Nanos;

    #[test]
    fn twenty_unknown_kinds_are_named_and_the_rest_is_counted() {
        let mut frames = FrameCounts::default();
        for kind in 0..25 {
            frames.add_other(&format!("kind {kind}"));
            frames.add_other("kind 3");
        }
        assert_eq!((frames.other_kinds.len(), frames.unnamed_kinds, frames.all()), (20, 5, 50));
        frames.add_other(&"\x1b".repeat(1_000));
        assert_eq!(frames.unnamed_kinds, 6);
    }

    #[test]
    fn what_there_is_not_is_not_mentioned() {
        let mut report = TapeReport::default();
        assert_eq!(report.to_string(), "events: 0; frames: 0");
        report.frames.quotes = 3;
        report.frames.add_other("kline_1m");
        report.events = 3;
        report.first = Some(Nanos(0));
        report.last = Some(Nanos::from_secs(60));
        report.gaps = 1;
        report.clock_steps_back = 2;
        report.largest_step_back = Nanos(500);
        assert_eq!(
            report.to_string(),
            "events: 3; frames: 4; received from 1970-01-01T00:00:00Z to 1970-01-01T00:01:00Z; quotes: 3; \
             unknown kind `kline_1m`: 1; gaps in depth: 1; clock steps back: 2, at most 500 ns"
        );
    }
}
