//! How time is divided.

use serde::Serialize;
use tiltyard_model::Nanos;

/// How time is divided into windows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Splitting {
    /// All of it at once: every variant is judged by what it was chosen from.
    #[default]
    Single,
    /// Walk-forward: chosen on one window, judged on the next.
    Walk(Walk),
}

/// A walk-forward division.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Walk {
    /// Length of the windows that variants are chosen on; of the first one, if they are anchored.
    pub train: Nanos,
    /// Length of the windows that they are judged on.
    pub test: Nanos,
    /// From one test to the next, at least its length.
    pub step: Nanos,
    /// Time that is left out between a train window and its test.
    pub embargo: Nanos,
    /// Whether every train window begins where the first one does.
    pub anchored: bool,
}

/// A stretch of time: what closes after `from`, and at `to` or earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Span {
    /// Where it begins.
    pub from: Nanos,
    /// Where it ends.
    pub to: Nanos,
}

/// A window to choose on and one to judge on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Split {
    /// What variants are chosen on; absent where nothing is chosen.
    pub train: Option<Span>,
    /// What they are judged on.
    pub test: Span,
}

/// Most windows.
pub const MOST_SPLITS: usize = 1_000;

/// Why time cannot be divided so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SplitError {
    /// Not even one test fits.
    #[error(
        "the data has {} days, without its holdout; one train window, embargo and test need {}: shorten them, or bring more data",
        days(*.have), days(*.need)
    )]
    TooShort {
        /// What there is.
        have: Nanos,
        /// What is needed.
        need: Nanos,
    },
    /// More windows than are taken.
    #[error("that makes more than {MOST_SPLITS} windows; take longer steps")]
    TooMany,
}

fn days(span: Nanos) -> f64 {
    (span.0 as f64 / 86_400e9 * 10.0).round() / 10.0
}

impl Splitting {
    /// The windows of a stretch of time, each test after the one before. What is left at the end and too short for a whole test
    /// is a shorter test, if it is at least half of one.
    ///
    /// # Errors
    /// [`SplitError`].
    pub fn splits(&self, whole: Span) -> Result<Vec<Split>, SplitError> {
        let have = whole.to - whole.from;
        let Self::Walk(walk) = self else {
            if have.0 <= 0 {
                return Err(SplitError::TooShort { have, need: Nanos(1) });
            }
            return Ok(vec![Split { train: None, test: whole }]);
        };
        let need = walk.train + walk.embargo + walk.test;
        let least = walk.train + walk.embargo + Nanos(walk.test.0 / 2);
        if have < least {
            return Err(SplitError::TooShort { have, need });
        }
        let mut splits = Vec::new();
        let mut chosen = whole.from + walk.train;
        loop {
            let from = chosen + walk.embargo;
            let to = (from + walk.test).min(whole.to);
            if (to - from).0 < walk.test.0 / 2 || to <= from {
                return Ok(splits);
            }
            if splits.len() == MOST_SPLITS {
                return Err(SplitError::TooMany);
            }
            let begin = if walk.anchored { whole.from } else { chosen - walk.train };
            splits.push(Split { train: Some(Span { from: begin, to: chosen }), test: Span { from, to } });
            chosen = chosen + walk.step;
        }
    }
}

impl Split {
    /// Every window of it, the one that is chosen on first.
    pub fn spans(&self) -> impl Iterator<Item = Span> {
        self.train.into_iter().chain([self.test])
    }
}

#[cfg(test)]
mod tests {
    use super::{Span, Split, SplitError, Splitting, Walk};
    use tiltyard_model::Nanos;

    fn span(from: i64, to: i64) -> Span {
        Span { from: Nanos(from), to: Nanos(to) }
    }

    fn walk(anchored: bool, embargo: i64) -> Splitting {
        Splitting::Walk(Walk { train: Nanos(30), test: Nanos(10), step: Nanos(10), embargo: Nanos(embargo), anchored })
    }

    #[test]
    fn a_single_window_is_judged_as_a_whole() {
        assert_eq!(Splitting::Single.splits(span(0, 100)).unwrap(), [Split { train: None, test: span(0, 100) }]);
        assert!(Splitting::Single.splits(span(5, 5)).is_err());
    }

    #[test]
    fn rolling_windows_follow_each_other_and_the_last_may_be_short() {
        let found = walk(false, 0).splits(span(0, 65)).unwrap();
        let windows: Vec<_> = found.iter().map(|split| (split.train.unwrap(), split.test)).collect();
        assert_eq!(
            windows,
            [
                (span(0, 30), span(30, 40)),
                (span(10, 40), span(40, 50)),
                (span(20, 50), span(50, 60)),
                (span(30, 60), span(60, 65)),
            ]
        );
        assert_eq!(walk(false, 0).splits(span(0, 64)).unwrap().len(), 3, "less than half is none");
    }

    #[test]
    fn anchored_windows_begin_together_and_an_embargo_lies_before_the_test() {
        let found = walk(true, 2).splits(span(0, 62)).unwrap();
        assert_eq!(found[2], Split { train: Some(span(0, 50)), test: span(52, 62) });
        assert!(found.windows(2).all(|pair| pair[0].test.to <= pair[1].test.from));
    }

    #[test]
    fn what_is_too_short_or_too_much_is_refused() {
        let error = walk(false, 0).splits(span(0, 34)).unwrap_err();
        assert_eq!(error, SplitError::TooShort { have: Nanos(34), need: Nanos(40) });
        assert_eq!(walk(false, 0).splits(span(0, 1_000_000)), Err(SplitError::TooMany));
    }
}
