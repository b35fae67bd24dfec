//! What a venue published, as it was received: quotes, prints and depth, exactly.
//!
//! A tape is a sequence of [`Stamped`] events in the order of their receipt, and that order is the only one it has: the streams of a
//! venue are not synchronous, so that a print may come after the quote that its trade left behind, or before it.

mod book;

use serde::{Deserialize, Serialize};

use crate::{Nanos, Price, Qty, Side};

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

#[cfg(test)]
mod tests {
    use super::{DepthChange, Level, Print, Quote, Stamped, TapeEvent};
    use crate::{Nanos, Price, Qty, Side};
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
