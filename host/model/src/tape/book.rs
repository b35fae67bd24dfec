//! A book of exact price levels.

use std::collections::BTreeMap;

use super::{DepthChange, Level, Quote};
use crate::{Price, Qty, Side};

/// What others bid and ask at every price, as far as a venue's depth says it.
///
/// It holds what it is told, crossed or empty: [`OrderBook::is_empty`] and [`Quote::is_crossed`] say so, and whoever matches against it
/// asks. A book that began with a snapshot of so many levels knows nothing of those beyond until they change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderBook {
    bids: BTreeMap<Price, Qty>,
    asks: BTreeMap<Price, Qty>,
}

/// What an order would take of a book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Walk {
    /// The levels it would take, best first, each with what it would take there: all of it but of the last.
    pub taken: Vec<Level>,
    /// The quantity that nobody is there for within the limit.
    pub left: Qty,
}

impl OrderBook {
    /// Brings the book up to date.
    pub fn apply(&mut self, change: &DepthChange) {
        if change.whole {
            self.bids.clear();
            self.asks.clear();
        }
        for (side, levels) in [(&mut self.bids, &change.bids), (&mut self.asks, &change.asks)] {
            for level in levels {
                if level.size > Qty::ZERO {
                    side.insert(level.price, level.size);
                } else {
                    side.remove(&level.price);
                }
            }
        }
    }

    /// The best bid and ask.
    #[must_use]
    pub fn best(&self) -> Quote {
        Quote { bid: self.levels(Side::Buy).next(), ask: self.levels(Side::Sell).next() }
    }

    /// Whether nobody is on either side: a market without orders, or a book that is not known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bids.is_empty() && self.asks.is_empty()
    }

    /// What is bid (`Buy`) or asked (`Sell`) at a price, in base currency; 0 where nobody is.
    #[must_use]
    pub fn size_at(&self, side: Side, price: Price) -> Qty {
        self.side(side).get(&price).copied().unwrap_or(Qty::ZERO)
    }

    /// The bids (`Buy`) or the asks (`Sell`), best first.
    pub fn levels(&self, side: Side) -> impl Iterator<Item = Level> + '_ {
        let levels = self.side(side);
        // One of the two is empty: bids are walked downwards, asks upwards.
        let (down, up) = match side {
            Side::Buy => (Some(levels.iter().rev()), None),
            Side::Sell => (None, Some(levels.iter())),
        };
        let both = down.into_iter().flatten().chain(up.into_iter().flatten());
        both.map(|(price, size)| Level { price: *price, size: *size })
    }

    /// What an order of this side and quantity would take of the other side, level by level, at no worse price than `limit`.
    ///
    /// The book stays as it is. A quantity of 0 or less takes nothing.
    #[must_use]
    pub fn walk(&self, side: Side, quantity: Qty, limit: Option<Price>) -> Walk {
        let within = |price| match (side, limit) {
            (_, None) => true,
            (Side::Buy, Some(limit)) => price <= limit,
            (Side::Sell, Some(limit)) => price >= limit,
        };
        let mut walk = Walk { taken: Vec::new(), left: quantity };
        for level in self.levels(side.opposite()) {
            if walk.left <= Qty::ZERO || !within(level.price) {
                break;
            }
            let size = level.size.min(walk.left);
            walk.taken.push(Level { price: level.price, size });
            walk.left -= size;
        }
        walk
    }

    fn side(&self, side: Side) -> &BTreeMap<Price, Qty> {
        match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{DepthChange, Level, OrderBook, Walk};
    use crate::{Price, Qty, Side};
    use rust_decimal::Decimal;

    fn level(price: i64, size: i64) -> Level {
        Level { price: Price(Decimal::new(price, 2)), size: Qty(Decimal::new(size, 3)) }
    }

    fn book() -> OrderBook {
        let mut book = OrderBook::default();
        book.apply(&DepthChange {
            bids: vec![level(98, 5), level(99, 10)],
            asks: vec![level(102, 7), level(101, 3)],
            whole: true,
        });
        book
    }

    #[test]
    fn a_change_sets_adds_and_removes_levels() {
        let mut book = book();
        book.apply(&DepthChange { bids: vec![level(99, 0), level(97, 1)], asks: vec![level(101, 4)], whole: false });
        assert!(book.levels(Side::Buy).eq([level(98, 5), level(97, 1)]));
        assert!(book.levels(Side::Sell).eq([level(101, 4), level(102, 7)]));
        assert_eq!(book.size_at(Side::Sell, level(102, 0).price), level(0, 7).size);
        assert_eq!(book.size_at(Side::Buy, level(102, 0).price), Qty::ZERO);
    }

    #[test]
    fn a_whole_change_leaves_nothing_of_before() {
        let mut book = book();
        book.apply(&DepthChange { bids: vec![level(50, 1)], whole: true, ..DepthChange::default() });
        assert_eq!((book.best().bid, book.best().ask), (Some(level(50, 1)), None));
        assert!(!book.is_empty());
        book.apply(&DepthChange::unknown());
        assert!(book.is_empty());
        assert_eq!(book, OrderBook::default());
    }

    #[test]
    fn a_crossed_book_is_kept_and_says_so() {
        let mut book = book();
        assert!(!book.best().is_crossed());
        book.apply(&DepthChange { bids: vec![level(103, 1)], ..DepthChange::default() });
        assert!(book.best().is_crossed());
        assert_eq!((book.best().bid, book.best().ask), (Some(level(103, 1)), Some(level(101, 3))));
    }

    #[test]
    fn an_order_takes_the_best_levels_first_and_no_more_than_it_needs() {
        let five = level(0, 5).size;
        let taken = vec![level(101, 3), level(102, 2)];
        assert_eq!(book().walk(Side::Buy, five, None), Walk { taken, left: Qty::ZERO });
        assert_eq!(book().walk(Side::Sell, five, None), Walk { taken: vec![level(99, 5)], left: Qty::ZERO });
    }

    #[test]
    fn a_limit_is_within_itself_and_what_is_beyond_is_left() {
        let limit = Some(level(101, 0).price);
        let walk = book().walk(Side::Buy, level(0, 5).size, limit);
        assert_eq!(walk, Walk { taken: vec![level(101, 3)], left: level(0, 2).size });
        let walk = book().walk(Side::Sell, level(0, 20).size, None);
        assert_eq!(walk, Walk { taken: vec![level(99, 10), level(98, 5)], left: level(0, 5).size });
        assert!(book().walk(Side::Sell, level(0, 1).size, limit).taken.is_empty());
    }

    #[test]
    fn nothing_is_taken_by_nothing_or_of_nothing() {
        for quantity in [Qty::ZERO, -level(0, 1).size] {
            assert_eq!(book().walk(Side::Buy, quantity, None), Walk { taken: Vec::new(), left: quantity });
        }
        let one = level(0, 1).size;
        assert_eq!(OrderBook::default().walk(Side::Buy, one, None), Walk { taken: Vec::new(), left: one });
    }
}
