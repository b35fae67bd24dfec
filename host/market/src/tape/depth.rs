//! Binance's rules for keeping a book: which depth frames continue it, and when it is not known any more.

use std::collections::VecDeque;

use tiltyard_model::Nanos;
use tiltyard_model::tape::DepthChange;

use super::TapeReport;

/// Whose rules hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Market {
    Spot,
    UsdM,
}

impl Market {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Spot => "spot",
            Self::UsdM => "USD-M futures",
        }
    }
}

/// What changed in a book from one update to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DepthFrame {
    pub(super) market: Market,
    /// The last update that it does not contain: `pu`, or on spot `U` − 1.
    pub(super) after: u64,
    /// The last update that it contains: `u`.
    pub(super) last: u64,
    pub(super) happened: Option<Nanos>,
    pub(super) change: DepthChange,
}

/// All levels of a book, or the best of them, as of an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Snapshot {
    /// `lastUpdateId`.
    pub(super) last: u64,
    pub(super) happened: Option<Nanos>,
    pub(super) change: DepthChange,
}

/// A change that continues the book as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) update: Option<u64>,
    pub(super) happened: Option<Nanos>,
    pub(super) change: DepthChange,
}

/// As of which update the book is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    /// Of none: frames wait for a snapshot.
    Nothing,
    /// Of a snapshot; the next frame has to contain what follows it.
    Snapshot(u64),
    /// Of a frame; the next has to follow it.
    Frame(u64),
}

/// Keeps to the rules.
#[derive(Debug)]
pub(super) struct Depth {
    known: Known,
    waiting: VecDeque<DepthFrame>,
    waiting_levels: usize,
    /// Most levels that wait; of more, the oldest go.
    most_levels: usize,
    had_snapshot: bool,
}

impl Depth {
    /// Levels that wait for a snapshot at most: some 40 MB, and hours of a busy market.
    const WAITING_LEVELS: usize = 1 << 20;

    pub(super) fn new() -> Self {
        Self {
            known: Known::Nothing,
            waiting: VecDeque::new(),
            waiting_levels: 0,
            most_levels: Self::WAITING_LEVELS,
            had_snapshot: false,
        }
    }

    /// What a frame does to the book.
    pub(super) fn frame(&mut self, frame: DepthFrame, report: &mut TapeReport) -> Option<Change> {
        let (is_stale, follows) = match self.known {
            Known::Nothing => {
                self.wait(frame, report);
                return None;
            }
            // A frame contains everything after `after`, so that one which begins at the snapshot or before it leaves nothing out.
            Known::Snapshot(id) => (frame.last <= id, frame.after <= id),
            Known::Frame(last) => match frame.market {
                Market::Spot => (frame.last <= last, frame.after <= last),
                Market::UsdM => (false, frame.after == last),
            },
        };
        if is_stale {
            report.stale_depth += 1;
            return None;
        }
        if !follows {
            report.gaps += 1;
            self.known = Known::Nothing;
            let unknown = Change { update: None, happened: frame.happened, change: DepthChange::unknown() };
            self.wait(frame, report);
            return Some(unknown);
        }
        self.known = Known::Frame(frame.last);
        Some(Change { update: Some(frame.last), happened: frame.happened, change: frame.change })
    }

    /// What a snapshot, and the frames that waited for it, do to the book.
    pub(super) fn snapshot(&mut self, snapshot: Snapshot, report: &mut TapeReport) -> Vec<Change> {
        let is_usable = match self.known {
            Known::Nothing => {
                // What the snapshot contains never has to wait again.
                while self.waiting.front().is_some_and(|frame| frame.last <= snapshot.last) {
                    self.take_waiting(report);
                    report.stale_depth += 1;
                }
                self.waiting.front().is_none_or(|frame| frame.after <= snapshot.last)
            }
            // The book goes on without it, unless frames before the snapshot are missing and nobody has noticed yet.
            Known::Snapshot(last) | Known::Frame(last) => snapshot.last > last,
        };
        if !is_usable {
            report.unused_snapshots += 1;
            return Vec::new();
        }
        report.resynchronisations += u64::from(self.had_snapshot);
        self.had_snapshot = true;
        self.known = Known::Snapshot(snapshot.last);
        let mut changes =
            vec![Change { update: Some(snapshot.last), happened: snapshot.happened, change: snapshot.change }];
        for _ in 0..self.waiting.len() {
            let Some(frame) = self.take_waiting(report) else { break };
            changes.extend(self.frame(frame, report));
        }
        changes
    }

    fn wait(&mut self, frame: DepthFrame, report: &mut TapeReport) {
        self.waiting_levels += weight(&frame);
        self.waiting.push_back(frame);
        report.depth_without_book += 1;
        while self.waiting_levels > self.most_levels {
            let Some(oldest) = self.waiting.pop_front() else { break };
            self.waiting_levels -= weight(&oldest);
        }
    }

    fn take_waiting(&mut self, report: &mut TapeReport) -> Option<DepthFrame> {
        let frame = self.waiting.pop_front()?;
        self.waiting_levels -= weight(&frame);
        report.depth_without_book -= 1;
        Some(frame)
    }
}

/// A frame without levels takes memory too: about as much as two of them.
fn weight(frame: &DepthFrame) -> usize {
    frame.change.bids.len() + frame.change.asks.len() + 2
}

#[cfg(test)]
mod tests {
    use super::{Change, Depth, DepthFrame, Market, Snapshot};
    use crate::TapeReport;
    use tiltyard_model::tape::{DepthChange, Level};
    use tiltyard_model::{Decimal, Price, Qty};

    /// A change that is known again by its one bid.
    fn change(bid: u64) -> DepthChange {
        let level = Level { price: Price(Decimal::from(bid)), size: Qty(Decimal::ONE) };
        DepthChange { bids: vec![level], ..DepthChange::default() }
    }

    fn spot(first: u64, last: u64) -> DepthFrame {
        DepthFrame { market: Market::Spot, after: first - 1, last, happened: None, change: change(last) }
    }

    fn usdm(previous: u64, last: u64) -> DepthFrame {
        DepthFrame { market: Market::UsdM, after: previous, last, happened: None, change: change(last) }
    }

    fn snapshot(last: u64) -> Snapshot {
        Snapshot { last, happened: None, change: DepthChange { whole: true, ..change(last) } }
    }

    /// A book that is told what comes, and the updates its changes say, 0 where they say that it is not known.
    struct Told {
        depth: Depth,
        report: TapeReport,
    }

    impl Told {
        fn new() -> Self {
            Self { depth: Depth::new(), report: TapeReport::default() }
        }

        fn frame(&mut self, frame: DepthFrame) -> Vec<u64> {
            let change = self.depth.frame(frame, &mut self.report);
            updates(&change.into_iter().collect::<Vec<_>>())
        }

        fn snapshot(&mut self, snapshot: Snapshot) -> Vec<u64> {
            updates(&self.depth.snapshot(snapshot, &mut self.report))
        }
    }

    fn updates(changes: &[Change]) -> Vec<u64> {
        for change in changes {
            assert_eq!(change.update.is_none(), change.change == DepthChange::unknown());
        }
        changes.iter().map(|change| change.update.unwrap_or(0)).collect()
    }

    #[test]
    fn frames_wait_for_a_snapshot_and_those_it_contains_are_dropped() {
        let mut book = Told::new();
        for frame in [spot(1, 5), spot(6, 10), spot(11, 15), spot(16, 20)] {
            assert!(book.frame(frame).is_empty());
        }
        assert_eq!(book.report.depth_without_book, 4);
        assert_eq!(book.snapshot(snapshot(10)), [10, 15, 20]);
        assert_eq!(book.frame(spot(21, 22)), [22]);
        assert_eq!((book.report.stale_depth, book.report.depth_without_book, book.report.gaps), (2, 0, 0));
    }

    #[test]
    fn the_first_frame_after_a_snapshot_may_begin_before_it_but_not_later_than_the_next_update() {
        for (first, follows) in [(8, true), (11, true), (12, false)] {
            let mut book = Told::new();
            assert_eq!(book.snapshot(snapshot(10)), [10]);
            assert_eq!(book.frame(spot(first, 15)), [if follows { 15 } else { 0 }], "{first}");
            assert_eq!(book.report.gaps, u64::from(!follows));
        }
        for (previous, follows) in [(7, true), (10, true), (11, false)] {
            let mut book = Told::new();
            assert_eq!(book.snapshot(snapshot(10)), [10]);
            assert!(book.frame(usdm(5, 7)).is_empty());
            assert_eq!(book.frame(usdm(previous, 15)), [if follows { 15 } else { 0 }], "{previous}");
        }
    }

    #[test]
    fn a_snapshot_older_than_all_that_waits_is_not_used() {
        let mut book = Told::new();
        book.frame(spot(20, 25));
        assert!(book.snapshot(snapshot(18)).is_empty());
        assert_eq!((book.report.unused_snapshots, book.report.gaps, book.report.depth_without_book), (1, 0, 1));
        assert_eq!(book.snapshot(snapshot(19)), [19, 25]);
        assert_eq!(book.report.resynchronisations, 0);
    }

    #[test]
    fn on_spot_a_frame_follows_if_it_begins_no_later_than_the_next_update() {
        let mut book = Told::new();
        book.snapshot(snapshot(10));
        assert_eq!(book.frame(spot(11, 15)), [15]);
        assert!(book.frame(spot(12, 15)).is_empty(), "told before");
        assert_eq!(book.frame(spot(14, 18)), [18], "told again in part");
        assert_eq!(book.frame(spot(20, 22)), [0], "19 is missing");
        assert_eq!((book.report.stale_depth, book.report.gaps), (1, 1));
    }

    #[test]
    fn on_usdm_a_frame_follows_only_the_one_it_names() {
        for (previous, follows) in [(15, true), (14, false), (16, false)] {
            let mut book = Told::new();
            book.snapshot(snapshot(10));
            assert_eq!(book.frame(usdm(9, 15)), [15]);
            assert_eq!(book.frame(usdm(previous, 30)), [if follows { 30 } else { 0 }], "{previous}");
        }
    }

    #[test]
    fn after_a_gap_the_book_is_unknown_until_a_snapshot_that_can_be_followed() {
        let mut book = Told::new();
        book.snapshot(snapshot(10));
        assert_eq!(book.frame(usdm(10, 15)), [15]);
        assert_eq!(book.frame(usdm(20, 25)), [0]);
        assert!(book.frame(usdm(25, 30)).is_empty(), "said once");
        assert!(book.snapshot(snapshot(12)).is_empty(), "what is between 12 and 20 is missing");
        assert_eq!(book.snapshot(snapshot(22)), [22, 25, 30]);
        assert_eq!(book.frame(usdm(30, 31)), [31]);
        let report = &book.report;
        assert_eq!((report.gaps, report.resynchronisations, report.unused_snapshots), (1, 1, 1));
        assert_eq!((report.stale_depth, report.depth_without_book), (0, 0));
    }

    #[test]
    fn a_gap_among_waiting_frames_is_found_when_they_are_used() {
        let mut book = Told::new();
        for frame in [usdm(9, 15), usdm(17, 20), usdm(20, 25)] {
            book.frame(frame);
        }
        assert_eq!(book.snapshot(snapshot(10)), [10, 15, 0]);
        assert_eq!(book.snapshot(snapshot(18)), [18, 20, 25]);
        assert_eq!((book.report.gaps, book.report.resynchronisations), (1, 1));
    }

    /// A recorder that connects anew may have the snapshot before the first frame that shows what is missing.
    #[test]
    fn a_snapshot_ahead_of_the_book_begins_it_anew_and_one_behind_does_not() {
        let mut book = Told::new();
        book.snapshot(snapshot(10));
        book.frame(spot(11, 15));
        assert!(book.snapshot(snapshot(14)).is_empty());
        assert_eq!(book.frame(spot(16, 17)), [17]);
        assert_eq!(book.snapshot(snapshot(40)), [40]);
        assert!(book.frame(spot(30, 35)).is_empty());
        assert_eq!(book.frame(spot(36, 42)), [42]);
        assert_eq!((book.report.gaps, book.report.resynchronisations), (0, 1));
    }

    #[test]
    fn of_what_waits_without_end_the_oldest_goes() {
        let mut book = Told::new();
        book.depth.most_levels = 9;
        for last in 1..=10 {
            book.frame(spot(last, last));
        }
        assert_eq!((book.depth.waiting.len(), book.depth.waiting_levels), (3, 9));
        assert!(book.snapshot(snapshot(6)).is_empty(), "7 is gone");
        assert_eq!(book.snapshot(snapshot(7)), [7, 8, 9, 10]);
        assert_eq!((book.report.depth_without_book, book.depth.waiting_levels), (7, 0));
    }
}
