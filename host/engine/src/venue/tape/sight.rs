//! The market as far as its venue has shown it.

use std::collections::BTreeMap;

use tiltyard_model::tape::{DepthChange, Level, OrderBook, Print, Quote, Stamped, TapeEvent};
use tiltyard_model::{Nanos, Price, Qty, Side};

/// What was there at every price, by the newest that was received of it.
///
/// Quotes and depth come by streams of their own, and either may be behind the other. Of the two the one with the later update of the
/// book is believed: a quote that is later than the depth stands for its level and takes away all that would be better; one that is
/// earlier says nothing any more. Where an event does not say its update, the one received later is the later.
///
/// Two things are not there for whoever takes, although they are shown: what was taken before of a level that has not gone meanwhile
/// ([`Sight::take`]), and levels better than a print that took from their side, until something is received that is later than the
/// print by the venue's clock.
#[derive(Debug, Clone, Default)]
pub(super) struct Sight {
    book: OrderBook,
    book_update: Option<u64>,
    book_happened: Nanos,
    /// The worst prices of the last snapshot: what a venue does not say of prices beyond is not known.
    horizon: (Option<Price>, Option<Price>),
    quote: Option<Quote>,
    quote_update: Option<u64>,
    quote_happened: Nanos,
    quote_is_newer: bool,
    /// The last print against the bids and the asks: no better level of theirs is there.
    last_hit: [Option<Hit>; 2],
    /// What of the levels shown was taken already.
    taken: BTreeMap<(Price, bool), Taken>,
}

/// A size, and which update of the book it is of, if the venue says so.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown {
    pub(super) size: Qty,
    pub(super) update: Option<u64>,
    /// When it was so, by the receiver's clock.
    pub(super) happened: Nanos,
}

/// Whether what is shown as of one update holds as of another too, or is later.
pub(super) fn is_since(update: Option<u64>, other: Option<u64>) -> bool {
    !matches!((update, other), (Some(update), Some(other)) if update < other)
}

/// What was taken of a level, and at which update of the book at the latest.
#[derive(Debug, Clone, Copy)]
struct Taken {
    size: Qty,
    update: Option<u64>,
}

#[derive(Debug, Clone, Copy)]
struct Hit {
    price: Price,
    happened: Option<Nanos>,
}

/// Whether a price on this side is better than another for whoever trades against it: a higher bid, a lower ask.
pub(super) fn is_better(side: Side, price: Price, than: Price) -> bool {
    match side {
        Side::Buy => price > than,
        Side::Sell => price < than,
    }
}

fn place(side: Side) -> usize {
    usize::from(side == Side::Sell)
}

impl Sight {
    /// Takes in what the venue published, and when that was by the receiver's clock.
    pub(super) fn apply(&mut self, event: &Stamped, happened: Nanos) {
        match &event.event {
            TapeEvent::Quote(quote) => {
                self.quote = Some(*quote);
                (self.quote_update, self.quote_happened) = (event.update, happened);
                self.quote_is_newer = !matches!((event.update, self.book_update), (Some(q), Some(b)) if q <= b);
            }
            TapeEvent::Depth(change) => {
                self.depth(change);
                (self.book_update, self.book_happened) = (event.update, happened);
                self.quote_is_newer = matches!((self.quote_update, event.update), (Some(q), Some(b)) if q > b);
            }
            TapeEvent::Print(Print { price, aggressor, .. }) => {
                let hit = Hit { price: *price, happened: event.happened };
                self.last_hit[place(aggressor.opposite())] = Some(hit);
                return;
            }
        }
        for hit in &mut self.last_hit {
            let clears = |hit: &Hit| match (event.happened, hit.happened) {
                (Some(shown), Some(printed)) => shown > printed,
                _ => true,
            };
            *hit = hit.filter(|hit| !clears(hit));
        }
        self.forget_taken();
    }

    fn depth(&mut self, change: &DepthChange) {
        self.book.apply(change);
        if !change.whole {
            return;
        }
        let worst = |side| self.book.levels(side).last().map(|level| level.price);
        self.horizon = (worst(Side::Buy), worst(Side::Sell));
        if self.book.is_empty() {
            // What the depth stream has missed, quotes may have missed.
            (self.quote, self.quote_update) = (None, None);
        }
    }

    /// A level that has become smaller than what was taken of it has nothing left of that; one that is gone is forgotten.
    fn forget_taken(&mut self) {
        if self.taken.is_empty() {
            return;
        }
        let mut taken = std::mem::take(&mut self.taken);
        taken.retain(|(price, is_bid), taken| {
            let side = if *is_bid { Side::Buy } else { Side::Sell };
            if let Some(shown) = self.shown(side, *price).filter(|shown| is_since(shown.update, taken.update)) {
                taken.size = taken.size.min(shown.size);
            }
            !taken.size.is_zero()
        });
        self.taken = taken;
    }

    /// Whether there is anything to match against. A book that is crossed was seen in between, or is wrong.
    pub(super) fn is_known(&self) -> bool {
        let is_shown = !self.book.is_empty() || self.quote.is_some_and(|quote| quote != Quote::default());
        is_shown && !Quote { bid: self.best(Side::Buy), ask: self.best(Side::Sell) }.is_crossed()
    }

    /// The best level of a side.
    pub(super) fn best(&self, side: Side) -> Option<Level> {
        self.levels(side).next()
    }

    /// The quote's level of a side, if the quote is what counts.
    fn top(&self, side: Side) -> Option<Option<Level>> {
        let quote = self.quote.filter(|_| self.quote_is_newer)?;
        Some(match side {
            Side::Buy => quote.bid,
            Side::Sell => quote.ask,
        })
    }

    /// The bids (`Buy`) or asks (`Sell`) as shown, best first.
    pub(super) fn levels(&self, side: Side) -> impl Iterator<Item = Level> + '_ {
        let top = self.top(side);
        let is_behind = move |level: &Level| match top {
            None => true,
            Some(Some(top)) => is_better(side, top.price, level.price),
            Some(None) => false,
        };
        top.flatten().into_iter().chain(self.book.levels(side).skip_while(move |level| !is_behind(level)))
    }

    /// What is shown at a price of a side, 0 where nobody is; `None` where that is not known.
    pub(super) fn shown(&self, side: Side, price: Price) -> Option<Shown> {
        let quoted = |size| Some(Shown { size, update: self.quote_update, happened: self.quote_happened });
        match self.top(side) {
            Some(None) => return quoted(Qty::ZERO),
            Some(Some(top)) if price == top.price => return quoted(top.size),
            Some(Some(top)) if is_better(side, price, top.price) => return quoted(Qty::ZERO),
            _ => {}
        }
        let (bid, ask) = self.horizon;
        let horizon = if side == Side::Buy { bid } else { ask };
        let size = self.book.size_at(side, price);
        let is_within = horizon.is_some_and(|horizon| !is_better(side, horizon, price));
        let shown = Shown { size, update: self.book_update, happened: self.book_happened };
        (is_within || !size.is_zero()).then_some(shown)
    }

    /// The latest update that is known of.
    pub(super) fn update(&self) -> Option<u64> {
        self.quote_update.max(self.book_update)
    }

    /// What an order could take of the bids (`Buy`) or asks (`Sell`), best first, at no worse price than `limit`.
    pub(super) fn available(&self, side: Side, limit: Option<Price>) -> impl Iterator<Item = Level> + '_ {
        let hit = self.last_hit[place(side)];
        let there =
            self.levels(side).filter(move |level| !hit.is_some_and(|hit| is_better(side, level.price, hit.price)));
        let within = there.take_while(move |level| !limit.is_some_and(|limit| is_better(side, limit, level.price)));
        within.filter_map(move |Level { price, size }| {
            let taken = self.taken.get(&(price, side == Side::Buy)).map_or(Qty::ZERO, |taken| taken.size);
            let size = size - taken.min(size);
            (!size.is_zero()).then_some(Level { price, size })
        })
    }

    /// So much of a level was taken: it is not there again.
    pub(super) fn take(&mut self, side: Side, Level { price, size }: Level) {
        let (size_before, update) =
            (self.taken.get(&(price, side == Side::Buy)).map_or(Qty::ZERO, |taken| taken.size), self.update());
        self.taken.insert((price, side == Side::Buy), Taken { size: size_before + size, update });
    }
}
