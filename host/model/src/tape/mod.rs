//! What a venue published, as it was received: quotes, prints and depth, exactly.
//!
//! A tape is a sequence of [`Stamped`] events in the order of their receipt, and that order is the only one it has: the streams of a
//! venue are not synchronous, so that a print may come after the quote that its trade left behind, or before it.

mod book;

use serde::{Deserialize, Serialize};

use crate::{Decimal, Digester, Nanos, Price, Qty, Side};

pub use book::{OrderBook, Walk};

/// A price, and what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct Level {
    /// In quote currency per unit of base currency.
    pub price: Price,
    /// In base currency; in a [`DepthChange`] 0 says that nothing is there any more.
    pub size: Qty,
}

/// The best bid and the best ask. A side where nobody is has no level, rather than a price of 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct Quote {
    /// The highest price that somebody buys at.
    pub bid: Option<Level>,
    /// The lowest price that somebody sells at.
    pub ask: Option<Level>,
}

impl Quote {
    /// Whether the bid is at or above the ask, which a venue would have matched: it was seen in between, or is wrong.
    #[must_use]
    pub fn is_crossed(self) -> bool {
        matches!((self.bid, self.ask), (Some(bid), Some(ask)) if bid.price >= ask.price)
    }
}

/// A trade of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct Print {
    /// In quote currency per unit of base currency.
    pub price: Price,
    /// In base currency, above 0.
    pub quantity: Qty,
    /// What the taker did: `Buy` took from the asks.
    pub aggressor: Side,
}

/// What became of some levels of a book, or of all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct DepthChange {
    /// Levels of buyers, each with the size it has now; size 0 removes it. In no order; of two with one price the later holds.
    pub bids: Vec<Level>,
    /// Levels of sellers, likewise.
    pub asks: Vec<Level>,
    /// Whether these are all levels there are, so that every other one goes.
    pub whole: bool,
}

impl DepthChange {
    /// The book is not known from here on: nothing may be matched against what it was.
    #[must_use]
    pub fn unknown() -> Self {
        Self { whole: true, ..Self::default() }
    }
}

/// Something that a venue published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TapeEvent {
    /// The best bid and ask are these now.
    Quote(Quote),
    /// Others traded.
    Print(Print),
    /// The book changed.
    Depth(DepthChange),
}

/// An event and its times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct Stamped {
    /// When it was received, by the receiver's clock; never before the event that precedes it on the tape.
    pub received: Nanos,
    /// When it happened, by the venue's clock, where the venue says so. The two clocks may differ by any amount.
    pub happened: Option<Nanos>,
    /// The venue's number of the state of its book that a quote or a depth change shows. All of one instrument are on one scale, so
    /// that the later of two can be told whatever stream it came by. `None` for prints, and where the book is not known any more.
    pub update: Option<u64>,
    /// What happened.
    pub event: TapeEvent,
}

impl Stamped {
    /// Feeds the event and its times into a digest, so that of two tapes with the same digest all events are the same. Prices and
    /// sizes count as numbers, however many zeros they were written with.
    pub fn feed(&self, digester: &mut Digester) {
        let time = |digester: &mut Digester, time: Option<u64>| {
            digester.bytes(&[u8::from(time.is_some())]).u64(time.unwrap_or_default());
        };
        digester.nanos(self.received);
        time(digester, self.happened.map(|time| time.0 as u64));
        time(digester, self.update);
        match &self.event {
            TapeEvent::Quote(Quote { bid, ask }) => {
                digester.bytes(b"q");
                for side in [bid, ask] {
                    levels(digester, side.as_slice());
                }
            }
            TapeEvent::Print(Print { price, quantity, aggressor }) => {
                digester.bytes(if *aggressor == Side::Buy { b"b" } else { b"s" });
                number(digester, price.0);
                number(digester, quantity.0);
            }
            TapeEvent::Depth(DepthChange { bids, asks, whole }) => {
                digester.bytes(if *whole { b"w" } else { b"d" });
                levels(digester, bids);
                levels(digester, asks);
            }
        }
    }
}

fn levels(digester: &mut Digester, levels: &[Level]) {
    digester.u64(levels.len() as u64);
    for level in levels {
        number(digester, level.price.0);
        number(digester, level.size.0);
    }
}

fn number(digester: &mut Digester, number: Decimal) {
    digester.bytes(&number.normalize().serialize());
}

#[cfg(test)]
mod tests {
    use super::{DepthChange, Level, Print, Quote, Stamped, TapeEvent};
    use crate::{Digester, Nanos, Price, Qty, Side};
    use rust_decimal::Decimal;

    fn level(price: &str, size: &str) -> Level {
        let exact = |text| Decimal::from_str_exact(text).unwrap();
        Level { price: Price(exact(price)), size: Qty(exact(size)) }
    }

    #[test]
    fn a_quote_is_crossed_only_if_both_sides_are_there() {
        let (low, high) = (Some(level("1", "1")), Some(level("2", "1")));
        assert!(!Quote { bid: low, ask: high }.is_crossed());
        assert!(Quote { bid: high, ask: low }.is_crossed());
        assert!(Quote { bid: low, ask: low }.is_crossed());
        assert!(!Quote { bid: high, ask: None }.is_crossed());
        assert!(!Quote::default().is_crossed());
    }

    #[test]
    fn a_digest_tells_events_apart_and_zeros_not() {
        let digest = |stamped: &Stamped| {
            let mut digester = Digester::default();
            stamped.feed(&mut digester);
            digester.finish()
        };
        let at = |event| Stamped { received: Nanos(5), happened: None, update: Some(1), event };
        let quote = |bid, ask| at(TapeEvent::Quote(Quote { bid, ask }));
        let (one, other) = (Some(level("1", "2")), Some(level("1.00", "2.0")));
        assert_eq!(digest(&quote(one, None)), digest(&quote(other, None)));
        let print = |aggressor| Print { price: level("1", "2").price, quantity: level("1", "2").size, aggressor };
        let depth = |whole| DepthChange { bids: vec![level("1", "2")], asks: Vec::new(), whole };
        let all = [
            quote(one, None),
            quote(None, one),
            quote(Some(level("1", "3")), None),
            Stamped { happened: Some(Nanos(0)), ..quote(one, None) },
            Stamped { update: None, ..quote(one, None) },
            at(TapeEvent::Print(print(Side::Buy))),
            at(TapeEvent::Print(print(Side::Sell))),
            at(TapeEvent::Depth(depth(false))),
            at(TapeEvent::Depth(depth(true))),
        ];
        let digests: std::collections::BTreeSet<_> = all.iter().map(digest).collect();
        assert_eq!(digests.len(), all.len());
    }

    #[test]
    fn an_event_written_out_is_read_back_digit_by_digit() {
        let quote = Quote { bid: Some(level("0.00000001", "79228162514264337593543950335")), ask: None };
        let change = DepthChange { bids: vec![level("61837.63", "0")], asks: Vec::new(), whole: false };
        let print = Print { price: Price(Decimal::TEN), quantity: Qty(Decimal::ONE), aggressor: Side::Sell };
        for event in [TapeEvent::Quote(quote), TapeEvent::Depth(change), TapeEvent::Print(print)] {
            let stamped = Stamped { received: Nanos(2), happened: Some(Nanos(-1)), update: Some(u64::MAX), event };
            let text = serde_json::to_string(&stamped).unwrap();
            assert_eq!(serde_json::from_str::<Stamped>(&text).unwrap(), stamped, "{text}");
        }
    }
}
