use tiltyard_model::tape::{DepthChange, Level, Quote, Stamped, TapeEvent};
use tiltyard_model::{
    Bar, Columns, Decimal, Digest, Digester, Instrument, InstrumentIndex, Nanos, Price, Specification,
    SpecificationError, decimal,
};

/// What the kernel knows of each instrument's market so far.
#[derive(Debug)]
pub struct Market {
    listed: Vec<Listed>,
}

/// One instrument and what it has shown.
#[derive(Debug)]
pub struct Listed {
    /// The instrument.
    pub instrument: Instrument,
    /// Its rules in exact numbers.
    pub rules: Specification,
    /// Length of its bars.
    pub interval: Nanos,
    history: History,
    /// The last bar of mark prices, if there is a series of them.
    marked: Option<Bar>,
    shown: Shown,
    ended: bool,
}

/// What a tape has shown of an instrument.
#[derive(Debug, Default)]
struct Shown {
    quote: Option<(Nanos, Quote)>,
    print: Option<Price>,
    /// When the last event of any kind was received.
    received: Option<Nanos>,
    events: u64,
    digester: Digester,
}

impl Market {
    /// These instruments and the lengths of their bars, with nothing seen yet; those on margin at a leverage, if one was chosen.
    ///
    /// # Errors
    /// The first instrument whose rules make no sense.
    pub fn new(instruments: &[(Instrument, Nanos)], leverage: Option<Decimal>) -> Result<Self, SpecificationError> {
        let listed = instruments.iter().map(|(instrument, interval)| {
            let rules = Specification::new(instrument)?;
            let leverage = leverage.filter(|_| instrument.kind.is_margined());
            Ok(Listed {
                rules: leverage.map_or_else(|| rules.clone(), |leverage| rules.clone().at_leverage(leverage)),
                instrument: instrument.clone(),
                interval: *interval,
                history: History::default(),
                marked: None,
                shown: Shown::default(),
                ended: false,
            })
        });
        Ok(Self { listed: listed.collect::<Result<_, _>>()? })
    }

    /// The instrument with this index.
    #[must_use]
    pub fn get(&self, index: InstrumentIndex) -> Option<&Listed> {
        self.listed.get(index.0 as usize)
    }

    /// How many instruments there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.listed.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }

    /// All instruments with their indices.
    pub fn iter(&self) -> impl Iterator<Item = (InstrumentIndex, &Listed)> {
        (0..).map(InstrumentIndex).zip(&self.listed)
    }

    /// A bar closed.
    pub(crate) fn bar(&mut self, index: InstrumentIndex, bar: &Bar) {
        if let Some(listed) = self.listed.get_mut(index.0 as usize) {
            listed.history.push(bar);
        }
    }

    /// A bar of mark prices closed; the instrument's own bar comes next.
    pub(crate) fn mark(&mut self, index: InstrumentIndex, bar: &Bar) {
        if let Some(listed) = self.listed.get_mut(index.0 as usize) {
            listed.marked = Some(*bar);
        }
    }

    /// The venue published something.
    pub(crate) fn tape(&mut self, index: InstrumentIndex, stamped: &Stamped) {
        let Some(listed) = self.listed.get_mut(index.0 as usize) else { return };
        let shown = &mut listed.shown;
        shown.events += 1;
        shown.received = Some(stamped.received);
        stamped.feed(&mut shown.digester);
        match &stamped.event {
            TapeEvent::Quote(quote) => shown.quote = Some((stamped.received, *quote)),
            TapeEvent::Print(print) => shown.print = Some(print.price),
            // Where the book is not known, neither is the best of it.
            TapeEvent::Depth(change) if *change == DepthChange::unknown() => shown.quote = None,
            TapeEvent::Depth(_) => {}
        }
    }

    /// The instrument trades no more.
    pub(crate) fn end(&mut self, index: InstrumentIndex) {
        if let Some(listed) = self.listed.get_mut(index.0 as usize) {
            listed.ended = true;
        }
    }
}

impl Listed {
    /// What positions are worth: the last mark price, and the last price where there is no mark of that time. `None` before the
    /// first bar and after the instrument's end.
    #[must_use]
    pub fn mark(&self) -> Option<Price> {
        let last = self.history.bars.open_time().last().copied().map(Nanos);
        let Some(marked) = self.marked.filter(|marked| Some(marked.open_time) == last && !self.ended) else {
            return self.last();
        };
        decimal(marked.close).filter(|close| *close > Decimal::ZERO).map(Price)
    }

    /// The bar of mark prices that belongs to a bar: that one itself where there is no other.
    #[must_use]
    pub fn mark_bar(&self, bar: &Bar) -> Bar {
        self.marked.filter(|marked| marked.open_time == bar.open_time).unwrap_or(*bar)
    }

    /// The last price: of a trade on a tape, or of the last bar; `None` before the first and after the instrument's end. Where a tape
    /// has shown no trade yet, the middle of its last quote.
    #[must_use]
    pub fn last(&self) -> Option<Price> {
        let middle = || match self.shown.quote?.1 {
            quote @ Quote { bid: Some(bid), ask: Some(ask) } if !quote.is_crossed() => {
                bid.price.0.checked_add(ask.price.0).map(|sum| Price(sum / Decimal::TWO))
            }
            _ => None,
        };
        if let Some(price) = self.shown.print.or_else(middle).filter(|_| !self.ended) {
            return Some(price);
        }
        let close = self.history.bars.close().last().filter(|_| !self.ended)?;
        decimal(*close).filter(|close| *close > Decimal::ZERO).map(Price)
    }

    /// The last bar; `None` before the first and after the instrument's end.
    pub(crate) fn last_bar(&self) -> Option<Bar> {
        let bars = &self.history.bars;
        bars.get(bars.len().checked_sub(1)?).filter(|_| !self.ended)
    }

    /// The bars that are kept, oldest first.
    pub(crate) fn bars(&self) -> &Columns {
        &self.history.bars
    }

    /// The volume of the last bar; 0 before the first.
    #[must_use]
    pub fn last_volume(&self) -> f64 {
        self.history.bars.volume().last().copied().unwrap_or_default()
    }

    /// Whether it trades no more.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// When its last bar closed or its venue last published something; `None` before the first.
    #[must_use]
    pub fn last_event(&self) -> Option<Nanos> {
        let closed = self.history.bars.open_time().last().map(|open| Nanos(*open) + self.interval);
        closed.max(self.shown.received)
    }

    /// The last quote of a tape that had both sides, and when it was received.
    #[must_use]
    pub fn quote(&self) -> Option<(Nanos, Level, Level)> {
        let (received, Quote { bid, ask }) = self.shown.quote?;
        Some((received, bid?, ask?))
    }

    /// How many events of a tape there were, and their digest; `None` if there were none.
    pub(crate) fn tape_so_far(&self) -> Option<(u64, Digest)> {
        (self.shown.events > 0).then(|| (self.shown.events, self.shown.digester.clone().finish()))
    }

    /// The last price of each of the `count` days (UTC) before `today`, a number of days since 1970-01-01, oldest first. A day
    /// without bars has the price of the day before it; days before the first bar are left out.
    #[must_use]
    pub fn daily_closes(&self, today: i64, count: usize) -> Vec<f64> {
        const DAY: i64 = 86_400_000_000_000;
        let bars = &self.history.bars;
        let days = (1..=count as i64).rev().map(|back| today - back);
        let closes = days.filter_map(|day| {
            let after = bars.open_time().partition_point(|open| open.div_euclid(DAY) <= day);
            bars.close().get(after.checked_sub(1)?).copied()
        });
        closes.collect()
    }

    /// The latest closed bars, oldest first: `count`, or as many as are kept.
    #[must_use]
    pub fn history(&self, count: usize) -> Columns {
        let bars = &self.history.bars;
        bars.slice(bars.len().saturating_sub(count.min(History::DEPTH))..bars.len())
    }

    /// Wilder's average true range over `bars` bars at the last close, in quote currency: the mean of the first `bars`
    /// true ranges that are kept, smoothed by 1 ÷ `bars` from there on (J. W. Wilder, "New Concepts in Technical
    /// Trading Systems", 1978). `None` before there are `bars` of them.
    ///
    /// It is worked out from at most ten times `bars` true ranges, so that it depends on nothing older: what is left
    /// out has a weight below (1 − 1/n)⁹ⁿ, a ten-thousandth.
    #[must_use]
    pub fn average_true_range(&self, bars: usize) -> Option<f64> {
        let all = &self.history.bars;
        let (high, low, close) = (all.high(), all.low(), all.close());
        let from = all.len().saturating_sub(bars.saturating_mul(10)).max(1);
        let true_range = |at: usize| {
            let before = close[at - 1];
            (high[at] - low[at]).max((high[at] - before).abs()).max((low[at] - before).abs())
        };
        if bars == 0 || all.len() < from + bars {
            return None;
        }
        let n = bars as f64;
        let mean = (from..from + bars).map(true_range).sum::<f64>() / n;
        Some((from + bars..all.len()).map(true_range).fold(mean, |average, range| (average * (n - 1.0) + range) / n))
    }
}

/// The last bars of an instrument, so many that no strategy may ask for more; a run of months needs no more memory than
/// one of days.
#[derive(Debug, Default)]
struct History {
    bars: Columns,
}

impl History {
    /// Bars that are always kept, once there were as many.
    const DEPTH: usize = 100_000;

    fn push(&mut self, bar: &Bar) {
        if self.bars.len() == 2 * Self::DEPTH {
            self.bars = self.bars.slice(Self::DEPTH..2 * Self::DEPTH);
        }
        self.bars.push(bar);
    }
}
