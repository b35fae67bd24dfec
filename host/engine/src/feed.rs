use std::sync::Arc;

use tiltyard_model::tape::Stamped;
use tiltyard_model::{Bar, Columns, Decimal, InstrumentIndex, Nanos};

/// What the market did.
#[derive(Debug, Clone, PartialEq)]
pub enum MarketEvent {
    /// A bar of mark prices closed. It comes before the instrument's own bar of the same time.
    Mark(InstrumentIndex, Bar),
    /// A bar closed.
    Bar(InstrumentIndex, Bar),
    /// Whoever holds the perpetual now pays this part of its value at the mark; who is short receives it.
    Funding(InstrumentIndex, Decimal),
    /// The instrument trades no more: what is held is closed at its last price.
    Ended(InstrumentIndex),
    /// The venue published something: a quote, a trade of others, or depth.
    Tape(InstrumentIndex, Stamped),
}

/// All that happened at one instant.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Step {
    /// The instant. This is the kernel's clock: there is no other.
    pub time: Nanos,
    /// What happened, in the order of instruments; of each its mark, its bar, its funding and its end.
    pub events: Vec<MarketEvent>,
}

impl Step {
    /// Whether there is nothing but what venues published: no bar closed, nothing ended.
    #[must_use]
    pub fn is_of_tape(&self) -> bool {
        self.events.iter().all(|event| matches!(event, MarketEvent::Tape(..)))
    }
}

/// Where the market comes from: a catalogue or a stream.
///
/// A feed is also the clock, because a step carries its time; so the same kernel runs in simulated and in real time.
pub trait Feed {
    /// Puts the next instant into `step`; false when there is none. Times never decrease; bars that close at one instant
    /// come in one step.
    fn next(&mut self, step: &mut Step) -> bool;
}

/// The bars of one instrument in a [`BarFeed`].
#[derive(Debug, Clone)]
pub struct Lane {
    /// The bars, shared by all who replay them; consecutive or with gaps, open times rising.
    pub bars: Arc<Columns>,
    /// The length of one.
    pub interval: Nanos,
    /// The first bar to deliver.
    pub from: usize,
    /// One past the last.
    pub to: usize,
    /// Whether the instrument ends with its last bar.
    pub ends: bool,
    /// Marks and funding of a perpetual.
    pub perpetual: PerpetualSeries,
}

/// What there is of a perpetual beside its bars, shared by all who replay it.
#[derive(Debug, Clone, Default)]
pub struct PerpetualSeries {
    /// Bars of mark prices, by rising open time and as long as the instrument's own. Where there is none of a time, the
    /// instrument's own bar is the mark.
    pub marks: Option<Arc<Columns>>,
    /// Payments, by rising time.
    pub funding: Arc<[FundingRate]>,
}

/// A payment of funding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FundingRate {
    /// When it is made.
    pub time: Nanos,
    /// The part of the notional at the mark that longs pay and shorts receive; below 0 the other way round.
    pub rate: Decimal,
}

impl PerpetualSeries {
    /// The mark bar that opens at this time.
    fn mark_at(&self, open: i64) -> Option<Bar> {
        let marks = self.marks.as_deref()?;
        marks.get(marks.open_time().binary_search(&open).ok()?)
    }

    /// The payments after one time, up to and at another.
    fn funding_between(&self, after: Nanos, until: Nanos) -> &[FundingRate] {
        let at = |time: Nanos| self.funding.partition_point(|payment| payment.time <= time);
        &self.funding[at(after)..at(until).max(at(after))]
    }
}

impl Lane {
    /// All of these bars.
    #[must_use]
    pub fn new(bars: Arc<Columns>, interval: Nanos) -> Self {
        let to = bars.len();
        Self { bars, interval, from: 0, to, ends: false, perpetual: PerpetualSeries::default() }
    }
}

/// Bars from memory, merged by the instant at which they close.
#[derive(Debug, Clone)]
pub struct BarFeed {
    lanes: Vec<Lane>,
}

impl BarFeed {
    /// One lane for each instrument, in their order.
    #[must_use]
    pub fn new(lanes: Vec<Lane>) -> Self {
        Self { lanes }
    }
}

impl Feed for BarFeed {
    fn next(&mut self, step: &mut Step) -> bool {
        step.events.clear();
        let closes =
            |lane: &Lane| (lane.from < lane.to).then(|| Nanos(lane.bars.open_time()[lane.from]) + lane.interval);
        let Some(time) = self.lanes.iter().filter_map(closes).min() else { return false };
        step.time = time;
        for (index, lane) in (0..).map(InstrumentIndex).zip(&mut self.lanes) {
            if closes(lane) != Some(time) {
                continue;
            }
            if let Some(bar) = lane.bars.get(lane.from) {
                step.events.extend(lane.perpetual.mark_at(bar.open_time.0).map(|mark| MarketEvent::Mark(index, mark)));
                step.events.push(MarketEvent::Bar(index, bar));
                let before =
                    lane.from.checked_sub(1).map(|before| Nanos(lane.bars.open_time()[before]) + lane.interval);
                let since = before.unwrap_or(bar.open_time);
                let due = lane.perpetual.funding_between(since, time).iter();
                step.events.extend(due.map(|payment| MarketEvent::Funding(index, payment.rate)));
            }
            lane.from += 1;
            if lane.from == lane.to && lane.ends {
                step.events.push(MarketEvent::Ended(index));
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{BarFeed, Feed, Lane, MarketEvent, Step};
    use tiltyard_model::{Bar, InstrumentIndex, Nanos};

    #[test]
    fn bars_of_different_lengths_meet_when_they_close() {
        let lane = |interval: i64, count: i64, ends| {
            let bar = |at: i64| {
                let price = at as f64 + 1.0;
                Bar { open_time: Nanos(at * interval), open: price, high: price, low: price, close: price, volume: 1.0 }
            };
            Lane { ends, ..Lane::new(Arc::new((0..count).map(bar).collect()), Nanos(interval)) }
        };
        let mut feed = BarFeed::new(vec![lane(4, 1, true), lane(2, 3, false)]);
        let mut step = Step::default();
        let mut seen = Vec::new();
        while feed.next(&mut step) {
            let who = step.events.iter().map(|event| match event {
                MarketEvent::Bar(InstrumentIndex(index), bar) => format!("{index}@{}", bar.open_time.0),
                MarketEvent::Ended(index) => format!("{index} ends"),
                other => format!("{other:?}"),
            });
            seen.push((step.time.0, who.collect::<Vec<_>>()));
        }
        let expected: [(i64, &[&str]); 3] = [(2, &["1@0"]), (4, &["0@0", "0 ends", "1@2"]), (6, &["1@4"])];
        assert_eq!(seen, expected.map(|(time, who)| (time, who.iter().map(ToString::to_string).collect())));
    }
}
